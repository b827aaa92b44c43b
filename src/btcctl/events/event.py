"""What a recorder hands on, before anything is known about earlier events."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from btcctl.events.reference import ObjectReference

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_SUBDOMAIN_LENGTH = 253
_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an object."""

    reference: ObjectReference
    type: str  #: "Normal" or "Warning"
    reason: str  #: CamelCase, for machines: "SuccessfulCreate"
    message: str
    component: str  #: who says so
    time: datetime
    action: str = ""  #: what was being done, in events.k8s.io/v1; "" is the reason
    instance: str = ""  #: which copy of the component says so, in events.k8s.io/v1
    related: ObjectReference | None = None  #: another object that has to do with it, in events.k8s.io/v1
    #: What stands on the log lines of the recording code: a reconcile's id. It stands on those about the event, too.
    log_context: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


class EventNames:
    """Names Event objects as client-go does: object, dot, time in hex nanoseconds; no two alike. Not thread-safe."""

    def __init__(self) -> None:
        self._last_ns = 0

    def name(self, event: Event) -> str:
        now_ns = int(event.time.timestamp()) * _NANOSECONDS + event.time.microsecond * 1000
        self._last_ns = max(now_ns, self._last_ns + 1)
        name = f"{event.reference.name}.{self._last_ns:x}"
        if len(name) <= _SUBDOMAIN_LENGTH and _SUBDOMAIN.fullmatch(name):
            return name
        return str(uuid.uuid4())  # names of some kinds (RBAC) are no DNS subdomains
