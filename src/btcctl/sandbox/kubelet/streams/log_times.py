"""When the lines of logs were written: processes write them themselves, so their files are looked at again and again.

A time is that of the first look that found the line, so it is late by LOOK_SECONDS at most.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.threads import Runner, Stop

LOOK_SECONDS = 0.2
# Of one log; then every other one is forgotten, and so times are that much coarser.
MAX_ENTRIES = 10_000


class LogTimes:
    """How far logs had grown at which instants. Callable from any thread.

    Args:
        paths: The logs there are; what is not among them any more is forgotten.
    """

    def __init__(self, paths: Callable[[], Iterable[Path]], clock: Clock = SYSTEM_CLOCK) -> None:
        self._paths = paths
        self._clock = clock
        self._lock = threading.Lock()  # guards the dict
        self._grown: dict[Path, tuple[list[int], list[datetime]]] = {}
        self._runner = Runner("log-times", self.run, clock=clock)

    def start(self) -> None:
        self._runner.start()

    def stop(self, timeout: float = 1.0) -> None:
        self._runner.stop(timeout)

    def run(self, stop: Stop) -> None:
        """Look until asked to stop."""
        while not stop.wait(LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Take note of what has grown."""
        paths = set(self._paths())
        with self._lock:
            for gone in self._grown.keys() - paths:
                del self._grown[gone]
        for path in paths:
            self._look_at(path)

    def instant_of(self, path: Path, offset: int) -> datetime:
        """When the byte at an offset was there first; now for one that nobody has looked at yet."""
        with self._lock:
            sizes, instants = self._grown.get(path, ([], []))
            index = bisect_right(sizes, offset)
            return instants[index] if index < len(instants) else self._clock.wall_time()

    def _look_at(self, path: Path) -> None:
        try:
            found = path.stat()
        except OSError:
            return  # not yet, or not any more
        size, written = found.st_size, datetime.fromtimestamp(found.st_mtime, UTC)
        with self._lock:
            sizes, instants = self._grown.setdefault(path, ([], []))
            if size > (sizes[-1] if sizes else 0):
                sizes.append(size)
                instants.append(min(self._clock.wall_time(), written))  # a log may be from before our time
            if len(sizes) > MAX_ENTRIES:
                del sizes[:-1:2], instants[:-1:2]
