from __future__ import annotations

import base64
import logging
from pathlib import Path
from typing import Any

import pytest
import yaml

from btcctl.errors import ConfigError
from btcctl.rest.config import ClientConfig
from btcctl.rest.kubeconfig import load
from btcctl.testing.clock import FakeClock

CLUSTER = {"server": "https://one.example:6443"}


def document(
    user: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    whole = {
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {**CLUSTER, **(cluster or {})}}],
        "users": [{"name": "u", "user": user or {}}],
    }
    return {**whole, **{name.replace("_", "-"): value for name, value in changes.items()}}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def load_document(tmp_path: Path, clock: FakeClock):
    def write_and_load(whole: object, context: str | None = None) -> ClientConfig:
        path = tmp_path / "config"
        path.write_text(whole if isinstance(whole, str) else yaml.safe_dump(whole))
        return load([path], context, clock=clock)

    return write_and_load


def test_a_token_in_the_file_is_used(load_document):
    config = load_document(document({"token": "abc"}))
    assert config.host == "https://one.example:6443"
    assert config.credentials.authorization() == "Bearer abc"
    assert config.namespace == "default"


def test_a_user_and_password_are_basic_authentication(load_document):
    config = load_document(document({"username": "ann", "password": "pw"}))
    assert config.credentials.authorization() == "Basic " + base64.b64encode(b"ann:pw").decode()


def test_a_user_without_anything_is_anonymous(load_document):
    assert load_document(document({})).credentials.authorization() == ""


def test_a_token_file_is_found_beside_the_kubeconfig_and_followed(load_document, tmp_path: Path):
    (tmp_path / "token").write_text("one")
    credentials = load_document(document({"tokenFile": "token"})).credentials
    assert credentials.authorization() == "Bearer one"
    (tmp_path / "token").write_text("two")
    assert credentials.rejected("Bearer one")
    assert credentials.authorization() == "Bearer two"


def test_embedded_certificates_become_data_and_leave_no_files(load_document, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "tmp").mkdir()
    ca, certificate, key = (base64.b64encode(each).decode() for each in (b"CA", b"CERT", b"KEY"))
    user = {"client-certificate-data": certificate, "client-key-data": key}
    config = load_document(document(user, {"certificate-authority-data": ca}))
    assert (config.tls.ca_data, config.tls.client_data) == (b"CA", b"CERT\nKEY")
    assert "certificate-authority-data in kubeconfig" in config.tls.ca_source
    assert list((tmp_path / "tmp").iterdir()) == []
    assert "KEY" not in repr(config)


def test_the_same_embedded_certificate_can_be_loaded_twice(load_document):
    whole = document({}, {"certificate-authority-data": base64.b64encode(b"twice").decode()})
    assert load_document(whole).tls.ca_data == load_document(whole).tls.ca_data == b"twice"


def test_certificate_files_are_found_beside_the_kubeconfig_and_stay_files(load_document, tmp_path: Path):
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).write_text(name)
    user = {"client-certificate": "cert.pem", "client-key": "key.pem"}
    tls = load_document(document(user, {"certificate-authority": "ca.pem"})).tls
    assert tls.files == [tmp_path / "ca.pem", tmp_path / "cert.pem", tmp_path / "key.pem"]
    assert str(tmp_path / "ca.pem") in tls.ca_source


def test_the_server_name_and_the_wish_not_to_verify_are_taken_over(load_document):
    tls = load_document(document({}, {"tls-server-name": "api", "insecure-skip-tls-verify": True})).tls
    assert (tls.server_name, tls.insecure) == ("api", True)


def test_another_context_can_be_chosen(load_document):
    contexts = [
        {"name": "x", "context": {"cluster": "c", "user": "u"}},
        {"name": "y", "context": {"cluster": "c", "user": "u", "namespace": "yns"}},
    ]
    config = load_document(document({}, contexts=contexts), "y")
    assert (config.namespace, config.source.rpartition(", ")[2]) == ("yns", "context y")


