from __future__ import annotations

import copy
from typing import Any

import pytest

from btcctl.bitcoin.children import build_disruption_budget, build_service
from btcctl.bitcoin.ensure import Child, ChildKeeper
from btcctl.bitcoin.pod_template import ChildOptions
from btcctl.bitcoin.status import Notice
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.controller.writing.contention import Contention
from btcctl.controller.writing.writes import is_controlled_by
from btcctl.errors import AlreadyExists, ApiError, Conflict, Forbidden
from btcctl.objects import Object, ObjectKey
from btcctl.resources import POD_DISRUPTION_BUDGETS, SERVICES
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import Action, FakeClient
from tests.unit.bitcoin.builders import network, network_body

DESIRED = build_service(network(), ChildOptions("image"))
KEY = ObjectKey("default", "net-svc")


def owner_body() -> dict[str, Any]:
    body = network_body()
    body["metadata"]["uid"] = "net-uid"
    return body


NETWORK = Object.from_body(owner_body())


def service(uid: str = "net-uid", **owner: Any) -> dict[str, Any]:
    """A child that differs from what it should be."""
    body = copy.deepcopy(DESIRED)
    reference = {"apiVersion": BITCOIN_NETWORKS.api_version, "kind": BITCOIN_NETWORKS.kind, "name": "net", "uid": uid}
    body["metadata"]["ownerReferences"] = [{**reference, "controller": True, "blockOwnerDeletion": True, **owner}]
    body["spec"]["ports"] = [{"port": 1}]
    return body


class Fixture:
    """A cluster with that network, perhaps that child, and an operator that keeps it."""

    def __init__(self, child: dict[str, Any] | None = None, error: ApiError | None = None) -> None:
        self.client = FakeClient(types=[BITCOIN_NETWORKS], field_manager="btcctl")
        self.client.add(owner_body())
        if child is not None:
            self.client.resource(SERVICES).create(child)
        self.client.clear_actions()
        self.client.reactors.append(self._refuse)
        self.services = self.client.resource(SERVICES)
        self.notices: list[Notice] = []
        self.cached: Object | None = None
        self._error = error
        self._contention = Contention("btcctl", clock=FakeClock())

    def _refuse(self, action: Action) -> None:
        if self._error is not None and action.verb in {"create", "update"}:
            raise self._error

    def ensure(self) -> Child:
        keeper = ChildKeeper(lambda key: self.cached, self.services)
        return keeper.ensure(NETWORK, DESIRED, keeper.find(KEY), self.notices.append, self._contention)

    def verbs(self) -> list[str]:
        return [each.verb for each in self.client.actions]

    def reasons(self) -> list[str]:
        return [each.reason for each in self.notices]


def test_a_child_that_is_missing_is_asked_for_and_then_created_as_the_networks_own() -> None:
    it = Fixture()
    created = it.ensure()
    assert created.object is not None
    assert (it.verbs(), it.reasons()) == (["get", "create"], ["ServiceCreated"])
    assert is_controlled_by(created.object, NETWORK)


def test_what_the_cache_holds_is_not_asked_for() -> None:
    it = Fixture()
    it.cached = it.ensure().object
    it.client.clear_actions()
    assert it.ensure().object is it.cached
    assert it.verbs() == []


def test_a_child_of_a_deleted_network_of_that_name_is_waited_out() -> None:
    it = Fixture()
    it.cached = Object.from_body(service("predecessor"))
    waits = 'Service "net-svc" is a deleted network\'s, and not collected yet'
    assert it.ensure() == Child(pending=True, waits=waits)
    assert it.verbs() == []


@pytest.mark.parametrize("owner", [{"kind": "Other"}, {"name": "other"}, {"apiVersion": "example.com/v1"}])
def test_a_child_of_another_kind_or_name_is_in_the_way(owner: dict[str, str]) -> None:
    it = Fixture()
    it.cached = Object.from_body(service("stranger", **owner))
    assert "not controlled by this network" in it.ensure().problem
    assert it.verbs() == []


def test_a_child_that_nobody_controls_is_in_the_way_and_not_adopted() -> None:
    it = Fixture(service(controller=False))
    assert "not controlled by this network" in it.ensure().problem
    assert it.verbs() == ["get"]


