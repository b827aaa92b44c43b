"""What the sandbox says of its operator that has lost its Lease."""

from __future__ import annotations

import pytest

from btcctl.leaderelection.elector import Elector
from btcctl.leaderelection.fence import Fence
from btcctl.leaderelection.lease_lock import LeaseLock
from btcctl.objects import ObjectKey
from btcctl.resources import LEASES
from btcctl.sandbox.ended_operator import why_ended
from btcctl.testing import FakeClient
from btcctl.testing.clock import FakeClock
from btcctl.threads import Stop

LEASE = ObjectKey("default", "the-lease")


@pytest.fixture
def client() -> FakeClient:
    return FakeClient()


@pytest.fixture
def starved(client: FakeClient) -> Elector:
    """It led, and the machine gave it no time until its deadline had passed."""
    clock = FakeClock(now=1000.0)
    elector = Elector(LeaseLock(client, LEASE), Fence(clock), identity="we", clock=clock)
    elector.step()
    clock.advance(11.0)
    elector.run(Stop(clock))
    return elector


def take(client: FakeClient, holder: str) -> None:
    client.resource(LEASES).patch(LEASE, {"spec": {"holderIdentity": holder}})


def test_a_starved_operator_was_not_renewed_in_time_and_nobody_has_taken_over(
    client: FakeClient, starved: Elector
) -> None:
    said = why_ended(client, starved)
    assert "default/the-lease was not renewed for 10 s: no time to run" in said
    assert "nobody has taken over: start another" in said


def test_who_took_the_lease_of_a_starved_operator_meanwhile_is_named(client: FakeClient, starved: Elector) -> None:
    take(client, "they")
    said = why_ended(client, starved)
    assert "was not renewed for 10 s" in said
    assert said.endswith("they holds it and has taken over")


def test_a_lease_that_cannot_be_read_or_is_free_has_no_holder(client: FakeClient, starved: Elector) -> None:
    take(client, "")
    assert "nobody has taken over" in why_ended(client, starved)
    client.resource(LEASES).delete(LEASE)
    assert "nobody has taken over" in why_ended(client, starved)
