"""What other processes compute for tests."""

from __future__ import annotations

import os
import signal
import time
from typing import Any


def double(number: int) -> int:
    return 2 * number


def pid() -> int:
    return os.getpid()


def niceness() -> int:
    return os.nice(0)


def fail(text: str) -> None:
    raise ValueError(text)


def spin() -> None:
    while True:
        pass


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def unpicklable() -> Any:
    return lambda: None


def sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds
