"""Tests with nodes of their own, run by `make e2e`: elsewhere they are left out, since each takes a node's start."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    ours = [item for item in items if _HERE in item.path.parents]
    if ours and not os.environ.get("BTCCTL_TEST_E2E"):
        items[:] = [item for item in items if item not in ours]
        config.hook.pytest_deselected(items=ours)
