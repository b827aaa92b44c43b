from __future__ import annotations

import threading
from typing import Any

import pytest
import yaml

from btcctl import (
    CONFIG_MAPS,
    LEASES,
    NAMESPACES,
    STATEFUL_SETS,
    App,
    AppOptions,
    ConnectionRefused,
    Controller,
    Manager,
    NotFound,
    ObjectKey,
    Result,
    ServiceUnavailable,
    SharedInformerFactory,
    TypedKind,
)
from btcctl.clock import sleep
from btcctl.testing import capture_logs, make_env
from tests.unit.testing.bench.operator import build
from tests.unit.typed.databases import Database, DatabaseStatus, database


@pytest.fixture
def env(operator_env):
    return operator_env(build, types=[Database])


def small(reconcile: Any) -> Any:
    """An operator that does only this with config maps."""

    def build_small(client: Any, clock: Any) -> Manager:
        factory = SharedInformerFactory(client, clock=clock)
        controller = Controller.for_(CONFIG_MAPS).build(
            "maps", lambda key: reconcile(client, key), factory, clock=clock
        )
        return Manager(factory, [controller], clock=clock)

    return build_small


def config_map(name: str = "a") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}}


def test_the_whole_story_is_told_in_this_thread(env):
    threads = threading.active_count()
    env.create(database("a", replicas=2))
    assert env.get(Database, "a").status == DatabaseStatus("Pending", 0)
    env.pods("a").ready(2)
    assert env.get(Database, "a").status == DatabaseStatus("Ready", 2)
    assert env.pods("a").names() == ["a-0", "a-1"]
    assert env.events("a") == ["Ready"]
    assert env.writes(STATEFUL_SETS) == ["create default/a"]
    assert env.writes(Database) == ["update default/a/status", "update default/a/status"]
    assert threading.active_count() == threads
    env.assert_quiescent()


def test_what_the_operator_sent_can_be_looked_at(env):
    env.create(database("a"))
    [body] = env.bodies(STATEFUL_SETS)
    assert body["spec"]["replicas"] == 1
    env.clear()
    assert env.calls == []


def test_a_refused_write_comes_back_when_the_server_says(env):
    env.fail("create", STATEFUL_SETS, ServiceUnavailable, retry_after=7)
    env.create(database("a"))
    assert env.key("a").next_try == 7.0
    assert env.key("a").error.startswith("ServiceUnavailable")
    env.advance(6.9)
    assert env.names(STATEFUL_SETS) == []
    env.advance(0.1)
    assert env.names(STATEFUL_SETS) == ["a"]
    assert env.key("a").result == "requeue_after"


def test_a_conflict_is_met_and_overcome(env):
    env.create(database("a"))
    env.conflict(STATEFUL_SETS, times=2)
    env.update(Database, "a", lambda body: body["spec"].update(replicas=5))
    env.advance(1.0)
    assert env.get(STATEFUL_SETS, "a").body()["spec"]["replicas"] == 5
    assert env.writes(STATEFUL_SETS) == ["create default/a", *["update default/a"] * 3]


def test_time_goes_from_due_time_to_due_time(env):
    env.create(database("a"))
    before = len(env.calls)
    assert env.key("a").next_try == 60.0
    env.advance(59.9)
    assert env.key("a").next_try == 60.0
    env.advance(120.1)
    assert env.key("a").next_try == 240.0
    assert env.clock.now() == 180.0
    assert len(env.calls) == before  # looked at three times, and nothing was to be done


def test_a_cache_that_lags_is_waited_for(env):
    env.create(database("a"))
    env.partition(STATEFUL_SETS)
    env.update(Database, "a", lambda body: body["spec"].update(replicas=2))
    assert env.writes(STATEFUL_SETS) == ["create default/a", "update default/a"]
    env.update(Database, "a", lambda body: body["spec"].update(replicas=3))
    assert env.writes(STATEFUL_SETS)[-1] == "update default/a"
    assert env.get(STATEFUL_SETS, "a").body()["spec"]["replicas"] == 2  # held, until its own write is seen
    env.heal()
    assert env.get(STATEFUL_SETS, "a").body()["spec"]["replicas"] == 3


