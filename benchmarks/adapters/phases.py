"""What every adapter does when it is told to. Standard library only: rivals run in an environment of their own.

Commands on standard input, answers on standard output:

    (start)           ready                      imported and configured; nothing is connected
    sync              synced OBJECTS             the cache holds everything, the handler was told
    settle            settled                    garbage is collected and given back to the system
    burst VERSION     armed, burst CALLS OBJECTS the handler was told of VERSION
    paced VERSION     armed, paced CALLS OBJECTS, and nanoseconds by resourceVersion, as JSON
    NAME              JSON                       whatever else the adapter measures
    quit              ends
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping

GROUP, VERSION = "bench.example.org", "v1"
HANDLERS = int(os.environ.get("BENCH_HANDLERS", "1"))


class Probe:
    """The handler: takes an object's key, counts, and waits for one resourceVersion."""

    def __init__(self) -> None:
        self.calls = 0
        self.key: object = None
        self.seen = threading.Event()
        self._marker: str | None = None
        self.times: dict[str, int] | None = None

    def note(self, key: object, version: str) -> None:
        self.key = key
        self.calls += 1
        if self.times is not None:
            self.times[version] = time.time_ns()
        if version == self._marker:
            self.seen.set()

    def arm(self, marker: str, *, timing: bool) -> None:
        self.seen.clear()
        self.calls = 0
        self.times = {} if timing else None
        self._marker = marker


class Adapter:
    """One contestant. `sync` blocks until the cache is filled; `count` is how many objects are in it."""

    def __init__(self, kind: str, probes: list[Probe], sync: Callable[[], None], count: Callable[[], int]) -> None:
        self.kind = kind
        self._probes = probes
        self._sync = sync
        self._count = count
        self.more: Mapping[str, Callable[[], object]] = {}

    def obey(self) -> None:
        """Follow commands until told to quit."""
        say("ready")
        for line in sys.stdin:
            command, *words = line.split()
            if command == "quit":
                break
            if command == "sync":
                self._sync()
                say("synced", self._count())
            elif command == "settle":
                settle()
                say("settled")
            elif command in self.more:
                say(json.dumps(self.more[command]()))
            else:
                self._watch(command, words[0])
        sys.stdout.flush()
        os._exit(0)  # whatever threads are left

    def _watch(self, command: str, marker: str) -> None:
        for probe in self._probes:
            probe.arm(marker, timing=command == "paced")
        say("armed")
        for probe in self._probes:
            probe.seen.wait()
        say(command, self._probes[0].calls, self._count())
        if command == "paced":
            say(json.dumps(self._probes[0].times))


def settle() -> None:
    """Collect garbage, and give free memory back to the system."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)


def say(*words: object) -> None:
    print(*words, flush=True)


def arguments() -> tuple[str, str]:
    """The server's URL, and "widgets" or "pods"."""
    return sys.argv[1], sys.argv[2]
