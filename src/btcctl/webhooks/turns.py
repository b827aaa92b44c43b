"""How many questions of one path may be under way, so that a hook that hangs keeps no other out.

- A call whose time is over hangs: nobody waits for its answer any more. A path of which MAX_HANGING do is not asked
  again until one of them ends.
- Before that a path has MAX_OF_ONE_PATH calls under way: so many threads a hook costs us at most.
- Of the memory for bodies one path has half: what hangs keeps its body.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from btcctl.clock import Clock
from btcctl.logging import get_logger

logger = get_logger(__name__)

MAX_HANGING = 8
MAX_OF_ONE_PATH = 128
_COMPLAINT_SECONDS = 60.0


class Crowded(Exception):
    """It is not the path's turn: says why."""


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    path: str
    ends_at: float


class Turns:
    """Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # guards the two below
        self._calls: set[_Call] = set()
        self._complains_at: dict[str, float] = {}

    @contextmanager
    def turn(self, path: str, seconds: float) -> Iterator[None]:
        """Have a question of `path` under way, which is waited for so long.

        Raises:
            Crowded: There are too many of it already.
        """
        call = self._begin(path, seconds)
        try:
            yield
        finally:
            with self._lock:
                self._calls.discard(call)

    def _begin(self, path: str, seconds: float) -> _Call:
        now = self._clock.now()
        with self._lock:
            of_path = [each.ends_at for each in self._calls if each.path == path]
            hanging = sum(each <= now for each in of_path)
            if hanging < MAX_HANGING and len(of_path) < MAX_OF_ONE_PATH:
                call = _Call(path, now + seconds)
                self._calls.add(call)
                return call
            is_new = now >= self._complains_at.get(path, now)
            self._complains_at[path] = now + _COMPLAINT_SECONDS if is_new else self._complains_at[path]
        if is_new:
            logger.warning("a hook is not asked for now: too many of its calls do not end", path=path, hanging=hanging)
        raise Crowded("earlier questions still hang" if hanging >= MAX_HANGING else "too many questions at once")


class Budget:
    """How many bytes of bodies there may be at once; of one path half of that. Thread-safe."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._most_of_one = most // 2
        self._lock = threading.Lock()  # guards what is left, and what each path has
        self._taken: Counter[str] = Counter()

    def take(self, path: str, count: int) -> bool:
        with self._lock:
            if count > self._left or self._taken[path] + count > self._most_of_one:
                return False
            self._left -= count
            self._taken[path] += count
            return True

    def give_back(self, path: str, count: int) -> None:
        with self._lock:
            self._left += count
            self._taken[path] -= count
            if not self._taken[path]:
                del self._taken[path]  # it may be any text that a client sends
