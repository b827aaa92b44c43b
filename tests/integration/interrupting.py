"""Ctrl-C at many moments of a program's start, each in a run of its own."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from math import ceil
from pathlib import Path
from typing import NamedTuple

import btcctl
from btcctl.clock import SYSTEM_CLOCK
from tests.integration.support import eventually

MOMENTS = 20
_FIRST = 0.1  # of a start; before that the interpreter has not come to our code yet
_END_SECONDS = 30.0  # it takes one; what hangs takes for ever
#: Ours, or the interpreter's, which lets SIGINT end it if that came inside of an exec. A shell sees 130.
INTERRUPTED = frozenset({130, -signal.SIGINT})


class Interrupted(NamedTuple):
    """How one run ended.

    Attributes:
        at: Seconds after its start.
        said: On stdout and stderr.
    """

    at: float
    status: int
    said: str

    @property
    def is_clear(self) -> bool:
        """No traceback of ours."""
        return not re.search(rf"Traceback|{re.escape(str(Path(btcctl.__file__).parent))}", self.said)

    @property
    def is_before_our_code(self) -> bool:
        """Whether the interpreter was still on its way to our code, and has a traceback of its own."""
        return "entry_point" not in self.said and bool(re.search("<frozen runpy>|Fatal Python error: init", self.said))


def interrupted(
    start: Callable[[Path], subprocess.Popen[bytes]], ready: str, home: Path, moments: int = MOMENTS
) -> Iterator[Interrupted]:
    """Runs that are interrupted one after the other: from early in the start to when it is up.

    Args:
        start: Starts the program, which writes all that it says to the file.
        ready: What it says when it is up: that decides how long a start takes.
        moments: Into how many a start is divided.
    """
    began = SYSTEM_CLOCK.now()
    program = start(home / "first")
    try:
        eventually(lambda: ready in (home / "first").read_text(), 60)
        start_seconds = SYSTEM_CLOCK.now() - began
    finally:
        _interrupt(program)
    for number in range(ceil(_FIRST * moments), moments + 1):
        at = start_seconds * number / moments
        output = home / f"{number}"
        program = start(output)
        threading.Event().wait(at)
        found = Interrupted(at, _interrupt(program), output.read_text())
        if not found.is_before_our_code:  # as it may be at any moment on a machine with much to do
            yield found


def _interrupt(program: subprocess.Popen[bytes]) -> int:
    program.send_signal(signal.SIGINT)
    try:
        return program.wait(_END_SECONDS)
    finally:
        program.kill()
        program.wait()
