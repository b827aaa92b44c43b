"""What holds for every test: no thread outlives it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_thread_outlives_its_test() -> Iterator[None]:
    """Fail the test that leaves a thread behind; threads of wider fixtures existed before."""
    before = set(threading.enumerate())
    yield
    leaked = [thread for thread in threading.enumerate() if thread not in before]
    for thread in leaked:
        thread.join(2.0)  # one that is on its way out is no leak
    still_there = [thread.name for thread in leaked if thread.is_alive()]
    assert not still_there, f"threads left behind: {still_there}"
