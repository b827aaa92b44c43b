"""Tests that need a real program are left out, with one printed line, where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.kubectl import Kubectl
from tests.integration.programs import KUBECTL, PROGRAMS, find_program, required, what_is_missing

_LEFT_OUT = pytest.StashKey[dict[str, int]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = config.stash.setdefault(_LEFT_OUT, {})
    for marker, program in PROGRAMS.items():
        found = find_program(program)
        needing = [] if found else [item for item in items if item.get_closest_marker(marker)]
        if needing and marker in required():
            raise pytest.UsageError(what_is_missing(program))
        left_out[marker] = len(needing)
        if needing:
            items[:] = [item for item in items if item not in needing]
            config.hook.pytest_deselected(items=needing)


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    counts = config.stash.get(_LEFT_OUT, {})
    return [f"{what_is_missing(PROGRAMS[marker])}: {count} tests left out" for marker, count in counts.items() if count]


@pytest.fixture
def kubectl(tmp_path: Path) -> Kubectl:
    """The real kubectl, with an empty home: nothing is cached, and nobody's cluster is touched."""
    assert KUBECTL
    return Kubectl(KUBECTL, tmp_path / "home")
