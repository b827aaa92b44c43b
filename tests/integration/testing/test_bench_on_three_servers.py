"""One test of an operator, on FakeClient, on the embedded server over HTTP, and on a real one."""

from __future__ import annotations

import pytest

from btcctl import STATEFUL_SETS, App, ObjectKey, Result, ServiceUnavailable, add_finalizer
from btcctl.testing.bench.making import fresh_namespace
from tests.unit.testing.bench.operator import build
from tests.unit.typed.databases import Database, DatabaseStatus, database

pytestmark = pytest.mark.servers("fake", "embedded", "real")


@pytest.fixture
def env(operator_env):
    namespace = fresh_namespace()
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    return operator_env(build, types=[Database], objects=[body], namespace=namespace)


def mine(env, replicas: int = 1) -> Database:
    db = database("a", replicas)
    db.metadata.namespace = env.namespace
    return db


def test_the_story_is_the_same_on_each_server(env):
    env.create(mine(env, replicas=2))
    assert env.get(Database, "a").status == DatabaseStatus("Pending", 0)
    env.pods("a").ready(2)
    assert env.get(Database, "a").status == DatabaseStatus("Ready", 2)
    assert env.writes(STATEFUL_SETS) == [f"create {env.namespace}/a"]
    assert env.events("a") == ["Ready"]
    env.assert_quiescent()


def test_faults_and_time_are_the_test_s_on_each_server(env):
    env.fail("create", STATEFUL_SETS, ServiceUnavailable, retry_after=7)
    env.create(mine(env))
    assert env.key("a").next_try == 7.0
    env.advance(6.9)
    assert env.names(STATEFUL_SETS) == []
    env.advance(0.1)
    assert env.names(STATEFUL_SETS) == ["a"]


def test_a_cache_lags_on_each_server_when_it_shall(env):
    env.create(mine(env))
    env.partition(STATEFUL_SETS)
    env.update(Database, "a", lambda body: body["spec"].update(replicas=2))
    env.update(Database, "a", lambda body: body["spec"].update(replicas=3))
    assert env.get(STATEFUL_SETS, "a").body()["spec"]["replicas"] == 2
    env.heal()
    assert env.get(STATEFUL_SETS, "a").body()["spec"]["replicas"] == 3
    env.drop_watches()
    env.update(Database, "a", lambda body: body["spec"].update(replicas=4))
    env.advance(6.0)
    assert env.get(STATEFUL_SETS, "a").body()["spec"]["replicas"] == 4


def test_what_a_server_has_forgotten_is_listed_when_the_test_says_so(env):
    env.create(mine(env))
    env.too_old(Database)
    env.update(Database, "a", lambda body: body["spec"].update(replicas=2))
    assert env.get(STATEFUL_SETS, "a").body()["spec"]["replicas"] == 1
    env.advance(6.0)
    assert env.get(STATEFUL_SETS, "a").body()["spec"]["replicas"] == 2


def test_what_a_finalizer_keeps_goes_with_the_bench(operator_env):
    def build_keeping(app: App) -> None:
        resource = app.client.resource(Database)

        def reconcile(key: ObjectKey) -> Result:
            found = resource.find(key)
            if found is not None and found.deletion_timestamp is None:
                add_finalizer(resource, found, "pgdb.example.org/kept")
            return Result()

        app.controller(Database).reconciles(reconcile)

    namespace = fresh_namespace()
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    env = operator_env(build_keeping, types=[Database], objects=[body], namespace=namespace)
    env.create(mine(env))
    env.delete(Database, "a")
    assert [*env.get(Database, "a").finalizers] == ["pgdb.example.org/kept"]
