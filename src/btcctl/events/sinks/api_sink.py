"""Where events go: core/v1 Events by default, and the log."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from btcctl.clock import SYSTEM_CLOCK, Clock, rfc3339
from btcctl.events.event import Event
from btcctl.events.sinks.correlator import EventCorrelator, Occurrence
from btcctl.events.sinks.writer import EventClient, EventWriter, Write
from btcctl.logging import get_logger
from btcctl.resources import EVENTS
from btcctl.threads import Stop

logger = get_logger(__name__)


def log_event(event: Event, _stop: Stop) -> None:
    """A watcher that logs each event as it is recorded."""
    log = logger.warning if event.type == "Warning" else logger.info
    reference = event.reference
    place = f"{reference.namespace}/" if reference.namespace else ""
    log("event", kind=reference.kind, object=f"{place}{reference.name}", reason=event.reason, message=event.message)


class ApiSink:
    """Writes core/v1 Events; what repeats itself becomes a higher count on the first one.

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
        self._clock = clock
        self._writer = EventWriter(client, EVENTS, clock, uniform)
        self._correlator = EventCorrelator()

    def __call__(self, event: Event, stop: Stop) -> None:
        """Write `event`; once `stop` is set nothing is tried twice."""
        occurrence = self._correlator.correlate(event, self._clock.now())
        if occurrence is None:
            self._count_suppressed(event)
            return
        changes = _repetition(occurrence) if occurrence.count > 1 else None
        self._writer.write(Write(occurrence.event, _body(occurrence), changes), stop)

    def _count_suppressed(self, event: Event) -> None:
        self.suppressed += 1
        if self.suppressed == 1:
            logger.warning(
                "too many events about one object: further ones are suppressed and counted",
                kind=event.reference.kind,
                object=f"{event.reference.namespace}/{event.reference.name}",
            )


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
