from __future__ import annotations

from typing import Any

import pytest

from btcctl.errors import AlreadyExists, Conflict
from btcctl.leaderelection.lease_lock import LeaseLock
from btcctl.leaderelection.record import LeaseRecord
from btcctl.objects import ObjectKey
from btcctl.resources import LEASES
from btcctl.rest.transport.transport import Request, Response
from btcctl.testing.fake_client import FakeClient

KEY = ObjectKey("ns", "the-lease")
NOW = "2026-01-01T00:00:00.000000Z"
OURS = LeaseRecord("a", 15, NOW, NOW, 0)
THEIRS = LeaseRecord("b", 15, NOW, NOW, 1)


def lease(**spec: Any) -> dict[str, Any]:
    metadata = {"name": KEY.name, "namespace": KEY.namespace, "labels": {"mine": "yes"}}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


def stored(client: FakeClient) -> dict[str, Any]:
    return client.resource(LEASES).get(KEY).body()


def test_a_lease_that_is_missing_is_none_and_can_be_made() -> None:
    client = FakeClient()
    client.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ns"}})
    lock = LeaseLock(client, KEY)
    assert lock.get(1.0) is None
    lock.create(OURS, 1.0)
    assert LeaseLock(client, KEY).get(1.0) == OURS
    with pytest.raises(AlreadyExists):
        LeaseLock(client, KEY).create(THEIRS, 1.0)


def test_updates_follow_each_other_without_a_read() -> None:
    client = FakeClient(lease(holderIdentity="", leaseDurationSeconds=1))
    lock = LeaseLock(client, KEY)
    lock.get(1.0)
    client.clear_actions()
    lock.update(OURS, 1.0)
    lock.update(OURS, 1.0)
    assert [each.verb for each in client.actions] == ["update", "update"]


def test_an_update_after_somebody_elses_is_refused() -> None:
    client = FakeClient(lease(holderIdentity="", leaseDurationSeconds=1))
    ours, theirs = LeaseLock(client, KEY), LeaseLock(client, KEY)
    ours.get(1.0)
    theirs.get(1.0)
    theirs.update(THEIRS, 1.0)
    with pytest.raises(Conflict):
        ours.update(OURS, 1.0)
    assert stored(client)["spec"]["holderIdentity"] == "b"


def test_what_is_not_the_elections_stays_as_it_is() -> None:
    client = FakeClient(lease(holderIdentity="b"))
    body = stored(client)
    coordinated = {**body, "spec": {**body["spec"], "strategy": "OldestEmulationVersion"}}
    client.reactors.append(lambda action: coordinated if action.verb == "get" else None)
    lock = LeaseLock(client, KEY)
    lock.get(1.0)
    lock.update(OURS, 1.0)
    sent = client.writes[-1].body
    assert sent["metadata"]["labels"] == {"mine": "yes"}
    assert sent["spec"] == {**OURS.spec(), "strategy": "OldestEmulationVersion"}


def test_a_lease_that_was_never_read_cannot_be_written_over() -> None:
    with pytest.raises(ValueError, match="not read yet"):
        LeaseLock(FakeClient(), KEY).update(OURS, 1.0)


class Hurry(FakeClient):
    """Notes how long each call may take."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__(body)
        self.timeouts: list[float | None] = []

    def call(self, request: Request, *, timeout: float | None = None, **how: Any) -> Response:
        self.timeouts.append(timeout)
        return super().call(request, timeout=timeout, **how)


def test_each_call_has_a_time_of_its_own() -> None:
    client = Hurry(lease(holderIdentity="", leaseDurationSeconds=1))
    lock = LeaseLock(client, KEY)
    lock.get(1.0)
    lock.update(OURS, 2.0)
    assert client.timeouts == [1.0, 2.0]
