"""What a client may rely on, whoever answers: FakeClient, the embedded server, a real one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import pytest

from btcctl.errors import AlreadyExists, BadRequest, Conflict, Forbidden, Gone, Invalid, NotFound
from btcctl.objects import ObjectKey
from btcctl.resources import CONFIG_MAPS, NAMESPACES, NODES, PODS, STATEFUL_SETS
from btcctl.rest.client import ApiClient
from btcctl.rest.collection.resource import PatchKind, Resource
from btcctl.testing.control_plane import ControlPlane
from btcctl.testing.fake_client import FakeClient
from tests.integration.api_servers import EmbeddedApiServer, RealApiServer
from tests.integration.apiserver.test_process import config_map

HISTORY_CHANGES = 1100  # more than the embedded server remembers
WATCH_SECONDS = 10
JSON, MERGE, STRATEGIC = PatchKind.JSON, PatchKind.MERGE, PatchKind.STRATEGIC


@dataclass(frozen=True)
class Scene:
    """A client, a namespace of the test's own, and a way to make the server forget what was."""

    client: ApiClient
    namespace: str
    forget: Callable[[], object]

    @property
    def maps(self) -> Resource:
        return self.client.resource(CONFIG_MAPS, self.namespace)

    @property
    def sets(self) -> Resource:
        return self.client.resource(STATEFUL_SETS, self.namespace)

    @property
    def pods(self) -> Resource:
        return self.client.resource(PODS, self.namespace)

    def key(self, name: str) -> ObjectKey:
        return ObjectKey(self.namespace, name)


def overwrite_history(maps: Resource) -> None:
    """Change so much that an embedded server forgets the rest."""
    key = maps.create(config_map("overwritten")).key
    for number in range(HISTORY_CHANGES):
        maps.patch(key, {"data": {"n": str(number)}})


def forget(plane: ControlPlane) -> None:
    """After a compaction the API server still has its own memory, until it ends."""
    plane.compact()
    plane.kill()
    plane.restart()


@pytest.fixture(scope="session", params=["fake", "embedded", pytest.param("real", marks=pytest.mark.real_server)])
def kind_of_server(request: pytest.FixtureRequest) -> ControlPlane | str:
    """Session-wide, as are the threads of a real one."""
    return request.getfixturevalue("lone_control_plane") if request.param == "real" else request.param


@pytest.fixture
def scene(kind_of_server: ControlPlane | str) -> Iterator[Scene]:
    if kind_of_server == "fake":
        client = FakeClient({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mine"}})
        yield Scene(client, "mine", partial(overwrite_history, client.resource(CONFIG_MAPS, "mine")))
    elif isinstance(kind_of_server, ControlPlane):
        with RealApiServer(kind_of_server) as real:
            yield Scene(real.client(), real.namespace, partial(forget, kind_of_server))
    else:
        with EmbeddedApiServer() as embedded:
            client = embedded.client()
            yield Scene(
                client, embedded.namespace, partial(overwrite_history, client.resource(CONFIG_MAPS, embedded.namespace))
            )


def stateful_set() -> dict[str, Any]:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"serviceName": "web", "replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return {"metadata": {"name": "web"}, "spec": spec}


def pod(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "i"}]}}


def test_an_object_is_created_once_and_gets_its_identity(scene: Scene) -> None:
    created = scene.maps.create(config_map("a", k="v"))
    assert created.uid
    assert created.body()["metadata"]["creationTimestamp"]
    assert scene.maps.get(scene.key("a")).raw == created.raw
    with pytest.raises(AlreadyExists, match='configmaps "a" already exists'):
        scene.maps.create(config_map("a"))


def test_a_name_can_be_left_to_the_server(scene: Scene) -> None:
    created = scene.maps.create({"metadata": {"generateName": "some-"}})
    assert created.name.startswith("some-")
    assert len(created.name) == len("some-") + 5


