"""One contestant against the load generator, from its start to its end.

Processor time of both processes is read from outside, from the kernel's clock of each, so nobody
measures himself; only the moment at which a handler is called is taken inside.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import IO

from benchmarks.bodies import Load
from benchmarks.contestants import OURS, Contestant

LIMIT_SECONDS = 240.0  # a client
SESSION_SECONDS = 7200.0  # the load generator, which serves many clients
VOID_SHARE = 0.2  # of the client's processor time: what the load generator may use
_CPUCLOCK_SCHED = 2  # linux/posix-timers.h: how clock ids of processes are made

Figures = dict[str, float]


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of a process."""
    return time.clock_gettime_ns((~pid << 3) | _CPUCLOCK_SCHED) / 1e9


def memory_mib(pid: int, name: str) -> float:
    """VmRSS or VmHWM (the peak) of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"no {name} of process {pid}")


@dataclass
class Result:
    """What one run gave. A figure that is missing was not measured."""

    figures: Figures = field(default_factory=dict)
    void: dict[str, str] = field(default_factory=dict)  #: by phase, why its figures do not count


class Process:
    """A child that is told and answers line by line.

    Args:
        limit_seconds: When it is killed, if it has not ended by then.
    """

    def __init__(self, argv: list[str], environment: dict[str, str], limit_seconds: float) -> None:
        self._child = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
        )
        self.pid = self._child.pid
        self._watchdog = threading.Timer(limit_seconds, self._child.kill)
        self._watchdog.daemon = True
        self._watchdog.start()

    def tell(self, *words: object) -> None:
        print(*words, file=self._pipe(self._child.stdin), flush=True)

    def hear(self) -> str:
        line = self._pipe(self._child.stdout).readline()
        if not line:
            raise ChildProcessError(f"{self._child.args} ended, or took too long")
        return line.strip()

    def expect(self, word: str) -> list[int]:
        first, *rest = self.hear().split()
        if first != word:
            raise ChildProcessError(f"{self._child.args} said {first!r}, expected {word!r}")
        return [int(each) for each in rest]

    def end(self) -> None:
        self._watchdog.cancel()
        self._child.kill()
        self._child.communicate()

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe


@contextlib.contextmanager
def load_generator(load: Load) -> Iterator[tuple[Process, str]]:
    """The server's process and URL."""
    numbers = [str(each) for each in (load.objects, load.burst, load.paced)]
    server = Process([sys.executable, "-m", "benchmarks.server", load.kind.name, *numbers], {}, SESSION_SECONDS)
    try:
        yield server, f"http://127.0.0.1:{json.loads(server.hear())}"
    finally:
        server.end()


class Run:
    """Drives one contestant through all phases."""

    def __init__(self, contestant: Contestant, load: Load, server: Process, url: str, *, handlers: int = 1) -> None:
        self._contestant = contestant
        self._load = load
        self._server = server
        environment = {"BENCH_HANDLERS": str(handlers), "BENCH_OBJECTS": str(load.objects), **contestant.environment}
        self._client = Process(contestant.argv(url, load.kind.name), environment, LIMIT_SECONDS)
        self.result = Result()

    def all(self, *, burst: bool = True, paced: bool = True) -> Result:
        try:
            self._client.expect("ready")
            self._sync()
            if paced:
                self._more()
            if burst and self._load.burst <= self._contestant.most_events:
                self._burst()
                if paced:
                    self._paced()
        except ChildProcessError as error:
            self.result.void["sync"] = str(error)
        finally:
            self._client.end()
        return self.result

    def _sync(self) -> None:
        with self._phase("sync", "sync_cpu_s"):
            self._client.tell("sync")
            (count,) = self._client.expect("synced")
        self._check("sync", count, self._load.objects)
        peak = memory_mib(self._client.pid, "VmHWM")
        self._client.tell("settle")
        self._client.expect("settled")
        settled = memory_mib(self._client.pid, "VmRSS")
        self.result.figures |= {"rss_mib": settled, "peak_mib": peak, "peak_ratio": peak / settled}

    def _more(self) -> None:
        if self._contestant.name == OURS:
            for command in ("reads", "gc"):
                self._client.tell(command)
                self.result.figures |= json.loads(self._client.hear())

    def _burst(self) -> None:
        self._client.tell("burst", self._load.last_of_burst)
        self._client.expect("armed")
        with self._phase("burst", "burst_cpu_s"):
            self._server.tell("burst")
            calls, count = self._client.expect("burst")
        self._server.hear()
        events = self._load.burst + 1
        self.result.figures["event_us"] = self.result.figures.pop("burst_cpu_s") / events * 1e6
        self.result.figures["calls_per_event"] = calls / events
        self._check("burst", count, self._load.objects_after_burst())

    def _paced(self) -> None:
        self._client.tell("paced", self._load.last_paced)
        self._client.expect("armed")
        began = cpu_seconds(self._client.pid)
        self._server.tell("paced")
        sent = json.loads(self._server.hear())
        self._client.expect("paced")
        self.result.figures["paced_cpu_us"] = (cpu_seconds(self._client.pid) - began) / len(sent) * 1e6
        seen = json.loads(self._client.hear())
        first = self._load.last_of_burst + 1
        late = sorted((seen[str(first + n)] - at) / 1e6 for n, at in enumerate(sent) if str(first + n) in seen)
        percent = quantiles(late, n=100)
        self.result.figures |= {"p50_ms": median(late), "p99_ms": percent[98], "longest_ms": late[-1]}
        self._check("paced", len(late), len(sent))

    @contextlib.contextmanager
    def _phase(self, phase: str, figure: str) -> Iterator[None]:
        client, server = cpu_seconds(self._client.pid), cpu_seconds(self._server.pid)
        yield
        spent = cpu_seconds(self._client.pid) - client
        share = (cpu_seconds(self._server.pid) - server) / spent
        self.result.figures |= {figure: spent, f"{phase}_server_share": share}
        if share > VOID_SHARE:
            self.result.void[phase] = f"the load generator used {share:.0%} of the client's processor time"

    def _check(self, phase: str, count: int, expected: int) -> None:
        if self._contestant.counts_cache and count != expected:
            self.result.void[phase] = f"{count} instead of {expected} objects"
