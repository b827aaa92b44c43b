"""What stands in a Lease about its holder: client-go's fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from btcctl.errors import ObjectDecodeError


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """The election's part of `spec`; the times are the holder's, for people to read.

    Source: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/
    """

    holder: str = ""  #: "" if it was released
    duration_seconds: int = 0  #: how long others must see no change before they may take it
    acquire_time: str = ""  #: RFC 3339 with six decimals
    renew_time: str = ""
    transitions: int = 0  #: how often another holder has taken it

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        """Read a decoded `spec`.

        Raises:
            ObjectDecodeError: A field is of the wrong type.
        """
        record = cls(
            spec.get("holderIdentity") or "",
            spec.get("leaseDurationSeconds") or 0,
            spec.get("acquireTime") or "",
            spec.get("renewTime") or "",
            spec.get("leaseTransitions") or 0,
        )
        texts = (record.holder, record.acquire_time, record.renew_time)
        numbers = (record.duration_seconds, record.transitions)
        if not all(isinstance(each, str) for each in texts) or not all(isinstance(each, int) for each in numbers):
            raise ObjectDecodeError("a Lease whose fields are of the wrong type")
        return record

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
        except (ValueError, TypeError):
            return None
