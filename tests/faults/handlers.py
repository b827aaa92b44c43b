"""Handlers that keep count of what they are told, and readers that look for contradictions."""

from __future__ import annotations

import random
import threading

from btcctl.clock import SYSTEM_CLOCK
from btcctl.informers.shared_informer import SharedInformer
from btcctl.informers.sharing.notifications import Deleted
from btcctl.objects import Object, ObjectKey
from btcctl.threads import Runner, Stop

_TICK_SECONDS = 0.05

State = tuple[str, str]  #: uid and resourceVersion


def state_of(obj: Object) -> State:
    return obj.uid, obj.resource_version


class Tracker:
    """Knows what it was told last of each object.

    Args:
        pause_every: Calls after which it takes a moment off; 0 for never.
        raise_every: Calls of which the last one raises; 0 for never.
    """

    def __init__(self, *, pause_every: int = 0, raise_every: int = 0) -> None:
        self.known: dict[ObjectKey, State] = {}
        self.repeated = 0  #: calls that told nothing new, or what cannot be
        self.recreations_missed = 0  #: another object under the same name, told as an update
        self._calls = 0
        self._pause_every = pause_every
        self._raise_every = raise_every
        self._pause = threading.Event()

    def on_add(self, obj: Object, in_initial_list: bool) -> None:
        self.repeated += obj.key in self.known
        self.known[obj.key] = state_of(obj)
        self._misbehave()

    def on_update(self, old: Object, new: Object) -> None:
        seen = self.known.get(new.key)
        self.repeated += seen != state_of(old) or seen == state_of(new)
        self.recreations_missed += old.uid != new.uid
        self.known[new.key] = state_of(new)
        self._misbehave()

    def on_delete(self, deleted: Deleted) -> None:
        self.repeated += self.known.pop(deleted.key, None) is None
        self._misbehave()

    def _misbehave(self) -> None:
        self._calls += 1
        if self._pause_every and self._calls % self._pause_every == 0:
            self._pause.wait(0.002)
        if self._raise_every and self._calls % self._raise_every == 0:
            raise RuntimeError("as it does now and then")


class Reader:
    """Reads the cache all the time, and counts what contradicts itself."""

    INDEX = "remainder"

    def __init__(self, informer: SharedInformer, random_: random.Random) -> None:
        self.contradictions = 0
        self._lister = informer.lister
        self._random = random_
        self._runner = Runner("faults-reader", self._run)

    def __enter__(self) -> Reader:
        self._runner.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.stop()

    def _run(self, stop: Stop) -> None:
        while not stop.wait(0.025):
            value = str(self._random.randrange(7))
            found = self._lister.by_index(self.INDEX, value)
            self.contradictions += any(index_of(obj) != [value] for obj in found)
            keys = [obj.key for obj in self._lister.list()]
            self.contradictions += len(set(keys)) != len(keys)
            for key in keys[:5]:
                obj = self._lister.get(key)
                self.contradictions += obj is not None and obj.key != key


class Lateness:
    """Notices when the machine has no time for us."""

    def __init__(self) -> None:
        self.worst_seconds = 0.0
        self._runner = Runner("faults-lateness", self._run)

    def __enter__(self) -> Lateness:
        self._runner.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.stop()

    def _run(self, stop: Stop) -> None:
        due_at = SYSTEM_CLOCK.now() + _TICK_SECONDS
        while not stop.wait(_TICK_SECONDS):
            now = SYSTEM_CLOCK.now()
            self.worst_seconds = max(self.worst_seconds, now - due_at)
            due_at = now + _TICK_SECONDS


def index_of(obj: Object) -> list[str]:
    """Needs nothing that a spoiled object does not have."""
    return [str(int(obj.resource_version) % 7)]
