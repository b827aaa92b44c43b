"""Objects, a clock that never blocks, and scripted sources."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeAlias

from btcctl.backoff import ExponentialBackoff
from btcctl.errors import Interrupted
from btcctl.informers.options import ReflectorOptions
from btcctl.informers.reflector.list_watch import WatchStream
from btcctl.informers.sharing.notifications import Deleted
from btcctl.objects import ADDED, BOOKMARK, DELETED, MODIFIED, ListPage, Object, ObjectKey, WatchEvent
from btcctl.testing.clock import FakeClock
from btcctl.threads import Stop

NO_WAIT = ExponentialBackoff(base=0.0, cap=0.0)
#: Nothing is waited for, whatever went wrong.
AT_ONCE = ReflectorOptions(backoff=NO_WAIT, unreachable=NO_WAIT, spread_seconds=0.0, list_interval_seconds=0.0)


def key(name: str, namespace: str = "default") -> ObjectKey:
    return ObjectKey(namespace, name)


def pod(name: str, version: int | str, *, uid: str = "", namespace: str = "default", **fields: Any) -> Object:
    metadata = {"name": name, "namespace": namespace, "uid": uid or f"uid-{name}", "resourceVersion": str(version)}
    return Object.from_body({"metadata": metadata, **fields})


def added(name: str, version: int | str, **more: Any) -> WatchEvent:
    return WatchEvent(ADDED, pod(name, version, **more))


def modified(name: str, version: int | str, **more: Any) -> WatchEvent:
    return WatchEvent(MODIFIED, pod(name, version, **more))


def deleted(name: str, version: int | str, **more: Any) -> WatchEvent:
    return WatchEvent(DELETED, pod(name, version, **more))


def bookmark(version: int | str) -> WatchEvent:
    return WatchEvent(BOOKMARK, Object.from_nameless(b'{"metadata":{"resourceVersion":"%s"}}' % str(version).encode()))


def initial_end(version: int | str) -> WatchEvent:
    metadata = {"resourceVersion": str(version), "annotations": {"k8s.io/initial-events-end": "true"}}
    return WatchEvent(BOOKMARK, Object.from_nameless(json.dumps({"metadata": metadata}).encode()))


def page(version: int | str, *objects: Object, continue_token: str = "") -> ListPage:
    return ListPage(list(objects), str(version), continue_token)


class SteppingClock(FakeClock):
    """Every wait is over at once, and time is then where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        assert timeout is not None, "nobody would ever wake this"
        self.waits.append(round(timeout, 6))
        self.advance(timeout)
        return False


class Lasting:
    """In a script: so many seconds pass."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


class Together:
    """In a script: these events come at once."""

    def __init__(self, *events: WatchEvent) -> None:
        self.events = events


Step: TypeAlias = WatchEvent | Exception | Lasting | Together


class Stream:
    """In a script: a watch that sends these, raises those that are exceptions, and ends."""

    def __init__(self, *steps: Step) -> None:
        self.steps = steps


class ScriptedSource:
    """Answers calls from a script and records them; at the script's end it stops the caller."""

    def __init__(self, *script: ListPage | Exception | Stream) -> None:
        self.clock = SteppingClock()
        self.stop = Stop(self.clock)
        self.calls: list[str] = []
        self.timeouts: list[int] = []
        self._script = list(script)

    def list_page(self, *, resource_version: str, limit: int, continue_token: str) -> ListPage:
        version = f"after {continue_token}" if continue_token else f"at {resource_version!r}"
        assert not (continue_token and resource_version)
        answer = self._answer(f"list {version}" + (f" limit {limit}" if limit else ""))
        assert isinstance(answer, ListPage)
        return answer

    def watch(self, *, resource_version: str, timeout_seconds: int) -> AbstractContextManager[WatchStream]:
        return self._stream(f"watch from {resource_version!r}", timeout_seconds)

    @contextmanager
    def _stream(self, call: str, timeout_seconds: int) -> Iterator[WatchStream]:
        answer = self._answer(call)
        assert isinstance(answer, Stream)
        self.timeouts.append(timeout_seconds)
        yield _Steps(answer.steps, self.clock)

    def interrupt(self) -> None:
        pass

    def _answer(self, call: str) -> ListPage | Stream:
        if not self._script:
            self.stop.set()
            raise Interrupted("the script is over")
        self.calls.append(call)
        answer = self._script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class StreamingSource(ScriptedSource):
    """One that can stream lists, too."""

    def watch_list(self, *, resource_version: str, timeout_seconds: int) -> AbstractContextManager[WatchStream]:
        return self._stream(f"stream at {resource_version!r}", timeout_seconds)


