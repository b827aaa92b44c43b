"""How a controller on this toolkit is tested without a server: the sample controller's writes, one by one."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from btcctl.errors import Invalid, ServiceUnavailable
from btcctl.events.recorder import EventRecorder
from btcctl.informers.factory import SharedInformerFactory
from btcctl.objects import ObjectKey
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import Action, FakeClient

KEY = ObjectKey("default", "foo")
EXAMPLE = Path(__file__).parents[3] / "examples" / "sample_controller.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sample_controller", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


example = load()


class Scene:
    """One reconciler on caches that hold what was there at the beginning."""

    def __init__(self, *objects: dict[str, Any]) -> None:
        self.client = FakeClient(*objects, types=[example.DEFINITION])
        clock = FakeClock()
        self.factory = SharedInformerFactory(self.client, clock=clock)
        self.recorder = EventRecorder(self.client, "sample-controller", clock)
        self.reconcile = example.FooReconciler(self.client, self.factory, self.recorder)
        self.factory.start()
        self.factory.require_sync(10.0)
        self.client.clear_actions()

    def writes(self) -> list[tuple[str, str]]:
        return [(each.verb, f"{each.type.plural}/{each.subresource}".rstrip("/")) for each in self.client.writes]


@pytest.fixture
def scenes() -> Iterator[list[Scene]]:
    made: list[Scene] = []
    yield made
    for scene in made:
        scene.factory.stop()


def foo(replicas: int = 1, **status: int) -> dict[str, Any]:
    spec = {"deploymentName": "web", "replicas": replicas}
    metadata = {"name": "foo", "namespace": "default"}
    body = {"apiVersion": example.FOOS.api_version, "kind": "Foo", "metadata": metadata, "spec": spec}
    return body | ({"status": status} if status else {})


def test_a_new_foo_gets_a_deployment_and_a_status(scenes):
    scenes.append(scene := Scene(foo()))
    scene.reconcile(KEY)
    assert scene.writes() == [("create", "deployments"), ("update", "foos/status")]


def test_a_foo_that_is_gone_is_no_reason_to_write(scenes):
    scenes.append(scene := Scene())
    scene.reconcile(KEY)
    assert scene.writes() == []


def test_a_deployment_that_is_refused_leaves_the_status_alone(scenes):
    def refuse(action: Action) -> None:
        if action.verb == "create":
            raise ServiceUnavailable(503, "ServiceUnavailable", "no")

    scenes.append(scene := Scene(foo()))
    scene.client.reactors.append(refuse)
    with pytest.raises(ServiceUnavailable):
        scene.reconcile(KEY)
    assert scene.writes() == [("create", "deployments")]


def test_the_definition_refuses_a_foo_that_is_too_big():
    client = FakeClient(types=[example.DEFINITION])
    with pytest.raises(Invalid, match="replicas"):
        client.resource(example.FOOS, "default").create(foo(replicas=11))
