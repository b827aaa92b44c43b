"""What the author of a controller may choose."""

from __future__ import annotations

import msgspec

from btcctl.clock import check_seconds


class ControllerOptions(msgspec.Struct, frozen=True):
    """How a controller works. Durations are seconds.

    Attributes:
        workers: How many reconciles run at once; of several clusters, in each.
        cache_sync_timeout: How long the watched informers have to fill their caches.
        reconcile_timeout: How long a reconcile may take: a call to the API server, or of another
            client that asks `btcctl.deadline`, is given up then. None sets no limit. What only
            computes is not interrupted.
        own_writes_timeout: How long a key waits at most until the caches show what its last
            reconcile has written; 0 for not at all.
        leading: Work only while this process leads. False is for what every copy of the operator has to do.
        processes: How many processes there are for what a reconcile has computed by `compute`; 0: it is called here.
        background: Keys of an initial list or a resync, and of a `Result` that says so, wait behind those of changes.
    """

    workers: int = 2
    cache_sync_timeout: float = 120.0  # controller-runtime's CacheSyncTimeout
    reconcile_timeout: float | None = None
    own_writes_timeout: float = 2.0
    background: bool = True
    leading: bool = True
    processes: int = 0

    def __post_init__(self) -> None:
        if type(self.workers) is not int:
            raise TypeError(f"workers is of type {type(self.workers).__name__}, must be an int")
        if self.workers < 1:
            raise ValueError(f"workers is {self.workers}, must be 1 or more")
        if type(self.processes) is not int or self.processes < 0:
            raise ValueError(f"processes is {self.processes!r}, must be an int, 0 or more")
        if self.reconcile_timeout is not None and not check_seconds("reconcile_timeout", self.reconcile_timeout) > 0:
            raise ValueError(f"reconcile_timeout is {self.reconcile_timeout}, must be more than 0 seconds, or None")
        check_seconds("cache_sync_timeout", self.cache_sync_timeout)
        check_seconds("own_writes_timeout", self.own_writes_timeout)
