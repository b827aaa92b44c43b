"""The client's verbs against the embedded server and the real one: one answer."""

from __future__ import annotations

import pytest

from btcctl.errors import Conflict, DeadlineExceeded, NotFound
from btcctl.objects import ObjectKey
from btcctl.resources import CONFIG_MAPS, DEPLOYMENTS, ResourceType
from btcctl.rest.client import ApiClient
from btcctl.rest.collection.written import recording_writes
from btcctl.threads import Runner
from tests.integration.api_servers import ApiServer

WIDGETS = ResourceType("nobody.example.org", "v1", "widgets", "Widget")


@pytest.fixture
def client(api_server: ApiServer) -> ApiClient:
    client = api_server.client()
    client.resource(CONFIG_MAPS, api_server.namespace).create({"metadata": {"name": "a"}, "data": {"x": "1"}})
    return client


@pytest.fixture
def key(api_server: ApiServer) -> ObjectKey:
    return ObjectKey(api_server.namespace, "a")


def test_a_difference_is_patched_and_a_lock_holds(client, key):
    maps = client.resource(CONFIG_MAPS, key.namespace)
    old = maps.get(key)
    assert maps.patch_from(old, {**old.body(), "data": {"y": "2"}}).body()["data"] == {"y": "2"}
    with pytest.raises(Conflict):
        maps.patch_from(old, {**old.body(), "data": {}}, locked=True)


def test_a_collection_goes_by_selector(client, key):
    maps = client.resource(CONFIG_MAPS, key.namespace)
    maps.create({"metadata": {"name": "b", "labels": {"old": "yes"}}})
    maps.delete_collection(label_selector="old=yes", dry_run=True)
    assert {"a", "b"} <= {each.name for each in maps.list()[0]}
    maps.delete_collection(label_selector="old=yes")
    assert "b" not in {each.name for each in maps.list()[0]}


def test_what_a_deletion_of_many_does_is_recorded_and_seen(client, key):
    maps = client.resource(CONFIG_MAPS, key.namespace)
    maps.create({"metadata": {"name": "b", "labels": {"old": "yes"}}})
    kept = maps.create({"metadata": {"name": "c", "labels": {"old": "yes"}, "finalizers": ["example.org/x"]}})
    with recording_writes() as writes:
        maps.delete_collection(label_selector="old=yes")
    assert sorted(each.key.name for each in writes) == ["b", "c"]
    (of_kept,) = (each for each in writes if each.key == kept.key)
    assert [of_kept.is_seen_in(kept), of_kept.is_seen_in(maps.get(kept.key))] == [False, True]


def test_scale_and_status_are_subresources(client, key):
    pod = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": pod}
    deployments = client.resource(DEPLOYMENTS, key.namespace)
    deployments.create({"metadata": {"name": "a"}, "spec": spec})
    scale = deployments.get(key, subresource="scale").body()
    assert deployments.update({**scale, "spec": {"replicas": 3}}, subresource="scale").body()["kind"] == "Scale"
    status = {"metadata": {"name": "a"}, "status": {"replicas": 2}}
    deployments.apply(status, subresource="status", field_manager="me")
    body = deployments.get(key).body()
    assert (body["spec"]["replicas"], body["status"]["replicas"]) == (3, 2)


def test_a_kind_that_is_not_served_is_named_with_its_crd(client, key):
    widgets = client.resource(WIDGETS, key.namespace)
    for call in (
        lambda: widgets.get(key),
        widgets.list,
        lambda: widgets.create({"metadata": {"name": "a"}}),
        lambda: widgets.watch(resource_version=""),
    ):
        with pytest.raises(NotFound, match=r"is the CRD installed.* kubectl get crd widgets\.nobody\.example\.org"):
            call()
    with pytest.raises(NotFound) as caught:
        client.resource(CONFIG_MAPS, key.namespace).get(ObjectKey(key.namespace, "missing"))
    assert "CRD" not in caught.value.message


def test_to_wait_ends_with_the_change_or_in_time(client, key):
    maps = client.resource(CONFIG_MAPS, key.namespace)

    looks: list[str] = []

    def is_2(obj) -> bool:
        looks.append(obj.body()["data"]["x"])
        if looks == ["1"]:  # it may be seen so again
            runner.start()
        return obj.body()["data"]["x"] == "2"

    runner = Runner("patch", lambda _stop: maps.patch(key, {"data": {"x": "2"}}))
    assert maps.wait_until(key, is_2, timeout=60.0).body()["data"] == {"x": "2"}
    runner.stop()
    with pytest.raises(DeadlineExceeded, match="last seen with resourceVersion"):
        maps.wait_until(key, lambda _obj: False, timeout=3.0)


def test_the_field_manager_is_the_servers_to_see(api_server, key):
    with ApiClient.from_config(api_server.config(), field_manager="my-operator") as client:
        made = client.resource(CONFIG_MAPS, key.namespace).apply({"metadata": {"name": "m"}, "data": {"x": "1"}})
    assert [each["manager"] for each in made.body()["metadata"]["managedFields"]] == ["my-operator"]
