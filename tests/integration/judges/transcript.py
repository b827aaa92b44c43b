"""What kubectl printed, command by command, in a form in which two servers can be compared.

Not compared: ages, uids, resourceVersions, times, and where kubectl keeps temporary files.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration.kubectl import Kubectl

_UID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_TIME = re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?Z| ?[+-]\d\d:?\d\d)?")
_SPOKEN_TIME = re.compile(r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}")
_VERSION = re.compile(r"(resource ?version\\?\"?: *\\?\"?)\d+", re.IGNORECASE)
# An age is as wide as it is, and what follows in its row is aligned behind it.
_AGE = re.compile(r"(?<![\w.:=-])(\d+[dhm])?\d+[dhms]( +|$)", re.MULTILINE)
# What kubectl logs of a watch that ends with its own time limit: whether the server ended it first is a race.
_WATCH_LOG = re.compile(r"^[EIW]\d{4} \S+ +\d+ reflector\.go.*\n", re.MULTILINE)
_TEMPORARY = re.compile(r"/\S*/(LIVE|MERGED)-\d+/")


def normalized(text: str) -> str:
    """`text` without what differs between any two runs."""
    text = _WATCH_LOG.sub("", text)
    text = _UID.sub("<uid>", text)
    text = _TIME.sub("<time>", text)
    text = _SPOKEN_TIME.sub("<time>", text)
    text = _VERSION.sub(r"\1<version>", text)
    text = _TEMPORARY.sub(r"/\1/", text)
    return _AGE.sub(_age, text)


def _age(match: re.Match[str]) -> str:
    return f"<age, {len(match[0])} wide>" if match[2] else "<age>"


class Transcript:
    """Runs commands against one server and notes what they print.

    Args:
        kubectl: Leads to the server, and to a namespace.
        group: Of the custom resources of this transcript.
    """

    def __init__(self, kubectl: Kubectl, group: str) -> None:
        self.entries: list[str] = []
        self.group = group
        self._kubectl = kubectl

    def __call__(self, *args: str, stdin: str = "", env: dict[str, str] | None = None) -> str:
        """Run a command, whatever comes of it, and note it; returns what it printed."""
        done = self._kubectl.run(*args, stdin=stdin, env=env)
        said = f"{done.stdout}--- exit code {done.returncode}\n{done.stderr}"
        self.entries.append(f"$ kubectl {' '.join(args)}\n{normalized(said)}")
        return done.stdout

    def quietly(self, *args: str, stdin: str = "") -> str:
        """Run a command that must succeed, and note nothing."""
        return self._kubectl(*args, stdin=stdin)

    def wait_until_served(self) -> None:
        """Until the nets of this transcript are; noted is nothing."""
        self._kubectl.wait_until_served(f"nets.{self.group}")

    @contextmanager
    def watching(self, *args: str, lines: int) -> Iterator[Watching]:
        """Run a command in the background and note its first so many lines."""
        with self._kubectl.started(*args) as process:
            watching = Watching(process)
            yield watching
            watching.read(lines - len(watching.seen))
        self.entries.append(f"$ kubectl {' '.join(args)}\n{normalized(''.join(watching.seen))}")


class Watching:
    """A command in the background."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.seen: list[str] = []

    def read(self, lines: int) -> None:
        """Wait for so many more lines."""
        assert self._process.stdout is not None
        self.seen += [self._process.stdout.readline() for _ in range(lines)]
