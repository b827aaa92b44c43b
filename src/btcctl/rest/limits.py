"""How long a reader of a collection waits for its server."""

from __future__ import annotations

import msgspec
from msgspec.structs import fields

from btcctl.clock import check_seconds


class ReadLimits(msgspec.Struct, frozen=True):
    """Deadlines of lists and watches, in seconds.

    Attributes:
        list_seconds: For one page: the API server's own limit on a request (--request-timeout).
        idle_seconds: Silence after which a watch counts as dead. A server that was asked for
            bookmarks sends one about every 60 s (measured on 1.36.2).
        initial_idle_seconds: The same while a stream still tells of what exists already, which a
            server sends without a pause.
        overrun_seconds: How long a watch may outlive the time it was asked to last.
    """

    list_seconds: float = 60.0
    idle_seconds: float = 70.0
    initial_idle_seconds: float = 10.0
    overrun_seconds: float = 30.0

    def __post_init__(self) -> None:
        _check_all(self)

    def scaled(self, factor: float) -> ReadLimits:
        """All of them, `factor` times as long."""
        return ReadLimits(
            self.list_seconds * factor,
            self.idle_seconds * factor,
            self.initial_idle_seconds * factor,
            self.overrun_seconds * factor,
        )


class StreamLimits(msgspec.Struct, frozen=True):
    """Deadlines of one watch, in seconds.

    Attributes:
        idle_seconds: Between two lines.
        initial_idle_seconds: The same until the end of what existed already; None if the stream
            does not begin with that.
        lifetime_seconds: Of the whole stream; None for no limit.
    """

    idle_seconds: float
    initial_idle_seconds: float | None = None
    lifetime_seconds: float | None = None

    def __post_init__(self) -> None:
        _check_all(self)


def _check_all(limits: ReadLimits | StreamLimits) -> None:
    """Each is a number of seconds, or None where there may be none."""
    for each in fields(limits):
        seconds = getattr(limits, each.name)
        if seconds is not None:
            check_seconds(each.name, seconds)
