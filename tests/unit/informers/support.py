"""Objects, a clock that never blocks, and scripted sources."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from btcctl.backoff import ExponentialBackoff
from btcctl.errors import Interrupted
from btcctl.informers.options import ReflectorOptions
from btcctl.informers.reflector.list_watch import WatchStream
from btcctl.objects import ADDED, BOOKMARK, DELETED, MODIFIED, ListPage, Object, ObjectKey, WatchEvent
from btcctl.testing.scripts import InstantClock as SteppingClock
from btcctl.testing.scripts import Lasting, Step, Together
from btcctl.testing.scripts import RecordingHandler as Recorder
from btcctl.testing.scripts import ScriptedListerWatcher as ScriptedSource
from btcctl.testing.scripts import ScriptedStreams as StreamingSource
from btcctl.testing.scripts import ScriptedWatch as Stream

__all__ = ["Lasting", "Recorder", "ScriptedSource", "Step", "SteppingClock", "Stream", "StreamingSource", "Together"]

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
        event = self._events.get(timeout=60.0)
        if isinstance(event, Exception):
            raise event
        if event is None or self.interrupted.is_set():
            raise Interrupted("stopped")
        return [event]
