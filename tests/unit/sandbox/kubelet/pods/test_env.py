"""The environment of a container."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from btcctl.sandbox.kubelet.pods.env import EnvSources, MissingReferenceError, expand, resolve_env

POD = {
    "metadata": {"name": "net-0", "namespace": "ns", "uid": "u", "labels": {"app": "net"}},
    "spec": {"nodeName": "node"},
}
SECRETS = {"login": {"data": {"user": base64.b64encode(b"alice").decode(), "1bad": "eA=="}}}
CONFIG_MAPS = {"settings": {"data": {"mode": "fast", "user": "bob"}}}
SOURCES = EnvSources(secret=SECRETS.get, config_map=CONFIG_MAPS.get)


def resolve(*, env: list[dict[str, Any]] | None = None, env_from: list[dict[str, Any]] | None = None) -> dict[str, str]:
    container = {"name": "c", "env": env or [], "envFrom": env_from or []}
    return resolve_env(POD, container, SOURCES, {"status.podIP": "127.5.0.2"})


def from_(variable: str, kind: str, /, **reference: Any) -> dict[str, Any]:
    return {"name": variable, "valueFrom": {kind: reference}}


def test_literals_secrets_and_config_maps():
    assert resolve(
        env=[
            {"name": "A", "value": "1"},
            {"name": "EMPTY"},
            from_("USER", "secretKeyRef", name="login", key="user"),
            from_("MODE", "configMapKeyRef", name="settings", key="mode"),
        ]
    ) == {"A": "1", "EMPTY": "", "USER": "alice", "MODE": "fast"}


def test_whole_secrets_and_config_maps_later_ones_win_and_env_wins_over_them():
    env_from = [{"secretRef": {"name": "login"}}, {"configMapRef": {"name": "settings"}}]
    assert resolve(env_from=env_from) == {"user": "bob", "mode": "fast"}
    assert resolve(env_from=env_from, env=[{"name": "mode", "value": "slow"}])["mode"] == "slow"


def test_a_prefix_goes_before_each_name_and_names_that_cannot_be_are_left_out():
    assert resolve(env_from=[{"secretRef": {"name": "login"}}]) == {"user": "alice"}
    assert resolve(env_from=[{"prefix": "P_", "secretRef": {"name": "login"}}]) == {"P_user": "alice", "P_1bad": "x"}


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        (from_("X", "secretKeyRef", name="gone", key="k"), 'secret "gone" not found'),
        (from_("X", "secretKeyRef", name="login", key="k"), "couldn't find key k in Secret ns/login"),
        (from_("X", "configMapKeyRef", name="gone", key="k"), 'configmap "gone" not found'),
        (from_("X", "configMapKeyRef", name="settings", key="k"), "couldn't find key k in ConfigMap ns/settings"),
        (from_("X", "fieldRef", fieldPath="spec.nope"), "the pod has no field spec.nope"),
        (from_("X", "resourceFieldRef", resource="limits.cpu"), "cannot fill X from resourceFieldRef"),
    ],
)
def test_what_is_missing_is_named(variable, message):
    with pytest.raises(MissingReferenceError, match=message):
        resolve(env=[variable])


@pytest.mark.parametrize("kind", ["secretKeyRef", "configMapKeyRef"])
def test_what_is_optional_may_be_missing(kind):
    assert resolve(env=[from_("X", kind, name="gone", key="k", optional=True)]) == {}


@pytest.mark.parametrize("kind", ["secretRef", "configMapRef"])
def test_whole_ones_may_be_optional_too(kind):
    assert resolve(env_from=[{kind: {"name": "gone", "optional": True}}]) == {}
    with pytest.raises(MissingReferenceError, match="gone"):
        resolve(env_from=[{kind: {"name": "gone"}}])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "net-0"),
        ("metadata.namespace", "ns"),
        ("metadata.labels['app']", "net"),
        ("metadata.annotations['none']", ""),
        ("spec.nodeName", "node"),
        ("status.podIP", "127.5.0.2"),
    ],
)
def test_fields_of_the_pod(path, value):
    assert resolve(env=[from_("X", "fieldRef", fieldPath=path)]) == {"X": value}


def test_a_secret_that_is_no_text_is_an_error():
    sources = EnvSources(secret=lambda _: {"data": {"k": "/w=="}}, config_map=lambda _: None)
    with pytest.raises(MissingReferenceError, match="cannot be an environment variable"):
        resolve_env(POD, {"envFrom": [{"secretRef": {"name": "s"}}]}, sources, {})


def test_a_value_may_use_the_variables_before_it():
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)-$(C)-$$(A)"}, {"name": "C", "value": "3"}]
    assert resolve(env=env)["B"] == "1-$(C)-$(A)"


def test_text_without_variables_is_left_alone():
    assert expand("a $b $ ()", {"b": "x"}) == "a $b $ ()"
