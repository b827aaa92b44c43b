"""What integration tests share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from btcctl.clock import SYSTEM_CLOCK

T = TypeVar("T")

_POLL_SECONDS = 0.02


def eventually(probe: Callable[[], T], timeout: float = 10.0, every: float = _POLL_SECONDS) -> T:
    """Call `probe` until it returns something true, and return that.

    An AssertionError inside `probe` counts as "not yet".

    Args:
        every: Seconds between two calls; a probe that starts a program has better use for the machine.

    Raises:
        AssertionError: Not within `timeout` real seconds; carries the last failure.
    """
    deadline = SYSTEM_CLOCK.now() + timeout
    pause = threading.Event()
    while True:
        failure: AssertionError | None = None
        try:
            result = probe()
            if result:
                return result
        except AssertionError as error:
            failure = error
        if SYSTEM_CLOCK.now() > deadline:
            raise failure or AssertionError(f"still {result!r} after {timeout} s")
        pause.wait(every)
