"""What a controller says about its objects: `kubectl describe` shows it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.events.broadcaster import Broadcaster
from btcctl.events.event import Event
from btcctl.events.limits import (
    ACTION_BYTES,
    INSTANCE_BYTES,
    MESSAGE_BYTES,
    REASON_BYTES,
    shortened,
)
from btcctl.events.reference import ObjectReference
from btcctl.events.sinks.api_sink import ApiSink
from btcctl.events.sinks.series import SeriesSink
from btcctl.events.sinks.writer import EventClient
from btcctl.events.watcher_queue import Watcher, WatcherQueue
from btcctl.logging import bound_fields
from btcctl.names import check_name
from btcctl.typed.typed_object import TypedObject

NORMAL = "Normal"
WARNING = "Warning"


class SourceRecorder:
    """Records events of one source into a broadcaster, which others may share.

    Args:
        broadcaster: Takes the events.
        component: Who speaks: the `source.component` of each event.
        instance: Which copy of it, for events.k8s.io/v1; by default the component and the host's name.

    Raises:
        ValueError: `component` is no qualified name (`btcctl.names`): events.k8s.io/v1 takes no other.
    """

    def __init__(self, broadcaster: Broadcaster, component: str, instance: str = "") -> None:
        check_name(component, "what reports events")
        self.broadcaster = broadcaster
        self._component = component
        self._instance = shortened(instance or f"{component}-{socket.gethostname()}", INSTANCE_BYTES)
        self._lock = threading.Lock()  # guards the one below
        self._shortened = 0

    @property
    def shortened(self) -> int:
        """How many fields of events did not fit, or were no UTF-8, and have lost something."""
        return self._shortened

    def event(
        self,
        reference: ObjectReference | TypedObject,
        type_: str,
        reason: str,
        message: str,
        *,
        action: str = "",
        related: ObjectReference | None = None,
    ) -> None:
        """Record that something happened. Never blocks, never fails for want of an API server.

        Args:
            reference: What it happened to, or the object itself, if it is of a class that says its kind.
            type_: "Normal" or "Warning".
            reason: CamelCase, for machines; cut off after 128 bytes.
            message: For people; cut off after 1024 bytes, as the API server counts them.
            action: What was being done, CamelCase, cut off after 128 bytes; only events.k8s.io/v1 has it.
            related: Another object that has to do with it; only events.k8s.io/v1 has it.

        Raises:
            ValueError: `type_` is something else, or `reason` is empty.
            TypeError: It is about something else than an object, or a text is none.
        """
        if type_ not in {NORMAL, WARNING}:
            raise ValueError(f"event type {type_!r} is neither Normal nor Warning")
        if not reason:
            raise ValueError("an event needs a reason")
        if isinstance(reference, TypedObject):
            reference = ObjectReference.of(type(reference), reference)
        _check_types(reference, related, reason=reason, message=message, action=action)
        event = Event(
            reference,
            type_,
            self._fitting(reason, REASON_BYTES),
            self._fitting(message, MESSAGE_BYTES),
            self._component,
            self.broadcaster.clock.wall_time(),
            self._fitting(action, ACTION_BYTES),
            self._instance,
            related,
            log_context=bound_fields(),
        )
        self.broadcaster.publish(event)

    def _fitting(self, text: str, most: int) -> str:
        fitting = shortened(text, most)
        if fitting != text:
            with self._lock:
                self._shortened += 1
        return fitting


def _check_types(reference: object, related: object, **texts: object) -> None:
    """Here, where the author sees it, and not in the thread that writes."""
    for each in (reference, *(() if related is None else (related,))):
        if not isinstance(each, ObjectReference):
            raise TypeError(
                f"an event is about one {type(each).__name__}, must be an ObjectReference, "
                "or an object of a class that says its kind: ObjectReference.of(type, obj)"
            )
    for name, text in texts.items():
        if not isinstance(text, str):
            raise TypeError(f"the {name} of an event is of type {type(text).__name__}, must be text")


@dataclass(frozen=True, slots=True)
class _Outlet:
    """What writes the events about one cluster's objects."""

    sink: SeriesSink | ApiSink
    queue: WatcherQueue


def _is_about(name: str, known: frozenset[str], event: Event) -> bool:
    """Whether an event is for the outlet of this cluster; "" has what no other has."""
    cluster = event.reference.cluster
    return (cluster if cluster in known else "") == name


class EventRecorder(SourceRecorder):
    """A recorder with a broadcaster of its own, which writes to the API server.

    It never holds up the caller: what does not fit is dropped and counted.

    Args:
        client: Where the events are written: an ApiClient.
        component: Who speaks: the `source.component` of each event.
        clock: What dates the events.
        watchers: Called for each event as well, each in a thread of its own; `log_event` is one.
        series: Write events.k8s.io/v1 with series instead of core/v1 with counts.
        clusters: Of a program that looks after several: events about objects of these are written there, each by a
            thread of its own; `client` is for all others.

    Raises:
        ValueError: `component` is no qualified name (`btcctl.names`): events.k8s.io/v1 takes no other.
    """

    def __init__(
        self,
        client: EventClient,
        component: str,
        clock: Clock = SYSTEM_CLOCK,
        *,
        watchers: tuple[Watcher, ...] = (),
        series: bool = False,
        clusters: Mapping[str, EventClient] = {},
    ) -> None:
        super().__init__(Broadcaster(clock), component)
        elsewhere = {name: each for name, each in clusters.items() if each is not client}
        self._outlets: dict[str, _Outlet] = {}
        for name, each in {"": client, **elsewhere}.items():
            sink: SeriesSink | ApiSink = SeriesSink(each, clock) if series else ApiSink(each, clock)
            wants = partial(_is_about, name, frozenset(elsewhere)) if elsewhere else None
            self._outlets[name] = _Outlet(sink, self.broadcaster.watch(sink, wants))
        for watcher in watchers:
            self.broadcaster.watch(watcher)

    @property
    def dropped(self) -> int:
        """How many events were dropped because too many were waiting."""
        return self.broadcaster.dropped

    @property
    def suppressed(self) -> int:
        """How many events the spam filter swallowed."""
        return sum(each.sink.suppressed for each in self._outlets.values())

    def by_cluster(self) -> dict[str, tuple[int, int]]:
        """How many events were dropped, and suppressed, of each cluster that has an outlet of its own."""
        return {name: (each.queue.dropped, each.sink.suppressed) for name, each in self._outlets.items()}

    def start(self) -> None:
        """Begin to write; events recorded before are kept. Idempotent."""
        self.broadcaster.start()

    def flush(self, timeout: float = 5.0) -> int:
        """Wait until every event recorded so far is written; return how many are left."""
        return self.broadcaster.flush(timeout)

    def stop(self, timeout: float = 5.0) -> None:
        """Write what is left, then end. Idempotent.

        Args:
            timeout: Seconds; what is not written by then is lost, and counted in the log.
        """
        self.broadcaster.stop(timeout)

    def finish(self, timeout: float, patience: float) -> None:
        """Stop, but only as long as at least one event is written in each `patience` seconds. Idempotent."""
        self.broadcaster.finish(timeout, patience)