class _Steps:
    def __init__(self, steps: tuple[Step, ...], clock: FakeClock) -> None:
        self._steps = list(steps)
        self._clock = clock

    def take(self) -> list[WatchEvent]:
        while self._steps:
            step = self._steps.pop(0)
            if isinstance(step, Exception):
                raise step
            if isinstance(step, Together):
                return list(step.events)
            if isinstance(step, WatchEvent):
                return [step]
            self._clock.advance(step.seconds)
        return []


class LiveSource:
    """A collection in memory: lists what was put into it, and streams what is put later."""

    def __init__(self, *objects: Object) -> None:
        self._lock = threading.Lock()
        self._objects = {obj.key: obj for obj in objects}
        self._version = max((int(obj.resource_version) for obj in objects), default=1)
        self._events: queue.Queue[WatchEvent | Exception | None] = queue.Queue()
        self.interrupted = threading.Event()

    def put(self, name: str, *, uid: str = "", namespace: str = "default", **fields: Any) -> Object:
        """Add or change an object."""
        with self._lock:
            self._version += 1
            obj = pod(name, self._version, uid=uid, namespace=namespace, **fields)
            type_ = MODIFIED if obj.key in self._objects else ADDED
            self._objects[obj.key] = obj
            self._events.put(WatchEvent(type_, obj))
        return obj

    def delete(self, name: str, *, silently: bool = False, namespace: str = "default") -> None:
        with self._lock:
            self._version += 1
            gone = self._objects.pop(key(name, namespace))
            if not silently:
                self._events.put(deleted(name, self._version, uid=gone.uid, namespace=namespace))

    def fail(self, error: Exception) -> None:
        """Let the watch end with this."""
        self._events.put(error)

    def objects(self) -> dict[ObjectKey, Object]:
        with self._lock:
            return dict(self._objects)

    def list_page(self, *, resource_version: str, limit: int, continue_token: str) -> ListPage:
        if self.interrupted.is_set():
            raise Interrupted("stopped")
        with self._lock:
            self._events = queue.Queue()
            return page(self._version, *self._objects.values())

    @contextmanager
    def watch(self, *, resource_version: str, timeout_seconds: int) -> Iterator[WatchStream]:
        yield self

    def interrupt(self) -> None:
        self.interrupted.set()
        self._events.put(None)

    def take(self) -> list[WatchEvent]:
        event = self._events.get(timeout=10.0)
        if isinstance(event, Exception):
            raise event
        if event is None or self.interrupted.is_set():
            raise Interrupted("stopped")
        return [event]


class Recorder:
    """A handler that writes down what it is told, as text, and can be waited for."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.told: list[str] = []
        self.known: dict[ObjectKey, Object] = {}

    def on_add(self, obj: Object, in_initial_list: bool) -> None:
        assert obj.key not in self.known, f"{obj.key} added twice"
        self._note(f"add {obj.name} {obj.resource_version}" + (" initially" if in_initial_list else ""), obj)

    def on_update(self, old: Object, new: Object) -> None:
        seen = self.known[new.key]
        assert (seen.uid, seen.resource_version) == (old.uid, old.resource_version)
        assert old.uid == new.uid
        self._note(f"update {new.name} {old.resource_version} -> {new.resource_version}", new)

    def on_delete(self, deleted: Deleted) -> None:
        assert deleted.last is not None
        with self._changed:
            del self.known[deleted.key]
            self.told.append(f"delete {deleted.key.name}" + ("" if deleted.final_state_known else " unseen"))
            self._changed.notify_all()

    def wait_until_told(self, count: int) -> list[str]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.told) >= count, 10.0), self.told
            return list(self.told)

    def wait_until_knows(self, objects: dict[ObjectKey, Object]) -> None:
        wanted = {each: obj.resource_version for each, obj in objects.items()}
        with self._changed:
            assert self._changed.wait_for(lambda: self.versions() == wanted, 10.0), (self.versions(), wanted)

    def versions(self) -> dict[ObjectKey, str]:
        return {each: obj.resource_version for each, obj in self.known.items()}

    def _note(self, text: str, obj: Object) -> None:
        with self._changed:
            self.known[obj.key] = obj
            self.told.append(text)
            self._changed.notify_all()
