"""What a reconcile asks for next."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import msgspec

#: No key comes back sooner because it asks for it: a worker that never rests helps no key.
MIN_REQUEUE_SECONDS = 0.005


class Result(msgspec.Struct, frozen=True):
    """The outcome of a reconcile that did not fail.

    To be tried again with back-off, raise; to be left alone until the next change although
    something is wrong, raise TerminalError.

    Attributes:
        requeue_after: Seconds after which to reconcile again even if nothing changes, or None for never. 0 is
            "soon": after the delay of the rate limiter, which grows as long as nothing else is returned, as
            controller-runtime's `Requeue` does. Anything less than 5 ms is 5 ms.
        background: It is a poll: nothing has changed. When its time has come it waits behind all changes, as
            keys of a first list do; after 10 s it gets every second turn. Does nothing for a `requeue_after` of 0.

    Raises:
        TypeError: `requeue_after` is no number, or `background` no bool.
        ValueError: It is negative, NaN or infinite.
    """

    requeue_after: float | None = None
    background: bool = False

    def __post_init__(self) -> None:
        if type(self.background) is not bool:
            raise TypeError(f"background is of type {type(self.background).__name__}, must be a bool")
        seconds: Any = self.requeue_after  # of programs that no type checker has seen
        if seconds is None or (type(seconds) is float and 0 <= seconds < math.inf):  # nearly always
            return
        if type(seconds) is bool or not isinstance(seconds, Real):
            hint = "; of a timedelta, total_seconds()" if hasattr(seconds, "total_seconds") else ""
            raise TypeError(f"requeue_after is of type {type(seconds).__name__}, must be a number of seconds{hint}")
        try:
            number = float(seconds)
        except OverflowError:
            number = math.inf
        if not 0 <= number < math.inf:
            raise ValueError(f"requeue_after is {number}, must be 0 or more seconds, and finite; None is never")
        msgspec.structs.force_setattr(self, "requeue_after", number)
