"""Processes that run only in the tests' imagination, caches that are never behind, a recorder that remembers."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from btcctl.events.reference import ObjectReference
from btcctl.objects import Object, ObjectKey
from btcctl.rest.collection.resource import Resource


@dataclass(frozen=True)
class FakeHandle:
    pid: int


@dataclass
class FakeProcesses:
    """A keeper whose processes end when a test says so, or at once when they are signalled.

    Attributes:
        on_exit: Called as the keeper calls it.
        stubborn: Processes ignore everything but SIGKILL.
        failure: Raised by the next spawn.
    """

    on_exit: Callable[[int, int], None] = lambda _pid, _code: None
    stubborn: bool = False
    failure: Exception | None = None
    running: dict[int, list[str]] = field(default_factory=dict)
    logs: list[Path] = field(default_factory=list)
    signals: list[tuple[int, int]] = field(default_factory=list)
    next_pid: int = 100

    def spawn(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, log_path: Path) -> FakeHandle:
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        pid, self.next_pid = self.next_pid, self.next_pid + 1
        self.running[pid] = [*argv]
        self.logs.append(log_path)
        return FakeHandle(pid)

    def signal(self, pid: int, sig: int) -> None:
        self.signals.append((pid, sig))
        if sig == signal.SIGKILL or not self.stubborn:
            self.end(pid, -sig)

    def end(self, pid: int, code: int) -> None:
        """The process ends."""
        if self.running.pop(pid, None) is not None:
            self.on_exit(pid, code)


@dataclass(frozen=True)
class FakeCommand:
    argv: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)

    def write_files(self) -> None:
        """There are none."""


class LiveLister:
    """A cache that is never behind, unless a test freezes it."""

    def __init__(self, resource: Resource, **indices: Callable[[Object], list[str]]) -> None:
        self._resource = resource
        self._indices = indices
        self._frozen: list[Object] | None = None

    def freeze(self) -> None:
        """Show what is there now, whatever comes."""
        self._frozen = self._resource.list()[0]

    def thaw(self) -> None:
        self._frozen = None

    def get(self, key: ObjectKey) -> Object | None:
        return next((each for each in self.list() if each.key == key), None)

    def list(self, namespace: str = "") -> list[Object]:
        objects = self._resource.list()[0] if self._frozen is None else self._frozen
        return [each for each in objects if namespace in ("", each.namespace)]

    def by_index(self, name: str, value: str) -> list[Object]:
        return [each for each in self.list() if value in self._indices[name](each)]


class FakeRecorder:
    """Remembers reasons and messages."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, str]] = []

    def event(self, reference: ObjectReference, type_: str, reason: str, message: str) -> None:
        self.events.append((type_, reason, message))

    @property
    def reasons(self) -> list[str]:
        return [reason for _, reason, _ in self.events]
