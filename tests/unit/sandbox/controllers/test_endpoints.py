"""Endpoints and EndpointSlices of Services, over a store without sockets."""

from __future__ import annotations

from typing import Any

import pytest

from btcctl.objects import ObjectKey
from btcctl.resources import ENDPOINT_SLICES, ENDPOINTS, PODS, SERVICES
from btcctl.sandbox.controllers.claims import by_controller
from btcctl.sandbox.controllers.endpoints import CONTROLLER_INDEX, SERVICE_LABEL, EndpointKeeper
from btcctl.testing.fake_client import FakeClient
from tests.unit.sandbox.fakes import LiveLister

KEY = ObjectKey("default", "web")
PORTS = [{"name": "http", "port": 80, "targetPort": "web"}]


class Scene:
    """A Service, and pods as a test makes them."""

    def __init__(self) -> None:
        self.client = FakeClient()
        self.services, self.pods = self.client.resource(SERVICES, "default"), self.client.resource(PODS, "default")
        self.slices = self.client.resource(ENDPOINT_SLICES, "default")
        index = {CONTROLLER_INDEX: by_controller}
        self.keeper = EndpointKeeper(
            self.client, LiveLister(self.services), LiveLister(self.pods), LiveLister(self.slices, **index)
        )
        self.service()

    def service(self, **spec: Any) -> None:
        body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"}}
        self.services.create({**body, "spec": {"selector": {"app": "web"}, "ports": PORTS, **spec}})

    def pod(self, name: str, ip: str, *, ready: bool = True, port: int = 8080, app: str = "web") -> None:
        container = {"name": "c", "image": "i", "ports": [{"name": "web", "containerPort": port}]}
        metadata = {"name": name, "namespace": "default", "labels": {"app": app}}
        spec = {"nodeName": "here", "containers": [container]}
        made = self.pods.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}).body()
        condition = {"type": "Ready", "status": str(ready)}
        status = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "conditions": [condition]}
        self.pods.update_status({**made, "status": status})

    def bodies(self) -> list[dict[str, Any]]:
        self.keeper.reconcile(KEY)
        return [each.body() for each in self.slices.list()[0]]

    def subsets(self) -> list[dict[str, Any]]:
        self.keeper.reconcile(KEY)
        found: list[dict[str, Any]] = self.client.resource(ENDPOINTS).get(KEY).body().get("subsets") or []
        return found


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_slice_has_the_pods_that_the_service_selects(scene):
    scene.pod("a", "127.9.0.2")
    scene.pod("b", "127.9.0.3", ready=False)
    scene.pod("c", "127.9.0.4", app="other")
    (body,) = scene.bodies()
    assert [(each["addresses"], each["conditions"]["ready"]) for each in body["endpoints"]] == [
        (["127.9.0.2"], True),
        (["127.9.0.3"], False),
    ]
    assert body["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    assert body["metadata"]["labels"][SERVICE_LABEL] == "web"
    assert body["endpoints"][0]["targetRef"]["name"] == "a"


def test_endpoints_say_who_is_ready_and_who_is_not(scene):
    scene.pod("a", "127.9.0.2")
    scene.pod("b", "127.9.0.3", ready=False)
    (subset,) = scene.subsets()
    assert [each["ip"] for each in subset["addresses"]] == ["127.9.0.2"]
    assert [each["ip"] for each in subset["notReadyAddresses"]] == ["127.9.0.3"]
    assert subset["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]


def test_pods_with_other_ports_have_a_slice_of_their_own(scene):
    scene.pod("a", "127.9.0.2")
    scene.pod("b", "127.9.0.3", port=9090)
    assert sorted(each["ports"][0]["port"] for each in scene.bodies()) == [8080, 9090]
    scene.pods.delete(ObjectKey("default", "b"), grace_period_seconds=0)
    assert [each["ports"][0]["port"] for each in scene.bodies()] == [8080]


def test_a_pod_on_its_way_out_still_serves_but_takes_nothing_new(scene):
    scene.pod("a", "127.9.0.2")
    scene.pods.delete(ObjectKey("default", "a"))
    (body,) = scene.bodies()
    assert body["endpoints"][0]["conditions"] == {"ready": False, "serving": True, "terminating": True}


def test_a_service_may_publish_what_is_not_ready(scene):
    scene.services.delete(KEY)
    scene.service(publishNotReadyAddresses=True)
    scene.pod("a", "127.9.0.2", ready=False)
    (body,) = scene.bodies()
    assert body["endpoints"][0]["conditions"] == {"ready": True, "serving": False, "terminating": False}


def test_settled_endpoints_are_not_written(scene):
    scene.pod("a", "127.9.0.2")
    scene.bodies()
    scene.client.clear_actions()
    scene.keeper.reconcile(KEY)
    assert scene.client.writes == []


def test_endpoints_go_with_their_service(scene):
    scene.bodies()
    scene.services.delete(KEY)
    assert scene.bodies() == []
    assert scene.client.resource(ENDPOINTS, "default").list()[0] == []


def test_a_service_without_selector_is_left_to_others(scene):
    scene.services.patch(KEY, {"spec": {"selector": None}})
    assert scene.bodies() == []
