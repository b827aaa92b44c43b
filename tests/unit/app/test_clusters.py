"""One operator in several clusters, on the bench."""

from __future__ import annotations

import math

import pytest

from btcctl import (
    CONFIG_MAPS,
    SECRETS,
    App,
    ConnectionRefused,
    Metadata,
    Object,
    ObjectKey,
    Result,
    ServiceUnavailable,
    drop_managed_fields,
)
from btcctl.app.app import AppOptions
from tests.unit.app.greeter import ConfigMap, Greeting, GreetingStatus, greeting

CLUSTERS = ["east", "west"]


class Seen:
    """An operator that copies each greeting into a config map of its own cluster, and notes which keys it was told."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def build(self, app: App) -> None:
        cached = app.clusters.informer(Greeting).lister
        maps = app.clusters.informer(ConfigMap).lister

        def reconcile(key: ObjectKey) -> Result:
            self.keys.append(str(key))
            found = cached.get(key)
            if found is None:
                return Result()
            client = app.clusters.of(found).client
            wanted = ConfigMap(metadata=Metadata(name=found.name), data={"text": found.spec.name})
            client.resource(ConfigMap).apply(wanted, owner=found, cached=maps.get(key))
            if found.status is None:
                app.recorder.event(found, "Normal", "Copied", "for all to see")
            client.resource(Greeting).write_status(found, GreetingStatus(said=True))
            return Result()

        app.controller(Greeting).owns(ConfigMap).reconciles(reconcile)


@pytest.fixture
def seen() -> Seen:
    return Seen()


def test_namesakes_in_two_clusters_are_two_objects(operator_env, seen):
    env = operator_env(seen.build, types=[Greeting], clusters=CLUSTERS)
    env.create(greeting())
    env.clusters["west"].create(greeting())
    assert {"east:default/a", "west:default/a"} == {*seen.keys}
    env.delete(Greeting, "a")
    assert env.names(ConfigMap) == []
    assert env.clusters["west"].names(ConfigMap) == ["a"]


def test_events_and_status_are_written_where_the_object_is(operator_env, seen):
    env = operator_env(seen.build, types=[Greeting], clusters=CLUSTERS)
    west = env.clusters["west"]
    west.create(greeting())
    assert west.get(Greeting, "a").status == GreetingStatus(said=True)
    assert (env.events(), west.events("a")) == ([], ["Copied"])
    assert (env.writes(), west.writes()) == ([], ["patch default/a", "update default/a/status"])


def test_a_child_that_changes_leads_to_the_owner_in_its_own_cluster(operator_env, seen):
    env = operator_env(seen.build, types=[Greeting], clusters=CLUSTERS)
    env.create(greeting())
    env.clusters["west"].create(greeting())
    seen.keys.clear()
    env.clusters["west"].delete(ConfigMap, "a")
    assert {*seen.keys} == {"west:default/a"}
    assert env.clusters["west"].names(ConfigMap) == ["a"]


def test_a_cluster_that_is_away_from_the_start_holds_up_nobody_and_is_looked_after_when_it_comes(operator_env, seen):
    env = operator_env(seen.build, types=[Greeting], clusters=CLUSTERS)
    west = env.clusters["west"]
    west.fail("", None, ConnectionRefused, times=math.inf)
    env.restart()
    env.create(greeting())
    west.create(greeting("b"))
    assert (env.names(ConfigMap), west.names(ConfigMap)) == (["a"], [])
    env.heal()
    env.advance(60.0)
    assert west.names(ConfigMap) == ["b"]


def test_keys_of_a_cluster_wait_for_all_its_caches(operator_env, seen):
    env = operator_env(seen.build, types=[Greeting], clusters=CLUSTERS)
    west = env.clusters["west"]
    west.create(greeting())
    west.fail("list", ConfigMap, ServiceUnavailable, times=math.inf)
    seen.keys.clear()
    env.restart()
    assert seen.keys == []
    env.heal()
    env.advance(60.0)
    assert {*seen.keys} == {"west:default/a"}


def test_a_write_is_waited_for_in_the_cache_of_its_own_cluster(operator_env, seen):
    env = operator_env(seen.build, types=[Greeting], clusters=CLUSTERS)
    env.clusters["west"].partition(Greeting)
    env.create(greeting())
    assert env.key("a").next_try is None, "the other cluster's cache lags, and is none of its business"
    env.heal()
    env.clusters["west"].create(greeting())
    assert env.clusters["west"].key("a").result == "success"


def test_what_a_mapping_names_is_in_the_object_s_cluster_unless_it_says_another(operator_env):
    told: list[str] = []

    def build(app: App) -> None:
        def reconcile(key: ObjectKey) -> Result:
            told.append(str(key))
            return Result()

        def keys_of(secret: Object) -> list[ObjectKey]:
            return [ObjectKey("default", secret.name), ObjectKey("default", secret.name, "east")]

        app.controller(Greeting).watches(SECRETS, keys_of).reconciles(reconcile)

    env = operator_env(build, types=[Greeting], clusters=CLUSTERS)
    env.clusters["west"].create({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}})
    assert sorted(told) == ["east:default/s", "west:default/s"]


def test_what_is_watched_in_the_home_alone_leads_to_the_others(operator_env):
    told: list[str] = []

    def build(app: App) -> None:
        def reconcile(key: ObjectKey) -> Result:
            told.append(str(key))
            return Result()

        everywhere = [*app.clusters]
        (
            app.controller(Greeting)
            .watches(
                CONFIG_MAPS,
                lambda obj: [ObjectKey("default", obj.name, each) for each in everywhere],
                informer=app.factory.informer(CONFIG_MAPS),
            )
            .reconciles(reconcile)
        )

    env = operator_env(build, types=[Greeting], clusters=CLUSTERS)
    env.clusters["west"].create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "unseen"}})
    env.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "rules"}})
    assert sorted(told) == ["east:default/rules", "west:default/rules"]


def test_timers_look_at_the_objects_of_every_cluster(operator_env):
    told: list[str] = []

    def build(app: App) -> None:
        app.every(60.0, Greeting, lambda key: told.append(str(key)), jitter=0.0)

    env = operator_env(build, types=[Greeting], clusters=CLUSTERS)
    env.create(greeting())
    env.clusters["west"].create(greeting())
    told.clear()
    env.advance(60.0)
    assert sorted(told) == ["east:default/a", "west:default/a"]


def test_a_coroutine_reconciles_in_every_cluster(operator_env):
    told: list[str] = []

    def build(app: App) -> None:
        async def reconcile(key: ObjectKey) -> Result:
            told.append(str(key))
            return Result()

        app.controller(Greeting).reconciles(reconcile)

    env = operator_env(build, types=[Greeting], clusters=CLUSTERS)
    env.create(greeting())
    env.clusters["west"].create(greeting())
    assert told == ["east:default/a", "west:default/a"]


def test_an_index_is_read_in_all_clusters_and_says_where_each_is(operator_env):
    found: list[str] = []

    def build(app: App) -> None:
        greetings = app.clusters.informer(Greeting)
        greetings.add_index("name", lambda obj: [obj.spec.name])

        def reconcile(key: ObjectKey) -> Result:
            found[:] = [str(each.key) for each in greetings.lister.by_index("name", "Ada")]
            return Result()

        app.controller(Greeting).reconciles(reconcile)

    env = operator_env(build, types=[Greeting], clusters=CLUSTERS)
    env.create(greeting())
    env.clusters["west"].create(greeting("b"))
    assert found == ["east:default/a", "west:default/b"]


def test_a_transform_that_makes_its_objects_anew_leaves_them_where_they_are(operator_env):
    told: list[str] = []

    def build(app: App) -> None:
        anew = App(
            app.client,
            "anew",
            clock=app.clock,
            options=AppOptions(transform=lambda obj: Object.from_body(drop_managed_fields(obj).body())),
            clusters={name: each.client for name, each in app.clusters.items()},
        )
        anew.controller(Greeting).reconciles(lambda key: told.append(str(key)) or Result())  # type: ignore[func-returns-value]
        for each in anew.manager().controllers:
            app.add(each)
        app.clusters = anew.clusters

    env = operator_env(build, types=[Greeting], clusters=CLUSTERS)
    env.clusters["west"].create(greeting())
    assert told == ["west:default/a"]