def test_watches_that_end_lose_nothing(env):
    env.drop_watches()
    env.create(database("a"))
    env.too_old()
    env.create(database("b"))
    env.advance(10.0)
    assert env.names(STATEFUL_SETS) == ["a", "b"]


def test_a_server_that_is_away_is_found_again(env):
    env.fail("", None, ConnectionRefused("nobody there"), times=float("inf"))
    env.drop_watches()
    env.create(database("a"))
    env.advance(30.0)
    assert env.names(STATEFUL_SETS) == []
    env.heal()
    env.advance(6.0)
    assert env.names(STATEFUL_SETS) == ["a"]


def test_calls_that_nobody_answers_take_their_time(env):
    env.blackhole(5.0)
    env.create(database("a"))
    assert env.names(STATEFUL_SETS) == []
    env.heal()
    env.advance(2.0)
    assert env.names(STATEFUL_SETS) == ["a"]


def test_a_slow_server_runs_into_the_deadline(env):
    env.delay(25.0, "create", STATEFUL_SETS)
    with capture_logs() as logs:
        env.create(database("a"))
    [failed] = [each for each in logs if each["event"] == "reconcile failed"]
    assert failed["error"] == "DeadlineExceeded: not done within 20 s"
    assert env.clock.now() == 25.0


def test_another_operator_begins_with_empty_caches(env):
    env.create(database("a"))
    calls = len(env.calls)
    env.restart()
    assert [call.verb for call in env.calls[calls:]] == ["list", "list", "watch", "watch"]


def test_an_operator_that_says_when_it_began_is_not_quiescent(operator_env):
    lives: list[int] = []

    def build_restless(client: Any, clock: Any) -> Manager:
        lives.append(len(lives))
        patch = {"data": {"life": str(lives[-1])}}

        def reconcile(client: Any, key: ObjectKey) -> Result:
            client.resource(CONFIG_MAPS).patch(key, patch)
            return Result()

        return small(reconcile)(client, clock)

    env = operator_env(build_restless, objects=[config_map()])
    with pytest.raises(AssertionError, match=r"another look at everything writes \['patch default/a of configmaps'"):
        env.assert_quiescent()


def test_an_operator_that_finds_no_rest_is_told_by_its_keys(operator_env):
    def reconcile(client: Any, key: ObjectKey) -> Result:
        obj = client.resource(CONFIG_MAPS).get(key)
        client.resource(CONFIG_MAPS).patch(key, {"data": {"of": obj.resource_version}})
        return Result()

    with pytest.raises(AssertionError, match="no rest: reconciled at one instant: maps default/a 1001 times"):
        operator_env(small(reconcile), objects=[config_map()])


def test_a_wait_in_a_reconcile_moves_time_and_takes_none(operator_env):
    def reconcile(client: Any, key: ObjectKey) -> Result:
        sleep(100.0, client.clock)
        return Result()

    env = operator_env(small(reconcile), objects=[config_map()])
    assert env.clock.now() == 100.0


def test_a_clock_of_ones_own_is_noticed(operator_env):
    def build_blind(client: Any) -> Manager:
        factory = SharedInformerFactory(client)
        return Manager(factory, [Controller.for_(CONFIG_MAPS).build("maps", lambda key: Result(), factory)])

    with pytest.raises(AssertionError, match="controller maps has a clock of its own"):
        operator_env(build_blind)


@pytest.mark.parametrize("number", range(50))
def test_fifty_benches_take_no_time(env, number):
    env.create(database(f"db-{number}", replicas=2))
    env.pods(f"db-{number}").ready(2)
    assert env.get(Database, f"db-{number}").status == DatabaseStatus("Ready", 2)


RIGHTS = """
kind: ClusterRole
rules:
- {apiGroups: [pgdb.example.org], resources: [databases], verbs: [list, watch]}
- {apiGroups: [pgdb.example.org], resources: [databases/status], verbs: [update]}
- {apiGroups: [apps], resources: [statefulsets], verbs: [list, watch, create, update]}
- {apiGroups: [""], resources: [events], verbs: [create, patch]}
- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, create, update]}
"""


