"""Which Lease says that somebody is at work, among those of living, dead and wrong clocks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from btcctl.cli.leading import LeaseHeld, refuse_if_held, wherever_it_is
from btcctl.clock import rfc3339_micro
from btcctl.leaderelection.election import Timing
from btcctl.leaderelection.lease_lock import LeaseLock
from btcctl.objects import ObjectKey
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import FakeClient

CLOCK = FakeClock()
HERE = ObjectKey("here", "bitcoin-controller")


def lease(namespace: str, holder: str, seconds_ago: float | None, duration: int | None = 15) -> dict[str, Any]:
    spec: dict[str, Any] = {"holderIdentity": holder}
    if seconds_ago is not None:
        spec["renewTime"] = rfc3339_micro(CLOCK.wall_time() - timedelta(seconds=seconds_ago))
    if duration is not None:
        spec["leaseDurationSeconds"] = duration
    metadata = {"name": HERE.name, "namespace": namespace}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


YEAR = 365 * 86_400.0
LIVING = lease("b", "living", 2.0)


@pytest.mark.parametrize(
    "other",
    [
        lease("a", "dead", 3000.0),
        lease("a", "ahead", -YEAR),
        lease("a", "silent", None),
        lease("a", "", 1.0),
        lease("c", "ahead", -60.0),
    ],
)
def test_beside_another_lease_the_one_of_who_lives_is_found(other: dict[str, Any]) -> None:
    client = FakeClient(other, LIVING, clock=CLOCK)
    assert wherever_it_is(client, HERE, CLOCK.wall_time()).namespace == "b"


def test_where_nobody_holds_a_lease_it_is_where_it_belongs() -> None:
    assert wherever_it_is(FakeClient(clock=CLOCK), HERE, CLOCK.wall_time()) == HERE


@pytest.mark.parametrize(
    ("held", "is_at_work"),
    [
        (lease("here", "living", 2.0), True),
        (lease("here", "just ahead", -10.0), True),
        (lease("here", "living", 2.0, duration=None), True),
        (lease("here", "silent", None), True),
        (lease("here", "dead", 3000.0), False),
        (lease("here", "far ahead", -YEAR), False),
        (lease("here", "", 2.0), False),
    ],
)
def test_who_seems_to_be_at_work_by_our_clock_is_not_disturbed(held: dict[str, Any], is_at_work: bool) -> None:
    lock = LeaseLock(FakeClient(held, clock=CLOCK), HERE)
    if is_at_work:
        with pytest.raises(LeaseHeld, match="is at work on this cluster"):
            refuse_if_held(lock, Timing(), CLOCK, is_sure=False)
    else:
        refuse_if_held(lock, Timing(), CLOCK, is_sure=False)
