"""What is remembered of a network between two looks at it. Losing it costs time, nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

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


@dataclass(slots=True)
class NetworkMemory:
    """Only the worker that has the network's key may touch it."""

    uid: str
    poll: PollSchedule
    suspects: frozenset[str] = frozenset()  #: addresses that failed in the last pass
    gone: frozenset[str] = frozenset()  #: former nodes that somebody may still be connected to
    _known: frozenset[str] = field(default=frozenset())

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
        self._low = low
        self._high = high
        self._lock = threading.Lock()  # guards the dict, not what is in it
        self._memories: dict[ObjectKey, NetworkMemory] = {}

    def of(self, key: ObjectKey, uid: str) -> NetworkMemory:
        """A network made anew under the same name starts with an empty one."""
        with self._lock:
            memory = self._memories.get(key)
            if memory is None or memory.uid != uid:
                memory = self._memories[key] = NetworkMemory(uid, PollSchedule(self._low, self._high))
            return memory

    def forget(self, key: ObjectKey) -> None:
        with self._lock:
            self._memories.pop(key, None)
