"""Writes Event objects with whatever verbs the API server allows."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import (
    AlreadyExists,
    ApiError,
    BtcctlError,
    Conflict,
    DecodeError,
    Forbidden,
    NotFound,
    TransportError,
)
from btcctl.events.event import Event
from btcctl.logging import get_logger
from btcctl.objects import Object, ObjectKey
from btcctl.resources import ResourceType
from btcctl.threads import Stop

logger = get_logger(__name__)

# client-go's maxTriesPerEvent and sleepDuration (tools/record/event.go).
TRIES = 12
RETRY_SECONDS = 10.0

FORBIDDEN_SECONDS = 300.0  # how long a verb that was forbidden is not asked for again
_CONFLICT_TRIES = 3


class EventResource(Protocol):
    """The part of `btcctl.rest.collection.resource.Resource` that is needed."""

    def get(self, key: ObjectKey) -> Object: ...

    def create(self, body: Mapping[str, Any]) -> Object: ...

    def update(self, body: Mapping[str, Any]) -> Object: ...

    def patch(self, key: ObjectKey, patch: Mapping[str, Any]) -> Object: ...


class EventClient(Protocol):
    """The part of `btcctl.rest.client.ApiClient` that is needed."""

    def resource(self, type_: ResourceType, namespace: str = "") -> EventResource: ...


@dataclass(frozen=True, slots=True)
class Write:
    """One thing to be written.

    Attributes:
        body: The whole Event object.
        changes: What is new in it if it exists already; None if it cannot yet.
    """

    event: Event
    body: Mapping[str, Any]
    changes: Mapping[str, Any] | None = None

    @property
    def key(self) -> ObjectKey:
        metadata = self.body["metadata"]
        return ObjectKey(metadata["namespace"], metadata["name"])


class EventWriter:
    """A rejected event is dropped; a server that cannot be reached, or answers nonsense, is tried again.

    A forbidden verb is named once in the log and left alone for five minutes: without `patch`, an event is read and
    updated; without that, it stays as it was.

    Args:
        client: Reaches the API server.
        type_: Which of the two kinds of Event.
        clock: What waiting is measured with.
        uniform: Source of randomness for the first retry.
    """

    def __init__(
        self,
        client: EventClient,
        type_: ResourceType,
        clock: Clock = SYSTEM_CLOCK,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._client = client
        self._type = type_
        self._clock = clock
        self._uniform = uniform
        self._forbidden_until: dict[tuple[str, str], float] = {}
        self._named: set[str] = set()

    def write(self, write: Write, stop: Stop) -> None:
        """Write it; once `stop` is set nothing is tried twice."""
        for attempt in range(TRIES):
            try:
                self._write(write)
                return
            except (TransportError, DecodeError) as error:
                # client-go tries again after an answer that makes no sense, too: perhaps it was not the API server's.
                if stop.is_set() or attempt == TRIES - 1:
                    logger.warning("event lost: no usable answer", reason=write.event.reason, error=str(error))
                    return
                stop.wait(self._uniform(0.0, RETRY_SECONDS) if attempt == 0 else RETRY_SECONDS)
            except BtcctlError as error:
                _report(write.event, error)
                return

    def _write(self, write: Write) -> None:
        namespace = write.key.namespace
        events = self._client.resource(self._type, namespace)
        if write.changes is not None and self._write_again(events, write.key, write.changes):
            return
        self._allowed("create", namespace, events.create, write.body)

    def _write_again(self, events: EventResource, key: ObjectKey, changes: Mapping[str, Any]) -> bool:
        """Change what is there; False if the event is gone (they expire) and must be created anew."""
        try:
            if self._allowed("patch", key.namespace, events.patch, key, changes) is None:
                self._read_and_update(events, key, changes)
        except NotFound:
            return False
        return True

    def _read_and_update(self, events: EventResource, key: ObjectKey, changes: Mapping[str, Any]) -> None:
        for _ in range(_CONFLICT_TRIES):
            found = self._allowed("get", key.namespace, events.get, key)
            if found is None:
                return
            try:
                self._allowed("update", key.namespace, events.update, {**found.body(), **changes})
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
            if error.is_namespace_terminating:
                raise
            self._forbidden_until[verb, namespace] = now + FORBIDDEN_SECONDS
            if verb not in self._named:
                self._named.add(verb)
                logger.warning("not allowed on events", verb=verb, namespace=namespace, error=error.message)
            return None


def _report(event: Event, error: BtcctlError) -> None:
    quiet = isinstance(error, AlreadyExists) or (isinstance(error, ApiError) and error.is_namespace_terminating)
    log = logger.debug if quiet else logger.warning
    log("event rejected", reason=event.reason, object=event.reference.name, error=str(error))
