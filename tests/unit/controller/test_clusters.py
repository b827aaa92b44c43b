"""Several clusters with threads, and what is refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from btcctl import (
    CONFIG_MAPS,
    Clusters,
    Controller,
    ControllerOptions,
    EventRecorder,
    InformerMetrics,
    Manager,
    Metrics,
    ObjectKey,
    ObjectReference,
    Result,
    ready_checks,
)
from btcctl.errors import ConnectionRefused
from btcctl.events.metrics import EventMetrics
from btcctl.testing import FakeClient
from btcctl.threads import Latch
from tests.unit.app.greeter import ConfigMap, Greeting, greeting

REAL_LIMIT_SECONDS = 60.0


def config_map(name: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}}


class Scene:
    """A controller of one worker in two clusters. A reconcile in the west hangs, as a call to a dead server does."""

    def __init__(self) -> None:
        self.east, self.west = FakeClient(config_map("a")), FakeClient(config_map("a"), config_map("b"))
        self.clusters = Clusters({"east": self.east, "west": self.west})
        self.metrics = Metrics()
        self.go_on, self.east_done, self.hangs = threading.Event(), threading.Event(), threading.Event()
        self.told: list[str] = []
        self.controller = Controller.for_(CONFIG_MAPS).build(
            "maps", self.reconcile, self.clusters, options=ControllerOptions(workers=1), metrics=self.metrics
        )
        self.manager = Manager(self.clusters, [self.controller])

    def reconcile(self, key: ObjectKey) -> Result:
        self.told.append(str(key))
        if key.cluster == "west":
            self.hangs.set()
            self.go_on.wait(REAL_LIMIT_SECONDS)
        elif self.hangs.wait(REAL_LIMIT_SECONDS):
            self.east_done.set()
        return Result()


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.go_on.set()
    scene.manager.stop()


def wait_for(condition: object) -> None:
    latch = Latch()
    for _ in range(6000):
        if condition():  # type: ignore[operator]
            return
        latch.wait(0.01)
    raise AssertionError("it does not come")


def test_reconciles_that_hang_in_one_cluster_have_not_the_workers_of_another(scene):
    scene.manager.start()
    assert scene.hangs.wait(REAL_LIMIT_SECONDS)
    assert scene.east_done.wait(REAL_LIMIT_SECONDS)
    wait_for(lambda: scene.controller.waiting_in_clusters() == {"east": 0, "west": 1})
    assert not scene.controller.idle()
    assert [each for each in scene.told if each.startswith("west")] in (["west:default/a"], ["west:default/b"])
    scene.go_on.set()
    wait_for(scene.controller.idle)
    assert sorted(scene.told) == ["east:default/a", "west:default/a", "west:default/b"]


def test_a_stop_finishes_the_keys_that_wait_for_others_of_their_cluster(scene):
    scene.manager.start()
    assert scene.hangs.wait(REAL_LIMIT_SECONDS)
    wait_for(lambda: scene.controller.waiting_in_clusters() == {"east": 0, "west": 1})
    scene.controller.begin_stop(REAL_LIMIT_SECONDS)
    wait_for(lambda: scene.controller.queue.is_shut_down)
    scene.go_on.set()
    scene.manager.stop()
    assert sorted(scene.told) == ["east:default/a", "west:default/a", "west:default/b"]


def test_a_cluster_that_does_not_answer_is_named_by_readyz_and_the_others_are_worked_at(scene):
    scene.hangs.set()
    scene.west.reactors.append(refuse)
    checks = ready_checks(scene.manager)
    scene.manager.start()
    assert scene.east_done.wait(REAL_LIMIT_SECONDS)
    assert "west:configmaps (list: " in checks["cluster-west"]()
    assert (checks["cluster-east"](), checks["caches"]()) == ("", "")
    assert not any(each.startswith("west") for each in scene.told)
    scene.west.reactors.clear()
    wait_for(lambda: scene.told.count("west:default/a") == 1)
    assert checks["cluster-west"]() == ""


def test_a_key_that_is_enqueued_waits_for_its_cluster_s_caches_as_others_do(scene):
    scene.hangs.set()
    scene.go_on.set()
    scene.west.reactors.append(refuse)
    scene.controller.enqueue(ObjectKey("default", "c", "west"))
    scene.manager.start()
    scene.controller.enqueue(ObjectKey("default", "c", "east"))
    wait_for(lambda: "east:default/c" in scene.told)
    assert scene.controller.waiting_in_clusters()["west"] == 1
    scene.west.reactors.clear()
    wait_for(lambda: "west:default/c" in scene.told)


@pytest.mark.parametrize("key", [ObjectKey("default", "a"), ObjectKey("default", "a", "north")])
def test_a_key_of_no_cluster_that_is_watched_is_not_enqueued(scene, key):
    with pytest.raises(ValueError, match="none of the clusters that maps watches: east, west"):
        scene.controller.enqueue(key)


def refuse(action: object) -> None:
    raise ConnectionRefused("nobody there")


def test_metrics_say_of_which_cluster(scene):
    scene.go_on.set()
    scene.hangs.set()
    scene.metrics.registry.register(InformerMetrics(lambda: scene.clusters.informers))
    scene.manager.start()
    wait_for(lambda: len(scene.told) == 3 and scene.controller.idle())
    text = scene.metrics.text().decode()
    assert 'informer_objects{cluster="west",name="configmaps"} 2.0' in text
    assert 'reconcile_total{cluster="east",controller="maps",result="success"} 1.0' in text
    assert 'btcctl_cluster_waiting_keys{cluster="west",controller="maps"} 0.0' in text
    assert 'controller_runtime_max_concurrent_reconciles{controller="maps"} 2.0' in text


def test_an_event_is_written_in_its_object_s_cluster_and_counted_there():
    home, west = FakeClient(), FakeClient()
    recorder, metrics = EventRecorder(home, "someone", clusters={"west": west}), Metrics()
    metrics.registry.register(EventMetrics(recorder))
    recorder.start()
    for cluster in ("west", "", "unheard-of"):
        recorder.event(ObjectReference("v1", "Pod", "default", "a", cluster=cluster), "Normal", "Seen", cluster)
    assert recorder.flush() == 0
    recorder.stop()
    assert [len(each.writes) for each in (home, west)] == [2, 1]
    assert 'events_dropped_total{cluster="west"} 0.0' in metrics.text().decode()


@pytest.fixture
def clusters() -> Clusters:
    return Clusters({name: FakeClient(greeting_body(), types=[Greeting]) for name in ("east", "west")})


def greeting_body() -> dict[str, object]:
    spec = {"name": "Ada"}
    return {"apiVersion": "example.org/v1", "kind": "Greeting", "spec": spec} | {
        "metadata": {"name": "a", "namespace": "default"}
    }


WEST = ObjectKey("default", "a", "west")


def test_what_was_read_says_where(clusters):
    found = clusters["west"].client.resource(Greeting).get(ObjectKey("default", "a"))
    assert (found.cluster, found.key, str(found.key)) == ("west", WEST, "west:default/a")
    [listed] = clusters["west"].client.resource(Greeting).untyped.list()[0]
    assert listed.key == WEST
    assert clusters.of(found) is clusters.of(WEST) is clusters["west"]


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.resource(Greeting).get(WEST),
        lambda client: client.resource(Greeting).patch(WEST, {"spec": {}}),
        lambda client: client.resource(Greeting).delete(WEST),
        lambda client: client.resource(Greeting).wait_until(WEST, bool, timeout=1.0),
    ],
)
def test_a_client_refuses_the_key_of_another_cluster(clusters, call):
    with pytest.raises(ValueError, match="west:default/a is no object of cluster east"):
        call(clusters["east"].client)
    with pytest.raises(ValueError, match="west:default/a is no object of the only cluster"):
        call(FakeClient(types=[Greeting]))


def test_a_lister_refuses_the_key_of_another_cluster_rather_than_call_it_gone(clusters):
    lister = clusters["east"].factory.informer(Greeting).lister
    with pytest.raises(ValueError, match="no object of cluster east"):
        lister.get(WEST)
    both = clusters.informer(Greeting).lister
    with pytest.raises(LookupError, match="the key does not say which cluster"):
        both.get(ObjectKey("default", "a"))
    with pytest.raises(LookupError, match="there is no cluster north; there are: east, west"):
        both.get(ObjectKey("default", "a", "north"))


def test_an_owner_in_another_cluster_is_refused(clusters):
    owner = clusters["west"].client.resource(Greeting).get(WEST)
    child = ConfigMap()
    child.metadata.name = "a"
    with pytest.raises(ValueError, match="cannot own an object in another cluster"):
        clusters["east"].client.resource(ConfigMap).apply(child, owner=owner)


def test_each_of_several_clusters_needs_a_name():
    for clients in ({}, {"": FakeClient(), "west": FakeClient()}):
        with pytest.raises(ValueError, match="each cluster needs a name"):
            Clusters(clients)


def test_the_home_may_be_a_cluster_that_is_not_looked_after():
    home, west = FakeClient(), FakeClient()
    clusters = Clusters({"west": west}, home=home)
    assert ([*clusters], clusters.home.name) == (["west"], "")
    assert clusters.of(ObjectKey("default", "a")) is clusters.home
    assert Clusters({"east": home, "west": west}, home=west).home.name == "west"


def test_one_that_is_stopped_is_stopped_everywhere(clusters):
    informers = [*clusters.informer(Greeting)]
    clusters.start()
    assert all(each.wait_for_sync(REAL_LIMIT_SECONDS) for each in informers)
    clusters.stop()
    assert all(each.is_stopped for each in informers)
    assert greeting().key == ObjectKey("default", "a"), "one that was made here is nowhere yet"
