"""What a recorder hands on, before anything is known about earlier events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from btcctl.events.reference import ObjectReference


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an object."""

    reference: ObjectReference
    type: str  #: "Normal" or "Warning"
    reason: str  #: CamelCase, for machines: "SuccessfulCreate"
    message: str
    component: str  #: who says so
    time: datetime
