"""Clusters beside each other: of one only so many keys are worked at at once.

Calls to a cluster that does not answer take long, and would soon have all the workers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from btcctl.objects import ObjectKey


class Turns:
    """At most so many keys of one cluster at a time. Thread-safe.

    Args:
        most: How many.
        add: Has a key that waited looked at again.
    """

    def __init__(self, most: int, add: Callable[[ObjectKey], None]) -> None:
        self._most = most
        self._add = add
        self._lock = threading.Lock()  # guards the two below
        self._under_way: dict[str, int] = {}
        self._aside: dict[str, dict[ObjectKey, None]] = {}
        self._are_over = False

    def take(self, key: ObjectKey) -> bool:
        """Begin with `key`, and later `release` it; False: it is added again when another of its cluster is done."""
        with self._lock:
            count, aside = self._under_way.get(key.cluster, 0), self._aside.setdefault(key.cluster, {})
            if count >= self._most and not self._are_over:
                aside[key] = None
                return False
            self._under_way[key.cluster] = count + 1
            aside.pop(key, None)
            return True

    def release(self, key: ObjectKey) -> None:
        """Done with it."""
        with self._lock:
            self._under_way[key.cluster] -= 1
            aside = self._aside.get(key.cluster, {})
            following = next(iter(aside), None)
            if following is not None:
                del aside[following]
        if following is not None:
            self._add(following)

    def waiting(self, cluster: str) -> int:
        """How many keys of it wait for others of it."""
        return len(self._aside.get(cluster, ()))

    def end(self) -> None:
        """Let all go on that wait, and none wait any more: before the queue takes no more keys."""
        with self._lock:
            self._are_over = True
            waiting = [key for aside in self._aside.values() for key in aside]
            self._aside.clear()
        for key in waiting:
            self._add(key)
