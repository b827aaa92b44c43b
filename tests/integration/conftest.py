"""Tests that need the real kubectl are left out, with one printed line, where there is none."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.integration.kubectl import Kubectl

KUBECTL = os.environ.get("BTCCTL_TEST_KUBECTL") or shutil.which("kubectl")
_LEFT_OUT = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if KUBECTL:
        return
    needing = [item for item in items if item.get_closest_marker("kubectl")]
    config.stash[_LEFT_OUT] = len(needing)
    if needing:
        items[:] = [item for item in items if item not in needing]
        config.hook.pytest_deselected(items=needing)


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    left_out = config.stash.get(_LEFT_OUT, 0)
    return [f"no kubectl on PATH or in BTCCTL_TEST_KUBECTL: {left_out} tests left out"] if left_out else []


@pytest.fixture
def kubectl(tmp_path: Path) -> Kubectl:
    """The real kubectl, with an empty home: nothing is cached, and nobody's cluster is touched."""
    assert KUBECTL
    return Kubectl(KUBECTL, tmp_path / "home")
