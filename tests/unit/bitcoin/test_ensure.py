from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from btcctl.bitcoin.children import ChildOptions, build_service
from btcctl.bitcoin.ensure import Child, ChildKeeper
from btcctl.bitcoin.memory import RepairHistory
from btcctl.bitcoin.status import Notice
from btcctl.errors import AlreadyExists, ApiError, Conflict, Forbidden, NotFound
from btcctl.objects import Object, ObjectKey
from btcctl.testing.clock import FakeClock
from tests.unit.bitcoin.builders import network

NETWORK = network()
DESIRED = build_service(NETWORK, ChildOptions("image"))
KEY = ObjectKey("default", "net-svc")


class Services:
    """Holds one object, or none; refuses writes with `error`."""

    def __init__(self, body: dict[str, Any] | None = None, error: ApiError | None = None) -> None:
        self.body = body
        self.error = error
        self.versions = 0
        self.calls: list[str] = []

    def get(self, key: ObjectKey) -> Object:
        self.calls.append("get")
        if self.body is None:
            raise NotFound(404)
        return Object.from_body(self.body)

    def create(self, body: Mapping[str, Any]) -> Object:
        return self._write("create", body)

    def update(self, body: Mapping[str, Any]) -> Object:
        return self._write("update", body)

    def _write(self, verb: str, body: Mapping[str, Any]) -> Object:
        self.calls.append(verb)
        if self.error is not None:
            raise self.error
        self.versions += 1
        self.body = copy.deepcopy({**body, "metadata": {**body["metadata"], "resourceVersion": str(self.versions)}})
        return Object.from_body(self.body)


class Mutating(Services):
    """An admission webhook puts back what it wants, so that an update changes nothing."""

    def _write(self, verb: str, body: Mapping[str, Any]) -> Object:
        self.calls.append(verb)
        return Object.from_body(self.body or {})


def owned_by(uid: str, **owner: str) -> dict[str, Any]:
    body = copy.deepcopy(DESIRED)
    body["metadata"]["ownerReferences"][0] |= {"uid": uid, **owner}
    body["spec"]["ports"] = []
    return body


def ensure(services: Services, notices: list[Notice] | None = None, cached: Object | None = None) -> Child:
    keeper = ChildKeeper(lambda key: cached, services)
    told = [] if notices is None else notices
    return keeper.ensure(NETWORK, DESIRED, keeper.find(KEY), told.append, RepairHistory())


def test_what_the_cache_does_not_hold_is_asked_for_before_it_is_created() -> None:
    services = Services(copy.deepcopy(DESIRED))
    assert ensure(services).object is not None
    assert services.calls == ["get"]


def test_what_the_cache_holds_is_not_asked_for() -> None:
    services = Services()
    assert ensure(services, cached=Object.from_body(DESIRED)).object is not None
    assert services.calls == []


def test_a_child_of_a_deleted_network_of_that_name_is_waited_out() -> None:
    services = Services(owned_by("predecessor"))
    assert ensure(services) == Child(pending=True)
    assert services.calls == ["get"]


@pytest.mark.parametrize("owner", [{"kind": "Other"}, {"name": "other"}, {"apiVersion": "example.com/v1"}])
def test_a_child_of_another_kind_or_name_is_in_the_way(owner: dict[str, str]) -> None:
    services = Services(owned_by("stranger", **owner))
    assert "not controlled by this network" in ensure(services).problem
    assert services.calls == ["get"]


def test_a_child_on_its_way_out_is_left_alone() -> None:
    body = owned_by("net-uid")
    body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    services = Services(body)
    assert ensure(services) == Child(pending=True)
    assert services.calls == ["get"]


def test_our_own_child_is_repaired() -> None:
    notices: list[Notice] = []
    services = Services(owned_by("net-uid"))
    assert ensure(services, notices).problem == ""
    assert services.calls == ["get", "update"]
    assert [each.reason for each in notices] == ["ServiceRepaired"]


@pytest.mark.parametrize("error", [AlreadyExists(409, "AlreadyExists"), Conflict(409)])
def test_a_lost_race_is_no_news(error: ApiError) -> None:
    notices: list[Notice] = []
    with pytest.raises(Conflict):
        ensure(Services(error=error), notices)
    with pytest.raises(Conflict):
        ensure(Services(owned_by("net-uid"), error), notices)
    assert notices == []


def test_a_refusal_is_told_and_raised() -> None:
    notices: list[Notice] = []
    with pytest.raises(Forbidden):
        ensure(Services(error=Forbidden(403, "Forbidden", "no")), notices)
    with pytest.raises(Forbidden):
        ensure(Services(owned_by("net-uid"), Forbidden(403, "Forbidden", "no")), notices)
    assert [(each.type, each.reason) for each in notices] == [
        ("Warning", "ServiceNotCreated"),
        ("Warning", "ServiceNotRepaired"),
    ]


def test_a_repair_that_the_api_server_does_not_take_is_tried_three_times_and_not_told_as_done() -> None:
    notices: list[Notice] = []
    services, history = Mutating(owned_by("net-uid")), RepairHistory()
    keeper = ChildKeeper(lambda key: None, services, clock=FakeClock())
    for _ in range(5):
        child = keeper.ensure(NETWORK, DESIRED, keeper.find(KEY), notices.append, history)
    assert services.calls.count("update") == 3
    assert notices == []
    assert "spec.ports is changed back as it is written" in child.dispute