@pytest.mark.parametrize("body", [config_map("Upper"), {"metadata": {"name": "a"}, "data": {"not a key": "v"}}])
def test_what_breaks_the_rules_is_refused_and_the_field_is_named(scene: Scene, body: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        scene.maps.create(body)
    assert caught.value.causes[0]["field"] in {"metadata.name", "data[not a key]"}


def test_what_has_no_place_to_go_is_refused(scene: Scene) -> None:
    with pytest.raises(NotFound, match='namespaces "nowhere" not found'):
        scene.client.resource(CONFIG_MAPS, "nowhere").create(config_map("a"))
    with pytest.raises(NotFound, match='configmaps "a" not found'):
        scene.maps.get(scene.key("a"))


def test_an_update_from_an_old_copy_is_a_conflict(scene: Scene) -> None:
    old = scene.maps.create(config_map("a", k="1"))
    new = scene.maps.update({**old.body(), "data": {"k": "2"}})
    assert new.resource_version != old.resource_version
    with pytest.raises(Conflict, match="please apply your changes to the latest version"):
        scene.maps.update({**old.body(), "data": {"k": "3"}})
    assert scene.maps.get(old.key).body()["data"] == {"k": "2"}


def test_an_update_that_changes_nothing_makes_no_new_version(scene: Scene) -> None:
    created = scene.maps.create(config_map("a", k="1"))
    assert scene.maps.update(created.body()).resource_version == created.resource_version


def test_an_update_of_what_is_gone_or_was_made_anew_changes_nothing(scene: Scene) -> None:
    old = scene.maps.create(config_map("a"))
    scene.maps.delete(old.key)
    with pytest.raises((NotFound, Conflict)):
        scene.maps.update(old.body())
    scene.maps.create(config_map("a"))
    with pytest.raises(Conflict):
        scene.maps.update(old.body())


def test_patches_of_every_kind_change_what_they_name(scene: Scene) -> None:
    created = scene.sets.create(stateful_set())
    container = {"name": "c", "image": "other"}
    scene.sets.patch(created.key, {"spec": {"template": {"spec": {"containers": [container]}}}}, kind=STRATEGIC)
    scene.sets.patch(created.key, {"metadata": {"labels": {"a": "1", "b": None}}}, kind=MERGE)
    changed = scene.sets.patch(created.key, [{"op": "replace", "path": "/spec/replicas", "value": 2}], kind=JSON)
    body = changed.body()
    assert changed.labels == {"a": "1"}
    assert body["spec"]["replicas"] == 2
    assert body["spec"]["template"]["spec"]["containers"][0]["image"] == "other"


def test_patches_that_do_not_fit_are_refused(scene: Scene) -> None:
    with pytest.raises(NotFound):
        scene.maps.patch(scene.key("a"), {"data": {"k": "v"}})
    created = scene.maps.create(config_map("a", k="v"))
    with pytest.raises((Invalid, BadRequest)):
        scene.maps.patch(created.key, [{"op": "test", "path": "/data/k", "value": "other"}], kind=JSON)
    with pytest.raises((Invalid, Conflict)):
        scene.maps.patch(created.key, {"metadata": {"uid": "another"}})


def test_a_deletion_is_of_one_incarnation_and_one_version(scene: Scene) -> None:
    created = scene.maps.create(config_map("a"))
    with pytest.raises(Conflict):
        scene.maps.delete(created.key, uid="another")
    scene.maps.patch(created.key, {"data": {"k": "v"}})
    with pytest.raises(Conflict):
        scene.maps.delete(created.key, resource_version=created.resource_version)
    scene.maps.delete(created.key, uid=created.uid)
    with pytest.raises(NotFound):
        scene.maps.delete(created.key)


def test_a_finalizer_holds_an_object_back_until_it_is_taken_off(scene: Scene) -> None:
    body = config_map("a")
    body["metadata"]["finalizers"] = ["example.org/hold"]
    created = scene.maps.create(body)
    scene.maps.delete(created.key)
    held = scene.maps.get(created.key)
    assert held.deletion_timestamp
    scene.maps.patch(created.key, {"metadata": {"finalizers": None}})
    with pytest.raises(NotFound):
        scene.maps.get(created.key)


def test_a_list_comes_in_pages_of_one_moment(scene: Scene) -> None:
    for number in range(5):
        scene.maps.create(config_map(f"c{number}"))
    names = {f"c{number}" for number in range(5)}
    page = scene.maps.list_page(resource_version="", limit=2)
    scene.maps.create(config_map("late"))
    versions, seen = {page.resource_version}, [each.name for each in page.items]
    while page.continue_token:
        page = scene.maps.list_page(resource_version="", limit=2, continue_token=page.continue_token)
        versions.add(page.resource_version)
        seen += [each.name for each in page.items]
    assert (len(seen), set(seen) >= names, len(versions)) == (len(set(seen)), True, 1)
    assert "late" not in seen
    assert {each.name for each in scene.maps.list(page_size=2)[0]} >= names | {"late"}


def test_a_list_whose_moment_is_forgotten_is_gone_and_begun_anew(scene: Scene) -> None:
    for number in range(3):
        scene.maps.create(config_map(f"c{number}"))
    page = scene.maps.list_page(resource_version="", limit=2)
    scene.maps.create(config_map("late"))
    scene.forget()
    with pytest.raises(Gone):
        scene.maps.list_page(resource_version="", limit=2, continue_token=page.continue_token)
    assert {"c0", "c1", "c2", "late"} <= {each.name for each in scene.maps.list(page_size=2)[0]}


def test_selectors_choose(scene: Scene) -> None:
    for name, colour in (("a", "red"), ("b", "blue"), ("c", "")):
        body = config_map(name)
        body["metadata"]["labels"] = {"colour": colour} if colour else {}
        scene.maps.create(body)
    by_label = [each.name for each in scene.maps.list(label_selector="colour in (red, green)")[0]]
    by_field = [each.name for each in scene.maps.list(field_selector="metadata.name=b")[0]]
    assert (by_label, by_field) == (["a"], ["b"])
    with pytest.raises(BadRequest):
        scene.maps.list(label_selector="in in in")


def test_a_watch_tells_every_change_since_a_list_in_order(scene: Scene) -> None:
    _, version = scene.maps.list()
    created = scene.maps.create(config_map("a"))
    scene.maps.patch(created.key, {"metadata": {"labels": {"colour": "red"}}})
    scene.maps.delete(created.key)
    assert watched(scene.maps, version, 3) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
    assert watched(scene.maps, version, 2, label_selector="colour") == [("ADDED", "a"), ("DELETED", "a")]


def test_a_watch_from_a_forgotten_version_is_gone(scene: Scene) -> None:
    version = scene.maps.create(config_map("a")).resource_version
    scene.maps.create(config_map("b"))
    scene.forget()
    with pytest.raises(Gone), scene.maps.watch(resource_version=version, timeout_seconds=WATCH_SECONDS) as stream:
        next(stream)


def watched(resource: Resource, version: str, count: int, **selectors: str) -> list[tuple[str, str]]:
    with resource.watch(resource_version=version, timeout_seconds=WATCH_SECONDS, **selectors) as stream:  # type: ignore[arg-type]
        changes = (each for each in stream if each.type != "BOOKMARK")
        return [(each.type, each.object.name) for each in islice(changes, count)]


def test_spec_and_status_are_written_apart_and_only_the_spec_counts(scene: Scene) -> None:
    created = scene.sets.create({**stateful_set(), "status": {"replicas": 7}})
    assert created.body()["status"].get("replicas", 0) == 0
    body = created.body()
    body["spec"]["replicas"] = 5
    told = scene.sets.update_status({**body, "status": {"replicas": 3}})
    assert (told.body()["spec"]["replicas"], told.body()["status"]["replicas"]) == (1, 3)
    changed = scene.sets.patch(created.key, {"spec": {"replicas": 4}, "status": {"replicas": 9}})
    assert (changed.body()["spec"]["replicas"], changed.body()["status"]["replicas"]) == (4, 3)
    assert [each.generation for each in (created, told, changed)] == [1, 1, 2]


def test_a_set_is_scaled_by_its_subresource(scene: Scene) -> None:
    created = scene.sets.create(stateful_set())
    scale = scene.sets.patch(created.key, {"spec": {"replicas": 3}}, subresource="scale")
    assert (scale.body()["kind"], scale.body()["spec"]) == ("Scale", {"replicas": 3})
    assert scene.sets.get(created.key).body()["spec"]["replicas"] == 3
    with pytest.raises(Invalid):
        scene.sets.patch(created.key, {"spec": {"replicas": -1}}, subresource="scale")


def test_a_pod_is_bound_once_and_waits_for_its_node_to_end_it(scene: Scene) -> None:
    created = scene.pods.create(pod("p"))
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": "p"},
        "target": {"apiVersion": NODES.api_version, "kind": NODES.kind, "name": "somewhere"},
    }
    scene.pods.subresource_post(created.key, "binding", binding)
    with pytest.raises(Conflict):
        scene.pods.subresource_post(created.key, "binding", binding)
    scene.pods.delete(created.key, grace_period_seconds=5)
    assert scene.pods.get(created.key).body()["metadata"]["deletionGracePeriodSeconds"] == 5
    scene.pods.delete(created.key, grace_period_seconds=0)
    with pytest.raises(NotFound):
        scene.pods.get(created.key)


def test_a_namespace_on_its_way_out_takes_nothing_more(scene: Scene) -> None:
    scene.maps.create({**config_map("a"), "metadata": {"name": "a", "finalizers": ["example.org/hold"]}})
    scene.client.resource(NAMESPACES).delete(ObjectKey("", scene.namespace))
    try:
        with pytest.raises((NotFound, Conflict, Forbidden), match=scene.namespace):
            scene.maps.create(config_map("b"))
    finally:
        with suppress(NotFound):
            scene.maps.patch(scene.key("a"), {"metadata": {"finalizers": None}})
