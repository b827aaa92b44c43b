"""Who is at work, by the Lease."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Final

from btcctl.bitcoin.doctor.diagnosis import ERROR, OK, WARNING, Diagnosis
from btcctl.errors import Forbidden, NotFound
from btcctl.leaderelection.record import LeaseRecord, read_record
from btcctl.objects import Object, ObjectKey
from btcctl.resources import LEASES
from btcctl.rest.client import ApiClient

_CHECK: Final = "lease"


def check_lease(client: ApiClient, key: ObjectKey, now: datetime) -> Iterator[Diagnosis]:
    """
    Args:
        key: Of the Lease; those of that name in other namespaces are looked at, too, if we may.
        now: By our clock, which may differ from the holder's.
    """
    held = [(each.key, record) for each in _leases(client, key) if (record := read_record(each)).holder]
    fresh = [(found, record) for found, record in held if _is_fresh(record, now)]
    if not fresh:
        yield _nobody(key, held)
    for found, record in fresh:
        yield Diagnosis(_CHECK, OK, f"{record.holder} holds {found}{_ago(record, now)}")
    if len(fresh) > 1:
        where = ", ".join(found.namespace for found, _ in fresh)
        yield Diagnosis(
            _CHECK,
            WARNING,
            f"controllers in several namespaces are at work: {where}",
            "see that no network is looked after by two of them: --namespace, or the chart's watchNamespaces",
        )


def _leases(client: ApiClient, key: ObjectKey) -> list[Object]:
    leases = client.resource(LEASES)
    with suppress(Forbidden):
        found, _ = leases.list(field_selector=f"metadata.name={key.name}")
        return list(found)
    try:
        return [leases.get(key)]
    except NotFound:
        return []


def _is_fresh(record: LeaseRecord, now: datetime) -> bool:
    age = record.age(now)
    return age is None or age < record.duration_seconds


def _nobody(key: ObjectKey, held: list[tuple[ObjectKey, LeaseRecord]]) -> Diagnosis:
    last = "".join(f"; {record.holder} held it last, until {record.renew_time}" for _, record in held[:1])
    cure = f"kubectl -n {key.namespace} get deployments,pods; kubectl -n {key.namespace} logs deployment/…"
    return Diagnosis(_CHECK, ERROR, f"nobody holds {key}: no controller is at work{last}", cure)


def _ago(record: LeaseRecord, now: datetime) -> str:
    age = record.age(now)
    return "" if age is None else f", renewed {max(0.0, age):.0f} s ago"
