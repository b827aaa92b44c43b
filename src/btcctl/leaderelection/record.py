"""What stands in a Lease about its holder: client-go's fields."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

import msgspec

from btcctl.errors import ObjectDecodeError
from btcctl.objects import Object

MAX_INT32 = 2**31 - 1  # what a number in a Lease can be at most


class LeaseRecord(msgspec.Struct, frozen=True):
    """The election's part of `spec`; the times are the holder's, for people to read.

    Source: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/
    """

    holder: str = ""  #: "" if it was released
    duration_seconds: int = 0  #: how long others must see no change before they may take it
    acquire_time: str = ""  #: RFC 3339 with six decimals
    renew_time: str = ""
    transitions: int = 0  #: how often another holder has taken it

    @classmethod
    def from_spec(cls, spec: object) -> Self:
        """Read a decoded `spec`; null is an empty one.

        What does not fit into the field of a Lease counts as the nearest that does: such a record must neither stop
        the election nor be refused when it is written back.

        Raises:
            ObjectDecodeError: It, or a field, is of the wrong type.
        """
        if not isinstance(spec, Mapping | None):
            raise ObjectDecodeError("a Lease whose spec is no object")
        fields = spec or {}
        return cls(
            _text(fields, "holderIdentity"),
            _number(fields, "leaseDurationSeconds"),
            _text(fields, "acquireTime"),
            _text(fields, "renewTime"),
            _number(fields, "leaseTransitions"),
        )

    def spec(self) -> dict[str, Any]:
        """As in a Lease."""
        return {
            "holderIdentity": self.holder,
            "leaseDurationSeconds": self.duration_seconds,
            "acquireTime": self.acquire_time,
            "renewTime": self.renew_time,
            "leaseTransitions": self.transitions,
        }

    def age(self, wall_time: datetime) -> float | None:
        """Seconds since the holder last renewed it, by its clock and ours; None if it does not say."""
        try:
            return (wall_time - datetime.fromisoformat(self.renew_time)).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None


def is_time(text: str) -> bool:
    """Whether a server takes it for a time: RFC 3339, with a zone."""
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str | None):
        raise ObjectDecodeError(f"a Lease whose spec.{name} is no text")
    return value or ""


def _number(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    if not isinstance(value, int | None) or isinstance(value, bool):
        raise ObjectDecodeError(f"a Lease whose spec.{name} is no whole number")
    return min(max(value or 0, 0), MAX_INT32)


def read_record(lease: Object) -> LeaseRecord:
    """Reads a Lease that another program may have written; one that makes no sense has no holder."""
    try:
        return LeaseRecord.from_spec(lease.body().get("spec"))
    except ObjectDecodeError:
        return LeaseRecord()