def test_a_child_of_ours_that_lost_its_owner_as_in_a_backup_is_said_how_to_replace() -> None:
    it = Fixture()
    it.cached = Object.from_body(service(controller=False))
    assert "as after a restore: delete it with --cascade=orphan" in it.ensure().problem
    body = service(controller=False)
    body["metadata"]["labels"] = {"app": "another"}
    it.cached = Object.from_body(body)
    assert "delete or rename one of them" in it.ensure().problem


def test_a_child_that_another_one_makes_meanwhile_is_in_the_way() -> None:
    it = Fixture()
    keeper = ChildKeeper(lambda key: None, it.services)
    found = keeper.find(KEY)
    it.services.create(service(controller=False))
    child = keeper.ensure(NETWORK, DESIRED, found, it.notices.append, Contention())
    assert (child.object, it.notices) == (None, [])
    assert "not controlled by this network" in child.problem


def test_a_child_on_its_way_out_is_left_alone() -> None:
    body = service()
    body["metadata"]["finalizers"] = ["example.org/wait"]
    it = Fixture(body)
    it.services.delete(KEY)
    waits = 'Service "net-svc" is on its way out, held by example.org/wait'
    assert it.ensure() == Child(pending=True, waits=waits)
    assert "update" not in it.verbs()


def test_our_own_child_is_repaired() -> None:
    it = Fixture(service())
    assert it.ensure().problem == ""
    assert (it.verbs(), it.reasons()) == (["get", "update"], ["ServiceUpdated"])


@pytest.mark.parametrize("error", [AlreadyExists(409, "AlreadyExists"), Conflict(409)])
def test_a_lost_race_is_no_news(error: ApiError) -> None:
    for it in (Fixture(error=error), Fixture(service(), error)):
        with pytest.raises(Conflict):
            it.ensure()
        assert it.notices == []


@pytest.mark.parametrize(("child", "reason"), [(None, "ServiceNotCreated"), (service(), "ServiceNotUpdated")])
def test_a_refusal_is_told_and_raised(child: dict[str, Any] | None, reason: str) -> None:
    it = Fixture(child, Forbidden(403, "Forbidden", "no"))
    with pytest.raises(Forbidden):
        it.ensure()
    assert [(each.type, each.reason) for each in it.notices] == [("Warning", reason)]


def test_a_repair_that_the_api_server_does_not_take_is_tried_three_times_and_not_told_as_done() -> None:
    it = Fixture(service())
    stubborn = it.services.get(KEY)

    class PutBack:
        """An admission webhook puts back what it wants, so that an update changes nothing."""

        type = SERVICES
        updates = 0
        get = create = update_status = it.services.get

        def update(self, body: Any) -> Object:
            self.updates += 1
            return stubborn

    resource = PutBack()
    contention = Contention("btcctl", clock=FakeClock())
    keeper = ChildKeeper(lambda key: stubborn, resource)  # type: ignore[arg-type]
    children = [keeper.ensure(NETWORK, DESIRED, stubborn, it.notices.append, contention) for _ in range(5)]
    assert (resource.updates, it.notices) == (3, [])
    assert "is changed back as it is written" in children[-1].dispute


def test_a_budget_of_the_other_kind_is_set_back_whole() -> None:
    it = Fixture()
    wanted = build_disruption_budget(network())
    keeper = ChildKeeper(lambda key: None, it.client.resource(POD_DISRUPTION_BUDGETS))
    key = ObjectKey("default", "net-pdb")
    made = keeper.ensure(NETWORK, wanted, None, it.notices.append, Contention()).object
    assert made is not None
    theirs = made.body() | {"spec": {"minAvailable": 2, "selector": wanted["spec"]["selector"]}}
    it.client.resource(POD_DISRUPTION_BUDGETS).update(theirs)
    keeper.ensure(NETWORK, wanted, keeper.find(key), it.notices.append, Contention())
    assert it.client.resource(POD_DISRUPTION_BUDGETS).get(key).body()["spec"] == wanted["spec"]


def test_a_child_that_is_deleted_each_time_is_not_made_for_ever() -> None:
    it = Fixture()
    for _ in range(6):
        child = it.ensure()
        if child.object is not None:
            it.services.delete(KEY)
    assert it.verbs().count("create") == 1 + 3
    assert child == Child(dispute='Service "net-svc" is deleted again and again')
