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


class Particular(Exception):
    """Cannot be made again from its message alone, as many an error of a library."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")


def fail_particularly() -> None:
    raise Particular(7, "too small")


class Unwelcome:
    """Can be sent, and not received."""

    def __reduce__(self) -> tuple[object, ...]:
        return divmod, (1, 0)


def unwelcome() -> Unwelcome:
    return Unwelcome()


def append(to: list[int]) -> None:
    to.append(1)
