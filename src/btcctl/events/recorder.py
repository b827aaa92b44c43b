"""What a controller says about its objects: `kubectl describe` shows it."""

from __future__ import annotations

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.events.broadcaster import Broadcaster, Watcher
from btcctl.events.event import Event
from btcctl.events.reference import ObjectReference
from btcctl.events.sinks import ApiSink, EventClient

NORMAL = "Normal"
WARNING = "Warning"

MESSAGE_LENGTH = 1024  # what events.k8s.io/v1 allows for `note`, which is the same field


class EventRecorder:
    """Records events without ever holding up the caller: what does not fit is dropped and counted.

    Args:
        client: Where the events are written: an ApiClient.
        component: Who speaks: the `source.component` of each event.
        clock: What dates the events.
        watchers: Called for each event as well, each in a thread of its own.
    """

    def __init__(
        self, client: EventClient, component: str, clock: Clock = SYSTEM_CLOCK, *, watchers: tuple[Watcher, ...] = ()
    ) -> None:
        self._component = component
        self._clock = clock
        self._broadcaster = Broadcaster(clock)
        self._broadcaster.watch(ApiSink(client, clock))
        for watcher in watchers:
            self._broadcaster.watch(watcher)

    @property
    def dropped(self) -> int:
        """How many events were dropped because too many were waiting."""
        return self._broadcaster.dropped

    def event(self, reference: ObjectReference, type_: str, reason: str, message: str) -> None:
        """Record that something happened. Never blocks, never fails for want of an API server.

        Args:
            reference: What it happened to.
            type_: "Normal" or "Warning".
            reason: CamelCase, for machines.
            message: For people; cut off after 1024 characters.

        Raises:
            ValueError: `type_` is something else, or `reason` is empty.
        """
        if type_ not in {NORMAL, WARNING}:
            raise ValueError(f"event type {type_!r} is neither Normal nor Warning")
        if not reason:
            raise ValueError("an event needs a reason")
        if len(message) > MESSAGE_LENGTH:
            message = message[: MESSAGE_LENGTH - 1] + "…"
        now = self._clock.wall_time()
        self._broadcaster.publish(Event(reference, type_, reason, message, self._component, now))

    def start(self) -> None:
        """Begin to write; events recorded before are kept. Idempotent."""
        self._broadcaster.start()

    def flush(self, timeout: float = 5.0) -> int:
        """Wait until every event recorded so far is written; return how many are left."""
        return self._broadcaster.flush(timeout)

    def stop(self, timeout: float = 5.0) -> None:
        """Write what is left, then end. Idempotent.

        Args:
            timeout: Seconds; what is not written by then is lost, and counted in the log.
        """
        self._broadcaster.stop(timeout)
