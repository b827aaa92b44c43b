"""Writes events to the API server, with whatever verbs it allows."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import structlog

from btcctl.clock import SYSTEM_CLOCK, Clock, rfc3339
from btcctl.errors import AlreadyExists, ApiError, BtcctlError, Conflict, Forbidden, NotFound, TransportError
from btcctl.events.correlator import EventCorrelator, Occurrence
from btcctl.events.event import Event
from btcctl.objects import Object, ObjectKey
from btcctl.resources import EVENTS, ResourceType
from btcctl.threads import Stop

logger = structlog.get_logger(__name__)

# client-go's maxTriesPerEvent and sleepDuration (tools/record/event.go).
TRIES = 12
RETRY_SECONDS = 10.0

FORBIDDEN_SECONDS = 300.0  # how long a verb that was forbidden is not asked for again
_CONFLICT_TRIES = 3


class EventResource(Protocol):
    """The part of `btcctl.rest.resource.Resource` that is needed."""

    def get(self, key: ObjectKey) -> Object: ...

    def create(self, body: Mapping[str, Any]) -> Object: ...

    def update(self, body: Mapping[str, Any]) -> Object: ...

    def patch(self, key: ObjectKey, patch: Mapping[str, Any]) -> Object: ...


class EventClient(Protocol):
    """The part of `btcctl.rest.client.ApiClient` that is needed."""

    def resource(self, type_: ResourceType, namespace: str = "") -> EventResource: ...


class ApiSink:
    """Writes core/v1 Events; what repeats itself becomes a higher count on the first one.

    A rejected event is dropped, an unreachable server is tried again. A forbidden verb is named
    once in the log and left alone for five minutes: without `patch`, an event is read and
    updated; without that, its count stays as it was.

    Args:
        client: Reaches the API server.
        clock: What waiting is measured with.
        uniform: Source of randomness for the first retry.
    """

    def __init__(
        self,
        client: EventClient,
        clock: Clock = SYSTEM_CLOCK,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.suppressed = 0  #: events that the spam filter swallowed
        self._client = client
        self._clock = clock
        self._uniform = uniform
        self._correlator = EventCorrelator()
        self._forbidden_until: dict[tuple[str, str], float] = {}
        self._named: set[str] = set()

    def __call__(self, event: Event, stop: Stop) -> None:
        """Write `event`; once `stop` is set nothing is tried twice."""
        occurrence = self._correlator.correlate(event, self._clock.now())
        if occurrence is None:
            self._count_suppressed(event)
            return
        for attempt in range(TRIES):
            try:
                self._write(occurrence)
                return
            except TransportError as error:
                if stop.is_set() or attempt == TRIES - 1:
                    logger.warning("event lost: API server unreachable", reason=event.reason, error=str(error))
                    return
                stop.wait(self._uniform(0.0, RETRY_SECONDS) if attempt == 0 else RETRY_SECONDS)
            except BtcctlError as error:
                self._report(event, error)
                return

    def _write(self, occurrence: Occurrence) -> None:
        namespace = occurrence.event.reference.event_namespace
        events = self._client.resource(EVENTS, namespace)
        if occurrence.count > 1 and self._write_again(events, ObjectKey(namespace, occurrence.name), occurrence):
            return
        self._allowed("create", namespace, events.create, _body(occurrence))

    def _write_again(self, events: EventResource, key: ObjectKey, occurrence: Occurrence) -> bool:
        """Raise the count; False if the event is gone (they expire) and must be created anew."""
        try:
            if self._allowed("patch", key.namespace, events.patch, key, _repetition(occurrence)) is None:
                self._read_and_update(events, key, occurrence)
        except NotFound:
            return False
        return True

    def _read_and_update(self, events: EventResource, key: ObjectKey, occurrence: Occurrence) -> None:
        for _ in range(_CONFLICT_TRIES):
            found = self._allowed("get", key.namespace, events.get, key)
            if found is None:
                return
            try:
                self._allowed("update", key.namespace, events.update, found.body() | _repetition(occurrence))
                return
            except Conflict:
                continue  # the next repetition carries the whole count again, so giving up loses nothing

    def _allowed(self, verb: str, namespace: str, call: Callable[..., Object], *args: object) -> Object | None:
        """Make the call; None if it is forbidden, or was a short while ago."""
        now = self._clock.now()
        if now < self._forbidden_until.get((verb, namespace), now):
            return None
        try:
            return call(*args)
        except Forbidden as error:
            if _is_terminating(error):
                raise
            self._forbidden_until[verb, namespace] = now + FORBIDDEN_SECONDS
            if verb not in self._named:
                self._named.add(verb)
                logger.warning("not allowed on events", verb=verb, namespace=namespace, error=error.message)
            return None

    def _count_suppressed(self, event: Event) -> None:
        self.suppressed += 1
        if self.suppressed == 1:
            logger.warning(
                "too many events about one object: further ones are suppressed and counted",
                kind=event.reference.kind,
                object=f"{event.reference.namespace}/{event.reference.name}",
            )

    @staticmethod
    def _report(event: Event, error: BtcctlError) -> None:
        quiet = isinstance(error, AlreadyExists) or (isinstance(error, ApiError) and _is_terminating(error))
        log = logger.debug if quiet else logger.warning
        log("event rejected", reason=event.reason, object=event.reference.name, error=str(error))


def _is_terminating(error: ApiError) -> bool:
    """The namespace is being deleted and accepts nothing new: a 403 that is about no verb."""
    return any(cause.get("reason") == "NamespaceTerminating" for cause in error.causes)


def _body(occurrence: Occurrence) -> dict[str, Any]:
    event = occurrence.event
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": occurrence.name, "namespace": event.reference.event_namespace},
        "involvedObject": event.reference.body(),
        "reason": event.reason,
        "type": event.type,
        "source": {"component": event.component},
        "reportingComponent": event.component,
        "reportingInstance": "",
        "firstTimestamp": rfc3339(occurrence.first_time),
        **_repetition(occurrence),
    }


def _repetition(occurrence: Occurrence) -> dict[str, Any]:
    event = occurrence.event
    return {"count": occurrence.count, "lastTimestamp": rfc3339(event.time), "message": event.message}
