"""What is remembered of a network between two looks at it. Losing it costs time, nothing else."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from btcctl.bitcoin.status import Heights
from btcctl.bitcoin.topology import canonical, is_bare
from btcctl.objects import ObjectKey


class PollSchedule:
    """When to look again: soon after something moved, then less and less often.

    Args:
        low: Seconds after a change.
        high: Seconds that no delay exceeds.
    """

    def __init__(self, low: float, high: float) -> None:
        self._low = low
        self._high = high
        self._delay = low
        self._seen: object = None

    def next_delay(self, seen: object) -> float:
        """Seconds until the next look.

        Args:
            seen: What this look saw and did; anything that compares.
        """
        moved = seen != self._seen
        self._seen = seen
        self._delay = min(self._low if moved else self._delay * 2, self._high)
        return self._delay


#: Repairs in a row after which somebody else is taken to want it otherwise.
MAX_REPAIRS = 3
#: Two repairs that are further apart than this have nothing to do with each other. The nodes are looked at every 30 s.
SAME_DISPUTE_SECONDS = 120.0
#: How long a contested child is left alone.
TRUCE_SECONDS = 300.0


@dataclass(slots=True)
class RepairHistory:
    """How often a child was set back in a row, by monotonic seconds.

    Attributes:
        dispute: What is contested and with whom; "" if nothing is.
    """

    dispute: str = ""
    _wanted: object = None
    _count: int = 0
    _last_at: float = float("-inf")

    def want(self, desired: object) -> None:
        """Say what the child is to be: with a new wish everything begins anew."""
        if desired != self._wanted:
            self._wanted, self._count, self.dispute = desired, 0, ""

    def may_repair(self, now: float) -> bool:
        return self._count < MAX_REPAIRS or now >= self._last_at + TRUCE_SECONDS

    def repaired(self, now: float, dispute: str) -> None:
        """Note a repair.

        Args:
            dispute: What there would be to say if it did not last.
        """
        self._count = self._count + 1 if now < self._over_at() else 1
        self._last_at = now
        self.dispute = dispute if self._count >= MAX_REPAIRS else ""

    def looked(self, now: float) -> None:
        """Note that the child was seen, so that an old dispute ends."""
        if now >= self._over_at():
            self._count, self.dispute = 0, ""

    def _over_at(self) -> float:
        truce = TRUCE_SECONDS if self._count >= MAX_REPAIRS else 0.0
        return self._last_at + truce + SAME_DISPUTE_SECONDS


#: Heights in the status are brought up to date at most this often.
SHOW_SECONDS = 10.0


@dataclass(slots=True)
class Shown:
    """What the status says of things that change all the time.

    Attributes:
        heights: Of the chain.
        progress: By ordinal, how far nodes are that are not ready for want of blocks.
        why_missing: Why pods are missing.
    """

    heights: Heights = field(default_factory=Heights)
    progress: Mapping[int, str] = field(default_factory=dict)
    why_missing: str = ""
    _since: float = float("-inf")

    def is_due(self, now: float) -> bool:
        return now >= self._since + SHOW_SECONDS

    def renew(self, heights: Heights, progress: Mapping[int, str], why_missing: str, now: float) -> None:
        self.heights, self.progress, self.why_missing, self._since = heights, progress, why_missing, now


@dataclass(slots=True)
class NetworkMemory:
    """Only the worker that has the network's key may touch it."""

    uid: str
    poll: PollSchedule
    suspects: frozenset[str] = frozenset()  #: addresses that failed in the last pass
    gone: frozenset[str] = frozenset()  #: former nodes that somebody may still be connected to
    repairs: dict[str, RepairHistory] = field(default_factory=lambda: defaultdict(RepairHistory))  #: by kind of child
    heights: Heights | None = None  #: as seen last; None: never yet
    shown: Shown = field(default_factory=Shown)
    _known: frozenset[str] = field(default=frozenset())

    def begin(self, heights: Heights) -> Heights:
        """The heights as seen last; in the beginning those that the status says, which another controller saw."""
        if self.heights is None:
            self.heights = self.shown.heights = heights
        return self.heights

    def see(self, addresses: Iterable[str], formerly: Iterable[str]) -> frozenset[str]:
        """Note which nodes there are; return the addresses of former ones.

        Args:
            addresses: Of the nodes that are there.
            formerly: Addresses in the last status, which a controller before us may have written.
        """
        present = frozenset(map(canonical, addresses))
        before = self._known | {canonical(each) for each in formerly if is_bare(each)}
        self.gone = (self.gone | before) - present
        self._known = present
        return self.gone


class Memories:
    """One NetworkMemory for each network. Thread-safe."""

    def __init__(self, low: float, high: float) -> None:
        self.high = high
        self._low = low
        self._lock = threading.Lock()  # guards the dict, not what is in it
        self._memories: dict[ObjectKey, NetworkMemory] = {}

    def of(self, key: ObjectKey, uid: str) -> NetworkMemory:
        """A network made anew under the same name starts with an empty one."""
        with self._lock:
            memory = self._memories.get(key)
            if memory is None or memory.uid != uid:
                memory = self._memories[key] = NetworkMemory(uid, PollSchedule(self._low, self.high))
            return memory

    def forget(self, key: ObjectKey) -> None:
        with self._lock:
            self._memories.pop(key, None)
