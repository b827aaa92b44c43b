"""Informers a test drives by hand, and objects for them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from btcctl.clock import Clock
from btcctl.controller.controller import Controller
from btcctl.errors import BtcctlError
from btcctl.informers.sharing.notifications import Added, Deleted, EventHandler, Notification, Updated, Witness, notify
from btcctl.objects import Object, ObjectKey
from btcctl.resources import ResourceType
from btcctl.testing.clock import FakeClock
from btcctl.threads import Latch


def new_object(name: str, namespace: str = "default", **metadata: Any) -> Object:
    return Object.from_body({"metadata": {"name": name, "namespace": namespace, **metadata}})


def key(name: str, namespace: str = "default") -> ObjectKey:
    return ObjectKey(namespace, name)


def kill(controller: Controller, error: BaseException) -> None:
    """Have the next reconcile end its worker: nothing that the reconcile itself raises does."""

    def die(*_: object) -> None:
        raise error

    controller.journal.begin = die  # type: ignore[method-assign]


def owned_by(type_: ResourceType, name: str, uid: str = "u1", *, controller: bool = True) -> dict[str, Any]:
    """Metadata with one owner reference."""
    reference = {"apiVersion": type_.api_version, "kind": type_.kind, "name": name, "uid": uid}
    return {"ownerReferences": [reference | ({"controller": True} if controller else {})]}


class FakeRegistration:
    """Synced when the test says so."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = threading.Condition()  # guards the two below
        self._synced = False
        self.removed = False
        self.waits: list[float] = []  # how long each `remove` was ready to

    def has_synced(self) -> bool:
        return self._synced

    def wait_for_sync(self, timeout: float) -> bool:
        deadline = self._clock.now() + timeout
        with self._changed:
            while not (self._synced or self.removed) and self._clock.now() < deadline:
                self._clock.wait(self._changed, deadline - self._clock.now())
            return self._synced

    def sync(self) -> None:
        with self._changed:
            self._synced = True
            self._changed.notify_all()

    def remove(self, timeout: float = 10.0) -> None:
        self.waits.append(timeout)
        with self._changed:
            self.removed = True
            self._changed.notify_all()


class FakeInformer:
    """One handler; tells it what the test says, in the test's thread."""

    cluster = ""
    type = None

    def __init__(self, clock: Clock, name: str = "things", *, synced: bool = True) -> None:
        self.name = name
        self.registration = FakeRegistration(clock)
        self.handler: EventHandler | None = None
        self.cause = "list: no answer yet"
        self.silence = ""
        self.died = Latch(clock)
        self.death = ""
        self.last_error: BtcctlError | None = None
        if synced:
            self.registration.sync()

    def why_unsynced(self) -> str:
        return self.cause

    def why_silent(self) -> str:
        return self.silence

    def why_dead(self) -> str:
        return self.death

    def add_handler(self, handler: EventHandler, *, witness: Witness | None = None) -> FakeRegistration:
        self.handler = handler
        self.witness = witness or (lambda _: None)
        return self.registration

    def add(self, obj: Object, *, in_initial_list: bool = False) -> None:
        self._tell(obj.key, Added(obj, in_initial_list))

    def update(self, old: Object, new: Object) -> None:
        self._tell(new.key, Updated(old, new))

    def delete(self, obj_key: ObjectKey, last: Object | None) -> None:
        self._tell(obj_key, Deleted(obj_key, last, final_state_known=last is not None))

    def _tell(self, obj_key: ObjectKey, notification: Notification) -> None:
        assert self.handler is not None
        self.witness([(obj_key, notification)])
        notify(self.handler, notification)


class FakeCachingInformer(FakeInformer):
    """One whose cache holds what the test puts there."""

    def __init__(self, clock: Clock, name: str = "things", *, synced: bool = True) -> None:
        super().__init__(clock, name, synced=synced)
        self.cache: dict[ObjectKey, Object] = {}
        self.version = 0  # up to which it has read
        self.is_stopped = False

    @property
    def lister(self) -> FakeCachingInformer:
        return self

    def get(self, obj_key: ObjectKey) -> Object | None:
        return self.cache.get(obj_key)

    def has_read(self, version: str, namespace: str = "") -> bool:
        return version.isdecimal() and int(version) <= self.version


class SteppingClock(FakeClock):
    """Never blocks: each wait takes its whole time at once, and then the next step happens."""

    def __init__(self, *steps: Callable[[], None]) -> None:
        super().__init__()
        self.steps = list(steps)
        self.waits = 0

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        assert timeout is not None, "nobody would ever wake it"
        self.waits += 1
        self.advance(timeout)
        if self.steps:
            self.steps.pop(0)()
        return False