def test_the_rights_that_were_used_are_those_that_are_granted(env, tmp_path):
    manifest = tmp_path / "rbac.yaml"
    manifest.write_text(RIGHTS)
    env.create(database("a", replicas=1))
    env.pods("a").ready(1)
    env.update(Database, "a", lambda body: body["spec"].update(replicas=2))
    env.assert_rbac(manifest, beside=[LEASES])
    assert {
        "apiGroups": ["apps"],
        "resources": ["statefulsets"],
        "verbs": ["list", "watch", "create", "update"],
    } in env.rbac()


def test_a_right_too_many_or_too_few_fails_the_test(env, tmp_path):
    manifest = tmp_path / "rbac.yaml"
    manifest.write_text(RIGHTS.replace("[databases/status], verbs: [update]", "[databases/status], verbs: [patch]"))
    env.create(database("a"))
    with pytest.raises(
        AssertionError, match=r"missing: update databases/status.pgdb.example.org; superfluous: create events, "
    ):
        env.assert_rbac(manifest, beside=[LEASES])


def test_who_may_say_an_event_may_say_it_again(env, tmp_path):
    manifest = tmp_path / "rbac.yaml"
    manifest.write_text(RIGHTS.replace("[events], verbs: [create, patch]", "[events], verbs: [create]"))
    env.create(database("a", replicas=1))
    env.pods("a").ready(1)
    env.update(Database, "a", lambda body: body["spec"].update(replicas=2))
    with pytest.raises(AssertionError, match="missing: patch events"):
        env.assert_rbac(manifest, beside=[LEASES])


def test_rights_without_a_manifest_say_how_it_is_made_and_are_then_written(env, tmp_path):
    manifest = tmp_path / "manifests" / "rbac.yaml"
    env.create(database("a"))
    with pytest.raises(AssertionError, match=r"there is no .*rbac\.yaml: `pytest --write-rbac` writes it"):
        env.assert_rbac(manifest, beside=[LEASES])
    env.writes_rbac = True
    env.assert_rbac(manifest, beside=[LEASES])
    [role] = yaml.safe_load_all(manifest.read_text())
    assert (role["kind"], role["metadata"]["name"]) == ("ClusterRole", env.client.field_manager)
    assert {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "verbs": ["get", "create", "update"],
    } in role["rules"]
    env.writes_rbac = False
    env.assert_rbac(manifest, beside=[LEASES])


def test_an_empty_manifest_without_leases_beside_gets_what_was_used_alone(env, tmp_path):
    manifest = tmp_path / "rbac.yaml"
    manifest.touch()
    env.create(database("a"))
    env.writes_rbac = True
    env.assert_rbac(manifest)
    env.writes_rbac = False
    env.assert_rbac(manifest)


def test_what_is_annotated_as_an_app_gets_one_whatever_it_is_called(operator_env):
    def build_small(operator: App) -> None:
        operator.controller(CONFIG_MAPS).reconciles(lambda key: Result())

    env = operator_env(build_small, objects=[config_map()])
    assert env.key("a").result == "success"


def test_who_takes_its_client_for_an_app_is_told(operator_env):
    with pytest.raises(AttributeError) as raised:
        operator_env(lambda it: it.controller(CONFIG_MAPS))
    assert "has a parameter `app`" in raised.value.__notes__[0]


def test_an_object_of_a_kind_that_was_not_named_says_where_to_name_it(operator_env):
    env = operator_env(lambda app: app.controller(CONFIG_MAPS).reconciles(lambda key: Result()))
    with pytest.raises(NotFound) as raised:
        env.create(database("a"))
    assert "types=[Database]" in raised.value.__notes__[0]


def test_a_fault_of_a_verb_that_there_is_not_is_refused(env):
    with pytest.raises(ValueError, match="no call has the verb 'upate': create, delete, "):
        env.fail("upate", CONFIG_MAPS, ServiceUnavailable)


