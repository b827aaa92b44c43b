"""A contestant as a process: started, watched from outside, and ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

_TICKS = os.sysconf("SC_CLK_TCK")
SETTLED_SECONDS = 2.0
SETTLED_SHARE = 0.03  # of one core: the managers look after themselves once a second
LIMIT_SECONDS = 120.0


class Program:
    """CPU is user and system time of the process and all of its threads, as the kernel counts it."""

    def __init__(self, argv: Sequence[str], log: IO[bytes]) -> None:
        self._process = subprocess.Popen(argv, stdout=log, stderr=log)

    def cpu_seconds(self) -> float:
        self.require_alive()
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory_mib(self) -> tuple[float, float]:
        """RSS now, and its peak."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        kib = {
            name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines) if name[:2] == "Vm"
        }
        return kib["VmRSS"] / 1024, kib["VmHWM"] / 1024

    def settle(self) -> float:
        """Wait until it has nothing to do.

        Returns:
            Its CPU seconds by then.
        """
        end = time.monotonic() + LIMIT_SECONDS
        before = self.cpu_seconds()
        while time.monotonic() < end:
            time.sleep(SETTLED_SECONDS)
            now = self.cpu_seconds()
            if now - before <= SETTLED_SHARE * SETTLED_SECONDS:
                return now
            before = now
        raise TimeoutError(f"still busy after {LIMIT_SECONDS:.0f} s")

    def require_alive(self) -> None:
        if self._process.poll() is not None:
            raise RuntimeError(f"it has ended with {self._process.returncode}")

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
