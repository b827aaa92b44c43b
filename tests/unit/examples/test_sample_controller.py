"""How a controller on this toolkit is tested without a server: the sample controller on the bench."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from btcctl import DEPLOYMENTS, EVENTS, LEASES, Invalid, ServiceUnavailable
from btcctl.testing import OperatorEnv, assert_crds
from tests import pages

EXAMPLES = Path(__file__).parents[3] / "examples"
example: Any = pages.load(EXAMPLES / "sample_controller.py")


@pytest.fixture
def env(operator_env: Callable[..., OperatorEnv]) -> OperatorEnv:
    return operator_env(example.build, types=[example.Foo], field_manager="sample-controller")


def foo(replicas: int = 1):
    return example.Foo.named("foo", example.FooSpec("web", replicas), namespace="default")


def test_a_new_foo_gets_a_deployment_and_a_status(env):
    env.create(foo(replicas=2))
    assert env.writes() == ["create default/web", "update default/foo/status"]
    assert env.get(DEPLOYMENTS, "web").body()["spec"]["replicas"] == 2
    assert env.events("foo") == ["Synced"]
    env.assert_quiescent()


def test_the_status_follows_the_pods(env):
    env.create(foo(replicas=3))
    env.pods("web").ready(2)
    assert env.get(example.Foo, "foo").status == example.FooStatus(available_replicas=2)


def test_a_foo_that_is_gone_is_no_reason_to_write(env):
    env.create(foo())
    env.clear()
    env.delete(example.Foo, "foo")
    assert env.names(DEPLOYMENTS) == []
    assert env.writes() == []


def test_a_deployment_that_is_refused_leaves_the_status_alone_until_it_is_made(env):
    env.fail("create", DEPLOYMENTS, ServiceUnavailable, retry_after=3)
    env.create(foo())
    assert env.writes() == ["create default/web"]
    env.advance(3.0)
    assert env.writes() == ["create default/web", "create default/web", "update default/foo/status"]


def test_a_deployment_of_another_is_left_alone_and_an_event_says_so(env):
    labels = {"app": "theirs"}
    spec = {"replicas": 5, "selector": {"matchLabels": labels}, "template": example.pods(labels)}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default"}}
    env.create({**body, "spec": spec}, foo())
    assert env.events("foo") == ["ErrResourceExists"]
    assert env.get(DEPLOYMENTS, "web").body()["spec"]["replicas"] == 5


def test_the_definition_refuses_a_foo_that_is_too_big(env):
    env.create(foo())
    with pytest.raises(Invalid, match="replicas"):
        env.update(example.Foo, "foo", lambda body: body["spec"].update(replicas=11))


def test_what_is_granted_is_what_is_used(env):
    env.create(foo())
    env.update(example.Foo, "foo", lambda body: body["spec"].update(replicas=2))
    env.assert_rbac(EXAMPLES / "manifests" / "sample-controller-rbac.yaml", beside=[LEASES, EVENTS])


def test_the_definition_says_what_the_types_say():
    assert_crds(EXAMPLES / "manifests" / "sample-controller-crd.yaml", example)
