from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from btcctl.errors import Invalid, NotFound
from btcctl.objects import ObjectKey
from btcctl.resources import CONFIG_MAPS, SERVICES
from btcctl.rest.client import ApiClient
from btcctl.rest.collection.written import recording_writes
from btcctl.rest.transport.dry_run import DryRunTransport, Planned
from btcctl.testing.fake_client import FakeClient

KEY = ObjectKey("ns", "a")
CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "ns"}, "data": {"x": "1"}}


class Scene:
    """A server with one ConfigMap, and a client that changes nothing."""

    def __init__(self) -> None:
        self.server = FakeClient(CONFIG_MAP)
        self.planned: list[Planned] = []
        self.client = ApiClient(DryRunTransport(self.server._transport, self.planned.append))
        self.config_maps = self.client.resource(CONFIG_MAPS, "ns")

    @property
    def only(self) -> Planned:
        (planned,) = self.planned
        return planned

    def stored(self) -> dict[str, Any]:
        return self.server.resource(CONFIG_MAPS).get(KEY).body()


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    before = scene.stored()
    yield scene
    assert scene.stored() == before


def test_reads_go_through_and_plan_nothing(scene: Scene) -> None:
    assert scene.config_maps.get(KEY).name == "a"
    assert scene.planned == []


def test_an_update_tells_what_there_is_and_what_there_would_be_and_answers_the_latter(scene: Scene) -> None:
    answer = scene.config_maps.update({**scene.stored(), "data": {"x": "2"}})
    assert answer.body()["data"] == {"x": "2"}
    assert scene.only.method == "PUT"
    assert (scene.only.before["data"], scene.only.after["data"]) == ({"x": "1"}, {"x": "2"})


def test_a_create_has_no_before_and_is_defaulted_by_the_server(scene: Scene) -> None:
    spec = {"ports": [{"port": 80}]}
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": spec}
    scene.client.resource(SERVICES, "ns").create(body)
    assert scene.only.before is None
    assert scene.only.after["spec"]["type"] == "ClusterIP"
    with pytest.raises(NotFound):
        scene.server.resource(SERVICES).get(ObjectKey("ns", "s"))


def test_a_patch_and_a_deletion_are_only_planned(scene: Scene) -> None:
    scene.config_maps.patch(KEY, {"data": {"y": "3"}})
    scene.config_maps.delete(KEY)
    assert [each.method for each in scene.planned] == ["PATCH", "DELETE"]
    assert scene.planned[0].after["data"] == {"x": "1", "y": "3"}
    assert scene.planned[1].after is None


def test_what_is_only_planned_is_not_waited_for(scene: Scene) -> None:
    with recording_writes() as written:
        scene.config_maps.delete(KEY)
        scene.config_maps.create({"metadata": {"name": "b"}})
    assert written == []


def test_what_the_server_refuses_is_told_and_raised(scene: Scene) -> None:
    with pytest.raises(Invalid):
        scene.config_maps.create({"metadata": {"name": "Not A Name"}})
    assert "Invalid value" in scene.only.refusal
    assert scene.only.after is None
