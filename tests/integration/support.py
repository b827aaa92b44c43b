"""What integration tests share."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from btcctl.clock import SYSTEM_CLOCK
from btcctl.errors import BtcctlError

T = TypeVar("T")

_POLL_SECONDS = 0.02
_PATIENCE_SECONDS = 60.0  # only what fails waits so long; what takes two seconds alone takes ten on a busy machine

#: What is met by who looks too early: what a server or a node refuses, nobody there, an item that is missing, or null.
_NOT_YET = (
    *(AssertionError, BtcctlError, ConnectionError, FileNotFoundError),
    *(LookupError, TypeError, AttributeError, ValueError, StopIteration),
)


def eventually(probe: Callable[[], T], timeout: float = _PATIENCE_SECONDS, every: float = _POLL_SECONDS) -> T:
    """Call `probe` until it returns something true, and return that.

    An AssertionError inside `probe` counts as "not yet", and so does what looking too early raises: what is being made
    is not found, or not served, or not reached for a moment, and what it will have is still empty or null.

    Args:
        timeout: Long enough for a machine with much other work: it costs nothing where all is well.
        every: Seconds between two calls; a probe that starts a program has better use for the machine.

    Raises:
        AssertionError: Not within `timeout` real seconds.
        Exception: Likewise; what the last call of `probe` has raised.
    """
    deadline = SYSTEM_CLOCK.now() + timeout
    pause = threading.Event()
    while True:
        failure: Exception | None = None
        try:
            result = probe()
            if result:
                return result
        except _NOT_YET as error:
            failure = error
        if SYSTEM_CLOCK.now() > deadline:
            raise failure or AssertionError(f"still {result!r} after {timeout} s")
        pause.wait(every)


@contextmanager
def closed_port() -> Iterator[int]:
    """A port of 127.0.0.1 that nobody listens on, and nobody can get meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])
