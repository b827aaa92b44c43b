from __future__ import annotations

import json

import pytest
import yaml

from btcctl.cli.main import main

ME = "system:serviceaccount:default:me"


def event(verb: str, resource: str, user: str = ME, code: int = 200, **reference: str) -> str:
    body = {"kind": "Event", "verb": verb, "user": {"username": user}, "responseStatus": {"code": code}}
    return json.dumps({**body, "objectRef": {"resource": resource, **reference}})


@pytest.fixture
def audit(tmp_path):
    path = tmp_path / "audit.log"
    lines = [
        event("list", "pods"),
        event("watch", "pods"),
        event("patch", "deployments", code=201, apiGroup="apps", name="a"),
        event("delete", "secrets", user="alice", name="s"),
        json.dumps({"kind": "Event", "verb": "get", "user": {"username": ME}, "requestURI": "/version"}),
        "",
    ]
    path.write_text("\n".join(lines))
    return path


def test_the_least_role_for_a_user_is_printed(audit, capsys):
    assert main(["rbac", "--from-audit", str(audit), "--user", ME, "--name", "mine"], {}) == 0
    role = yaml.safe_load(capsys.readouterr().out)
    assert role["metadata"]["name"] == "mine"
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create", "patch"]},
    ]


def test_a_manifest_that_differs_is_told_how(audit, tmp_path, capsys):
    main(["rbac", "--from-audit", str(audit), "--user", ME], {})
    manifest = tmp_path / "rbac.yaml"
    manifest.write_text(capsys.readouterr().out)
    assert main(["rbac", "--from-audit", str(audit), "--user", ME, "--check", str(manifest)], {}) == 0
    manifest.write_text(manifest.read_text().replace("watch", "delete"))
    assert main(["rbac", "--from-audit", str(audit), "--user", ME, "--check", str(manifest)], {}) == 1
    assert "missing: watch pods; superfluous: delete pods" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "line 1: no audit event"),
        ('{"kind": "Pod"}', "line 1: no audit event, but of kind 'Pod'"),
        ("", "no request"),
    ],
)
def test_what_is_no_audit_log_is_bad_usage(tmp_path, capsys, text, complaint):
    path = tmp_path / "audit.log"
    path.write_text(text)
    assert main(["rbac", "--from-audit", str(path)], {}) == 2
    assert complaint in capsys.readouterr().err


def test_a_user_of_whom_the_log_knows_nothing_is_bad_usage(audit, tmp_path, capsys):
    assert main(["rbac", "--from-audit", str(audit), "--user", "bob"], {}) == 2
    assert f"of bob; there are requests of alice, {ME}" in capsys.readouterr().err
    assert main(["rbac", "--from-audit", str(tmp_path / "no.log")], {}) == 2
