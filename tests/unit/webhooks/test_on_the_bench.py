"""An operator with hooks on the bench: what is written passes them, and they are registered as on a real server."""

from __future__ import annotations

import base64

import pytest

from btcctl import (
    MUTATING_WEBHOOK_CONFIGURATIONS,
    SECRETS,
    VALIDATING_WEBHOOK_CONFIGURATIONS,
    Conflict,
    Invalid,
)
from tests.unit.webhooks.volumes import Volume, build, volume


def test_what_is_written_passes_the_hooks(operator_env):
    env = operator_env(build, types=[Volume])
    env.create(volume())
    assert env.get(Volume, "a").status.phase == "Ready fast"
    with pytest.raises(Invalid, match=r"denied the request: spec\.size: must end with Gi") as refused:
        env.create(volume("b", "1Mi"))
    assert [each["field"] for each in refused.value.causes] == ["spec.size"]
    env.create(volume("c", labels={"protected": "true"}))
    with pytest.raises(Invalid, match="is protected"):
        env.delete(Volume, "c")


def test_another_life_of_the_operator_changes_nothing_of_what_is_registered(operator_env):
    env = operator_env(build, types=[Volume])
    env.create(volume())
    env.assert_quiescent()
    with pytest.raises(Invalid):
        env.create(volume("b", "1Mi"))


def test_certificates_are_renewed_as_time_goes_by_and_hooks_are_still_asked(operator_env):
    env = operator_env(build, types=[Volume])
    before = env.get(SECRETS, "operator-webhooks").body()["data"]
    env.advance(61 * 86_400)
    after = env.get(SECRETS, "operator-webhooks").body()["data"]
    assert before["tls.crt"] != after["tls.crt"]
    assert before["ca.crt"] == after["ca.crt"]
    bundle = env.get(VALIDATING_WEBHOOK_CONFIGURATIONS, "operator").body()["webhooks"][0]["clientConfig"]["caBundle"]
    assert base64.b64decode(bundle) == base64.b64decode(after["ca.crt"])


def test_what_somebody_changes_is_put_right(operator_env):
    env = operator_env(build, types=[Volume])
    env.delete(MUTATING_WEBHOOK_CONFIGURATIONS, "operator")
    assert env.names(MUTATING_WEBHOOK_CONFIGURATIONS) == ["operator"]
    env.update(
        VALIDATING_WEBHOOK_CONFIGURATIONS, "operator", lambda body: body["webhooks"][0].update(failurePolicy="Ignore")
    )
    hooks = env.get(VALIDATING_WEBHOOK_CONFIGURATIONS, "operator").body()["webhooks"]
    assert [each["failurePolicy"] for each in hooks] == ["Fail", "Fail"]


def test_of_two_copies_that_write_at_once_one_reads_again(operator_env):
    env = operator_env(build, types=[Volume])
    env.conflict(SECRETS)
    env.advance(61 * 86_400)
    assert len([each for each in env.writes(SECRETS) if each.startswith("update")]) == 2
    env.fail("create", SECRETS, Conflict)
    env.delete(SECRETS, "operator-webhooks")
    assert env.names(SECRETS) == []
    env.advance(1.0)
    assert env.names(SECRETS) == ["operator-webhooks"]


def test_the_certificates_of_somebody_else_are_only_read(operator_env):
    made = operator_env(build, types=[Volume]).get(SECRETS, "operator-webhooks").body()
    data = {name: made["data"][name] for name in ("tls.crt", "tls.key", "ca.crt")}
    theirs = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "operator-webhooks", "namespace": "default"},
        "type": "kubernetes.io/tls",
        "data": data,
    }
    env = operator_env(build, types=[Volume], objects=[theirs])
    env.advance(61 * 86_400)
    assert env.writes(SECRETS) == []
    bundle = env.get(VALIDATING_WEBHOOK_CONFIGURATIONS, "operator").body()["webhooks"][0]["clientConfig"]["caBundle"]
    assert bundle == data["ca.crt"]


def test_the_rights_that_hooks_take_are_seen_like_all_others(operator_env):
    env = operator_env(build, types=[Volume])
    rules = {(each["apiGroups"][0], *each["resources"]): each["verbs"] for each in env.rbac()}
    configurations = ("mutatingwebhookconfigurations", "validatingwebhookconfigurations")
    assert rules["admissionregistration.k8s.io", *configurations] == ["list", "watch", "create", "patch"]
    assert rules["", "secrets"] == ["list", "watch", "create", "update"]  # the certificates are made anew in 60 days
