"""Low-priority lane: keys from initial lists and resyncs, whose objects have not changed."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

# How long what can wait waits behind changes before it gets its share.
AGED_SECONDS = 10.0


class BackgroundLane(Generic[K]):
    """Keys in the order in which they came, each of which may be called away to the front.

    Takes no lock: the thread that pops a key from `waiting`, which only one can, has it. Its place in
    the order is then void, and is skipped.

    Attributes:
        waiting: When each key came, in monotonic seconds. Falsy when the lane is not in use.
    """

    def __init__(self) -> None:
        self.waiting: dict[K, float] = {}
        self._order: deque[tuple[float, K]] = deque()
        self._was_served = False

    def put(self, key: K, now: float) -> None:
        self.waiting[key] = now
        self._order.append((now, key))

    def call_away(self, key: K) -> bool:
        """Take `key` out; False if it is not here (any more)."""
        return self.waiting.pop(key, None) is not None

    def take(self) -> K | None:
        """Take out the key that has been here longest; None if there is none."""
        while True:
            try:
                _, key = self._order.popleft()
            except IndexError:
                return None
            if self.call_away(key):
                return key

    def take_turn(self, now: float) -> bool:
        """Take a turn before the changes, if it is the lane's: every second one, as long as a key has aged in it.

        Returns:
            Whether it was.
        """
        try:
            came_at, _ = self._order[0]
        except IndexError:
            return False
        self._was_served = now - came_at >= AGED_SECONDS and not self._was_served
        return self._was_served

    def clear(self) -> None:
        self.waiting.clear()
        self._order.clear()
