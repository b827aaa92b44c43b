"""The controllers in examples/ do what they say, on both servers, and pass a strict type check of their own."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from btcctl.app.app import App, AppOptions
from btcctl.controller.manager import Manager
from btcctl.crds.definition import crd_for
from btcctl.errors import AlreadyExists, NotFound
from btcctl.objects import Object, ObjectKey
from btcctl.resources import CONFIG_MAPS, CUSTOM_RESOURCE_DEFINITIONS, DEPLOYMENTS, EVENTS, ResourceType
from btcctl.rest.client import ApiClient
from btcctl.rest.collection.resource import Resource
from btcctl.rest.http import HttpTransport
from btcctl.rest.transport.counting import CountingTransport
from tests.integration.api_servers import ApiServer
from tests.integration.support import eventually

EXAMPLES = Path(__file__).parents[2] / "examples"
CONTROLLERS = ("count_config_maps", "dns_records", "sample_controller")
FOOS = ResourceType("samplecontroller.k8s.io", "v1alpha1", "foos", "Foo")


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"examples_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def running(manager: Manager) -> Iterator[Manager]:
    manager.start()
    try:
        yield manager
    finally:
        manager.stop()


def config_map(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


def test_the_counter_keeps_up_with_the_config_maps_of_its_namespace(api_server: ApiServer) -> None:
    client, key = api_server.client(), ObjectKey(api_server.namespace, "config-map-count")
    maps = client.resource(CONFIG_MAPS, api_server.namespace)

    def shows(count: int) -> bool:
        return find(maps, key) is not None and maps.get(key).body()["data"] == {"count": str(count)}

    maps.create(config_map("a"))
    with running(load("count_config_maps").build(client, api_server.namespace)) as manager:
        eventually(lambda: shows(1))
        for name in "bcd":
            maps.create(config_map(name))
        eventually(lambda: shows(4))
        maps.delete(ObjectKey(key.namespace, "a"))
        eventually(lambda: shows(3))
        maps.delete(key)
        eventually(lambda: shows(3))
        maps.patch(key, {"data": {"count": "many"}})
        eventually(lambda: shows(3))
        eventually(manager.controllers[0].idle)


class Foos:
    """The sample controller's objects on one server."""

    def __init__(self, server: ApiServer) -> None:
        self.writes: list[str] = []
        self.client = ApiClient(CountingTransport(HttpTransport(server.config()), self._count, ""))
        self.namespace = server.namespace
        self.foos = self.client.resource(FOOS, server.namespace)
        self.deployments = self.client.resource(DEPLOYMENTS, server.namespace)
        self.example = load("sample_controller")
        with suppress(AlreadyExists):
            self.client.resource(CUSTOM_RESOURCE_DEFINITIONS).create(crd_for(self.example.Foo))
        eventually(self._is_served)

    def _count(self, code: int | str, method: str, host: str) -> None:
        if method != "GET":
            self.writes.append(method)

    def _is_served(self) -> bool:
        try:
            self.foos.list()
        except NotFound:
            return False
        return True

    def build(self) -> Manager:
        app = App(self.client, "sample-controller", options=AppOptions(namespaces=(self.namespace,)))
        self.example.build(app)
        return app.manager()

    def key(self, name: str) -> ObjectKey:
        return ObjectKey(self.namespace, name)

    def create(self, name: str, deployment: str, replicas: int) -> Object:
        spec = {"deploymentName": deployment, "replicas": replicas}
        return self.foos.create({"metadata": {"name": name}, "spec": spec})

    def replicas(self, deployment: str) -> int | None:
        found = find(self.deployments, self.key(deployment))
        return None if found is None else found.body()["spec"]["replicas"]

    def events(self, name: str) -> list[tuple[str, str, str]]:
        found = self.client.resource(EVENTS, self.namespace).list(field_selector=f"involvedObject.name={name}")[0]
        return sorted((body["type"], body["reason"], body["message"]) for body in (each.body() for each in found))


@pytest.fixture
def scene(api_server: ApiServer) -> Iterator[Foos]:
    foos = Foos(api_server)
    with foos.client:
        yield foos


def find(resource: Resource, key: ObjectKey) -> Object | None:
    try:
        return resource.get(key)
    except NotFound:
        return None


def test_a_foo_gets_its_deployment_which_follows_it_and_is_mended(scene: Foos) -> None:
    foo = scene.create("foo", "web", 1)
    with running(scene.build()) as manager:
        eventually(lambda: scene.replicas("web") == 1)
        assert [each.uid for each in scene.deployments.get(scene.key("web")).owner_references] == [foo.uid]
        scene.foos.patch(foo.key, {"spec": {"replicas": 3}})
        eventually(lambda: scene.replicas("web") == 3)
        scene.deployments.patch(scene.key("web"), {"spec": {"replicas": 7}})
        eventually(lambda: scene.replicas("web") == 3)
        scene.deployments.delete(scene.key("web"))
        eventually(lambda: scene.replicas("web") == 3)
        status = {"replicas": 3, "availableReplicas": 2, "readyReplicas": 2}
        scene.deployments.patch(scene.key("web"), {"status": status}, subresource="status")
        eventually(lambda: scene.foos.get(foo.key).body()["status"] == {"availableReplicas": 2})
        eventually(manager.controllers[0].idle)
    assert scene.events("foo") == [
        ("Normal", "Synced", 'created Deployment "web"'),
        ("Normal", "Synced", 'updated Deployment "web"'),
    ]


def test_a_settled_foo_is_not_written_again(scene: Foos) -> None:
    foo = scene.create("foo", "web", 1)
    with running(scene.build()) as manager:
        eventually(lambda: "status" in scene.foos.get(foo.key).body())
        eventually(manager.controllers[0].idle)
        manager.recorder.flush(60.0)  # type: ignore[union-attr]  # the event of its creation is written beside
        scene.writes.clear()
        for _ in range(3):
            manager.controllers[0].queue.add(foo.key)
            eventually(manager.controllers[0].idle)
    assert scene.writes == []


def test_a_deployment_of_somebody_else_is_left_alone_and_an_event_says_so(scene: Foos) -> None:
    labels = {"app": "theirs"}
    spec = {"replicas": 5, "selector": {"matchLabels": labels}, "template": scene.example.pods(labels)}
    theirs = scene.deployments.create({"metadata": {"name": "web"}, "spec": spec})
    scene.create("foo", "web", 1)
    with running(scene.build()):
        eventually(lambda: scene.events("foo"))
    message = f"Deployment {theirs.key} exists, and is not controlled by Foo foo, nor by anybody else"
    assert scene.events("foo")[0] == ("Warning", "ErrResourceExists", message)
    assert scene.deployments.get(theirs.key).resource_version == theirs.resource_version


@pytest.mark.parametrize("name", CONTROLLERS)
def test_an_example_imports_nothing_but_the_public_api(name: str) -> None:
    imported = set(re.findall(r"^(?:from|import) (\w+)", (EXAMPLES / f"{name}.py").read_text(), re.MULTILINE))
    assert imported - set(sys.stdlib_module_names) - {"msgspec", "urllib3"} == {"btcctl"}


def test_the_counter_is_as_short_as_it_is_said_to_be() -> None:
    lines = (EXAMPLES / "count_config_maps.py").read_text().splitlines()
    assert sum(1 for line in lines if line.strip()) <= 40