def test_of_several_files_the_first_that_has_a_name_wins(tmp_path: Path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text(yaml.safe_dump({"users": [{"name": "u", "user": {"token": "first"}}]}))
    second.write_text(yaml.safe_dump(document({"token": "second"})))
    config = load([first, second])
    assert config.credentials.authorization() == "Bearer first"
    assert config.host == "https://one.example:6443"


@pytest.mark.parametrize(
    ("whole", "complaint"),
    [
        ("a: [", "config, line 1: not YAML"),
        ("", "config is empty"),
        ("- a", "config is not a kubeconfig"),
        ("contexts: {a: b}", "contexts must be a list of entries with name and context"),
        ("users: [{user: {}}]", "users must be a list of entries with name and user"),
        (document(current_context=""), "has no current-context; choose one with --context; contexts there: x"),
        ({"kind": "Config"}, "has no current-context; choose one with --context; it has no contexts"),
        (document(current_context="prod"), "has no context 'prod'; contexts there: x"),
        (document(contexts=[{"name": "x", "context": {"user": "u"}}]), "the context names no cluster"),
        (document(contexts=[{"name": "x", "context": {"cluster": "c"}}]), "the context names no user"),
        (
            document(contexts=[{"name": "x", "context": {"cluster": "d", "user": "u"}}]),
            "no cluster 'd'; clusters there: c",
        ),
        (document(contexts=[{"name": "x", "context": {"cluster": "c", "user": "v"}}]), "no user 'v'; users there: u"),
        (document(clusters=[{"name": "c", "cluster": {}}]), "its cluster has no server"),
        (document({}, {"server": "one.example"}), "is not a URL like https://host:6443"),
        (document({}, {"proxy-url": "http://p"}), "proxy-url is not supported"),
        (document({"as": "root"}), "impersonation"),
        (document({}, {"certificate-authority": "/nope"}), "/nope"),
        (document({"client-certificate-data": "QQ=="}), "client certificate without its key"),
        (document({"token": "a\nb"}), "the token contains characters"),
        (document({"tokenFile": "/nope"}), "/nope"),
        (document({"auth-provider": {"name": "azure", "config": {}}}), "no credentials came of it"),
    ],
)
def test_what_is_wrong_is_said(load_document, whole: object, complaint: str):
    with pytest.raises(ConfigError) as caught:
        load_document(whole)
    assert complaint in str(caught.value)


def test_broken_yaml_is_not_quoted(load_document):
    with pytest.raises(ConfigError) as caught:
        load_document("token: 's3cret\nusers: [")
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_unreadable_file_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=f"kubeconfig {tmp_path} cannot be read"):
        load([tmp_path])


def test_a_plugins_token_is_used_and_its_command_found_beside_the_kubeconfig(load_document, tmp_path: Path):
    config = load_document(plugin(tmp_path, '{"token": "from-plugin"}'))
    assert config.credentials.authorization() == "Bearer from-plugin"


def test_a_refused_token_of_a_plugin_is_asked_for_again(load_document, tmp_path: Path, clock: FakeClock):
    config = load_document(plugin(tmp_path, '{"token": "one"}'))
    clock.advance(60.0)
    plugin(tmp_path, '{"token": "two"}')
    assert config.credentials.rejected("Bearer one")
    assert config.credentials.authorization() == "Bearer two"


def test_a_token_without_an_end_is_kept_until_it_is_refused(load_document, tmp_path: Path, clock: FakeClock):
    config = load_document(plugin(tmp_path, '{"token": "one"}'))
    plugin(tmp_path, '{"token": "two"}')
    clock.advance(1e6)
    assert config.credentials.authorization() == "Bearer one"


def test_a_plugin_is_not_run_for_every_request_that_is_refused(load_document, tmp_path: Path, clock: FakeClock):
    config = load_document(plugin(tmp_path, '{"token": "one"}'))
    plugin(tmp_path, '{"token": "two"}')
    clock.advance(9.0)
    assert not config.credentials.rejected("Bearer one")
    assert config.credentials.authorization() == "Bearer one"


def test_an_expired_token_of_a_plugin_is_replaced_before_it_is_used(load_document, tmp_path: Path, clock: FakeClock):
    config = load_document(plugin(tmp_path, '{"token": "one", "expirationTimestamp": "2020-01-01T00:00:00Z"}'))
    assert config.credentials.authorization() == "Bearer one"
    clock.advance(60.0)
    plugin(tmp_path, '{"token": "two"}')
    assert config.credentials.authorization() == "Bearer two"


def test_a_plugin_may_hand_out_a_certificate(load_document, tmp_path: Path):
    config = load_document(plugin(tmp_path, '{"clientCertificateData": "CERT", "clientKeyData": "KEY"}'))
    assert config.credentials.authorization() == ""
    assert config.tls.client_data == b"CERT\nKEY"


def test_a_plugin_that_fails_is_an_error_with_its_words_and_nothing_is_printed(
    load_document, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    broken = plugin(tmp_path, "{}", "echo no session >&2; exit 3")
    broken["users"][0]["user"]["exec"]["installHint"] = "run: gimme login"
    with caplog.at_level(logging.DEBUG), pytest.raises(ConfigError) as caught:
        load_document(broken)
    assert "exec: process returned 3. no session; run: gimme login" in str(caught.value)
    assert caplog.records == []


def test_a_plugin_that_is_not_installed_is_named(load_document, tmp_path: Path):
    whole = plugin(tmp_path, "{}")
    whole["users"][0]["user"]["exec"]["command"] = "surely-not-installed"
    with pytest.raises(ConfigError, match="surely-not-installed"):
        load_document(whole)


def plugin(directory: Path, status: str, script: str = "") -> dict[str, Any]:
    """A kubeconfig whose user comes from a plugin that answers `status`."""
    answer = f'{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {status}}}'
    path = directory / "bin" / "plugin"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script or f'echo {answer!r}'}\n")
    path.chmod(0o700)
    return document({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "bin/plugin", "args": []}})
