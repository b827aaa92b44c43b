"""Fixtures for pytest.

Load them with `pytest_plugins = ["btcctl.testing.pytest_plugin"]` in the topmost conftest.py, or
with `-p btcctl.testing.pytest_plugin`.

* `control_plane`: one real control plane for the whole session. Tests share it: work in a
  namespace of your own, and do not break it.
* `new_control_plane`: makes one for a single test, which may restart, kill or pause it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from btcctl.testing.control_plane import ControlPlane, ControlPlaneOptions

NewControlPlane = Callable[..., ControlPlane]


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """One control plane, started when the first test asks for it."""
    with ControlPlane() as running:
        yield running


@pytest.fixture
def new_control_plane() -> Iterator[NewControlPlane]:
    """`new_control_plane(ControlPlaneOptions(…))` starts one that ends with the test."""
    with ExitStack() as running:

        def start(options: ControlPlaneOptions = ControlPlaneOptions()) -> ControlPlane:
            return running.enter_context(ControlPlane(options))

        yield start
