"""Owner garbage collection, and the end of namespaces."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.apiserver.calls import CONFIG_MAPS, DEFINITIONS, GROUP, PODS, THINGS, Server, pod, thing


def owned(name: str, *owners: dict[str, Any], blocking: bool = False) -> dict[str, Any]:
    references = [
        {
            "apiVersion": each["apiVersion"],
            "kind": each["kind"],
            "name": each["metadata"]["name"],
            "uid": each["metadata"]["uid"],
            **({"blockOwnerDeletion": True} if blocking else {}),
        }
        for each in owners
    ]
    return {"metadata": {"name": name, "ownerReferences": references}}


@pytest.fixture
def owner(server: Server) -> dict[str, Any]:
    return server.created(THINGS, thing("own"))


def config_maps(server: Server) -> list[str]:
    return server.get(CONFIG_MAPS).names


@pytest.mark.parametrize("query", [{}, {"propagationPolicy": "Background"}])
def test_in_the_background_the_owner_goes_first_and_then_all_below_it(server, owner, query):
    middle = server.created(CONFIG_MAPS, owned("middle", owner))
    server.created(CONFIG_MAPS, owned("leaf", middle))
    assert server.delete(f"{THINGS}/own", **query).body["status"] == "Success"
    assert config_maps(server) == ["leaf", "middle"]
    server.collect()
    assert config_maps(server) == []


def test_in_the_foreground_the_owner_goes_last(server, owner):
    server.created(CONFIG_MAPS, owned("dep", owner, blocking=True))
    version = server.get(THINGS).version
    seen, below = server.watch(THINGS, resourceVersion=version), server.watch(CONFIG_MAPS, resourceVersion=version)
    marked = server.delete(f"{THINGS}/own", propagationPolicy="Foreground").body
    assert marked["metadata"]["finalizers"] == ["foregroundDeletion"]
    server.collect()
    assert (seen.types, below.types) == (["MODIFIED", "DELETED"], ["DELETED"])
    versions = [each.events[-1]["object"]["metadata"]["resourceVersion"] for each in (below, seen)]
    assert int(versions[0]) < int(versions[1])


def test_in_the_foreground_the_owner_waits_for_those_that_block_it_only(server, owner):
    held = {"finalizers": ["x.example.org/f"]}
    for name, blocking in (("waits", True), ("waits-not", False)):
        body = owned(name, owner, blocking=blocking)
        server.created(CONFIG_MAPS, {"metadata": {**body["metadata"], **held}})
    server.delete(f"{THINGS}/own", propagationPolicy="Foreground")
    server.collect()
    assert server.exists(f"{THINGS}/own")
    server.patch(f"{CONFIG_MAPS}/waits", {"metadata": {"finalizers": None}})
    server.collect()
    assert not server.exists(f"{THINGS}/own")
    assert config_maps(server) == ["waits-not"]


def test_in_the_foreground_who_has_another_owner_lets_go_and_stays(server, owner):
    other = server.created(THINGS, thing("other"))
    server.created(CONFIG_MAPS, owned("dep", owner, other, blocking=True))
    server.delete(f"{THINGS}/own", propagationPolicy="Foreground")
    server.collect()
    assert not server.exists(f"{THINGS}/own")
    references = server.get(f"{CONFIG_MAPS}/dep").body["metadata"]["ownerReferences"]
    assert [each["name"] for each in references] == ["other"]


def test_in_the_foreground_those_with_dependents_wait_for_them_too(server, owner):
    middle = server.created(CONFIG_MAPS, owned("middle", owner, blocking=True))
    leaf = owned("leaf", middle, blocking=True)
    server.created(CONFIG_MAPS, {"metadata": {**leaf["metadata"], "finalizers": ["x.example.org/f"]}})
    server.delete(f"{THINGS}/own", propagationPolicy="Foreground")
    server.collect()
    assert server.get(f"{CONFIG_MAPS}/middle").body["metadata"]["finalizers"] == ["foregroundDeletion"]
    server.patch(f"{CONFIG_MAPS}/leaf", {"metadata": {"finalizers": None}})
    server.collect()
    assert (config_maps(server), server.exists(f"{THINGS}/own")) == ([], False)


def test_in_the_foreground_an_owner_need_not_wait_for_who_has_left_it(server, owner):
    body = owned("dep", owner, blocking=True)
    server.created(CONFIG_MAPS, {"metadata": {**body["metadata"], "finalizers": ["x.example.org/f"]}})
    server.delete(f"{THINGS}/own", propagationPolicy="Foreground")
    server.collect()
    assert server.exists(f"{THINGS}/own")
    server.patch(f"{CONFIG_MAPS}/dep", {"metadata": {"ownerReferences": None}})
    server.collect()
    assert not server.exists(f"{THINGS}/own")


def test_in_the_foreground_those_who_own_each_other_go_all_the_same(server, owner):
    other = server.created(CONFIG_MAPS, owned("dep", owner, blocking=True))
    references = owned("own", other, blocking=True)["metadata"]["ownerReferences"]
    server.patch(f"{THINGS}/own", {"metadata": {"ownerReferences": references}})
    server.delete(f"{THINGS}/own", propagationPolicy="Foreground")
    server.collect()
    assert (config_maps(server), server.exists(f"{THINGS}/own")) == ([], False)


def test_an_object_of_the_cluster_whose_owner_is_in_a_namespace_is_left_alone(server, owner):
    server.created("/api/v1/namespaces", owned("wide", owner))
    server.collect()
    assert server.get("/api/v1/namespaces/wide").body["status"] == {"phase": "Active"}


def test_orphans_lose_the_reference_and_stay(server, owner):
    server.created(CONFIG_MAPS, owned("dep", owner))
    server.delete(f"{THINGS}/own", propagationPolicy="Orphan")
    server.collect()
    assert not server.exists(f"{THINGS}/own")
    assert "ownerReferences" not in server.get(f"{CONFIG_MAPS}/dep").body["metadata"]


def test_a_dependent_of_a_uid_that_never_was_is_collected(server, owner):
    body = owned("ghost", owner)
    body["metadata"]["ownerReferences"][0]["uid"] = "555"
    server.created(CONFIG_MAPS, body)
    server.collect()
    assert config_maps(server) == []


def test_an_owner_that_came_back_under_its_old_name_is_another(server, owner):
    server.created(CONFIG_MAPS, owned("dep", owner))
    server.delete(f"{THINGS}/own")
    server.created(THINGS, thing("own"))
    server.collect()
    assert config_maps(server) == []


def test_one_living_owner_is_enough_and_the_dead_one_is_forgotten(server, owner):
    other = server.created(THINGS, thing("other"))
    server.created(CONFIG_MAPS, owned("dep", owner, other))
    server.delete(f"{THINGS}/own")
    server.collect()
    references = server.get(f"{CONFIG_MAPS}/dep").body["metadata"]["ownerReferences"]
    assert [each["name"] for each in references] == ["other"]


def test_an_owner_of_a_kind_nobody_knows_is_believed_to_live(server):
    unknown = {"apiVersion": "no.example.org/v1", "kind": "No", "metadata": {"name": "n", "uid": "u"}}
    server.created(CONFIG_MAPS, owned("dep", unknown))
    server.collect()
    assert config_maps(server) == ["dep"]


def test_an_owner_that_went_with_its_kind_is_known_to_be_gone(server, owner):
    server.created(CONFIG_MAPS, owned("dep", owner))
    assert server.delete(f"{DEFINITIONS}/things.{GROUP}").status == 200
    server.collect()
    assert config_maps(server) == []


def test_pods_are_deleted_with_their_grace(server, owner):
    body = pod(nodeName="n1")
    body["metadata"] = {**owned("p", owner)["metadata"]}
    server.created(PODS, body)
    server.delete(f"{THINGS}/own")
    server.collect()
    assert server.get(f"{PODS}/p").body["metadata"]["deletionGracePeriodSeconds"] == 30


def test_what_was_there_before_the_collector_is_collected_too(server, owner):
    server.created(CONFIG_MAPS, owned("dep", owner))
    restarted = Server()
    restarted.api.store.restore(server.api.store.snapshot())
    restarted.api = type(server.api)(restarted.api.store, clock=restarted.clock)
    restarted.delete(f"{THINGS}/own")
    restarted.collect()
    assert config_maps(restarted) == []


class TestNamespaces:
    NAMESPACE = "/api/v1/namespaces/term"

    @pytest.fixture
    def filled(self, server: Server) -> Server:
        server.created("/api/v1/namespaces", {"metadata": {"name": "term"}})
        server.created(f"{self.NAMESPACE}/configmaps", {"metadata": {"name": "a"}})
        server.created(f"{self.NAMESPACE}/pods", pod(nodeName="n1"))
        return server

    def test_its_content_goes_first_and_running_pods_in_their_own_time(self, filled):
        answer = filled.delete(self.NAMESPACE)
        assert (answer.body["kind"], answer.body["status"]["phase"]) == ("Namespace", "Terminating")
        filled.collect()
        assert filled.get(f"{self.NAMESPACE}/configmaps").names == []
        assert filled.exists(self.NAMESPACE)
        filled.delete(f"{self.NAMESPACE}/pods/p", gracePeriodSeconds="0")
        filled.collect()
        assert not filled.exists(self.NAMESPACE)

    def test_nothing_new_can_be_made_in_it(self, filled):
        filled.delete(self.NAMESPACE)
        answer = filled.post(f"{self.NAMESPACE}/configmaps", {"metadata": {"name": "b"}})
        assert (answer.status, answer.body["details"]["causes"][0]["reason"]) == (403, "NamespaceTerminating")
        assert answer.message == (
            'configmaps "b" is forbidden: unable to create new content in namespace term because it is being terminated'
        )

    def test_the_default_namespace_stays(self, server):
        answer = server.delete("/api/v1/namespaces/default")
        assert (answer.status, answer.message) == (
            403,
            'namespaces "default" is forbidden: this namespace may not be deleted',
        )

    def test_a_finalizer_of_its_own_is_the_last_thing(self, filled):
        filled.patch(self.NAMESPACE, {"metadata": {"finalizers": ["x.example.org/f"]}})
        filled.delete(f"{self.NAMESPACE}/pods/p", gracePeriodSeconds="0")
        filled.delete(self.NAMESPACE)
        filled.collect()
        assert filled.exists(self.NAMESPACE)
        filled.patch(self.NAMESPACE, {"metadata": {"finalizers": None}})
        assert not filled.exists(self.NAMESPACE)