def test_a_change_that_makes_another_body_is_told_that_it_would_be_ignored(env):
    env.create(database())
    with pytest.raises(TypeError, match="change returned a body, which would be ignored"):
        env.update(Database, "a", lambda body: {**body, "spec": {"engine": "mysql"}})


@pytest.mark.parametrize(
    ("options", "complaint"), [({"types": Database}, r"types=\[…\]"), ({"objects": database()}, r"objects=\[…\]")]
)
def test_one_kind_or_object_alone_is_no_list_of_them(operator_env, options, complaint):
    with pytest.raises(TypeError, match=f"is one alone, must be several: {complaint}"):
        operator_env(build, **options)


def test_a_bench_is_on_one_of_three_servers():
    with pytest.raises(ValueError, match="server is 'fale', must be 'fake', 'embedded' or 'real'"):
        make_env("fale", build)


def test_a_key_that_is_in_no_namespace_is_called_by_its_name(operator_env):
    def build_watching(app: App) -> None:
        app.controller(NAMESPACES).reconciles(lambda _: Result(requeue_after=30.0))

    env = operator_env(build_watching)
    env.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "blue"}})
    assert env.key("blue").next_try == 30.0
    assert env.key("nobody").result == ""


def test_which_of_several_controllers_is_meant_has_to_be_said(operator_env):
    def build_two(app: App) -> None:
        app.controller(NAMESPACES).reconciles(lambda _: Result())
        app.controller(CONFIG_MAPS).reconciles(lambda _: Result(requeue_after=5.0))

    env = operator_env(build_two)
    env.create(config_map())
    with pytest.raises(AssertionError, match=r"controller=….* namespaces, configmaps"):
        env.key("a")
    assert env.key("a", "configmaps").next_try == 5.0


def test_an_operator_whose_kind_is_not_served_is_not_quiescent(operator_env):
    def build_watching(app: App) -> None:
        app.controller(Database).reconciles(lambda _: Result())

    env = operator_env(build_watching)
    with pytest.raises(AssertionError, match=r"nothing was looked at of databases.pgdb.example.org: list: 404"):
        env.assert_quiescent()


def test_a_mapping_that_raises_is_not_quiescent(operator_env):
    def build_mapping(app: App) -> None:
        app.controller(Database).watches(CONFIG_MAPS, lambda obj: [obj.body()["data"]["of"]]).reconciles(
            lambda _: Result()
        )

    env = operator_env(build_mapping, types=[Database], objects=[config_map()])
    with pytest.raises(AssertionError, match=r"told of an object.*configmaps"):
        env.assert_quiescent()


def test_an_object_is_named_by_its_key_too(env):
    env.create(database("a"))
    key = env.get(Database, "a").key
    env.update(Database, key, lambda body: body["spec"].update(replicas=3))
    assert env.get(Database, key).spec.replicas == 3
    assert env.key(key) == env.key("a")
    assert env.get(TypedKind(STATEFUL_SETS, dict[str, Any]), key)["spec"]["replicas"] == 3
    env.delete(Database, key)
    assert env.names(Database) == []
    with pytest.raises(TypeError, match="named by a text or an ObjectKey"):
        env.get(Database, None)


def test_an_operator_of_some_namespaces_is_tested_as_such(operator_env):
    def build_watching(app: App) -> None:
        app.controller(CONFIG_MAPS).reconciles(lambda _: Result(requeue_after=9.0))

    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "blue"}}
    env = operator_env(build_watching, objects=[namespace], options=AppOptions(namespaces=("blue",)))
    env.create(config_map(), {**config_map(), "metadata": {"name": "a", "namespace": "blue"}})
    assert env.key("blue/a").next_try == 9.0
    assert env.key("default/a").result == ""
    env.assert_quiescent()
    assert {each.key.namespace for each in env.calls if each.resource == "configmaps"} == {"blue"}


def test_options_for_what_takes_no_app_are_refused(operator_env):
    with pytest.raises(TypeError, match=r"have a build\(app\)"):
        operator_env(build, types=[Database], options=AppOptions(workers=3))
    with pytest.raises(TypeError, match="AppOptions"):
        operator_env(build, types=[Database], options={"workers": 3})
