from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from btcctl.errors import ConfigError
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.kubeconfig import load
from btcctl.testing import capture_logs
from btcctl.testing.clock import FakeClock

CLUSTER = {"server": "https://one.example:6443"}

TAKEN = """
current-context: x
contexts: [{{name: x, context: {{cluster: c{user}}}}}]
clusters: [{{name: c, cluster: {{server: "https://one.example"{cluster}}}}}]
{more}
"""


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
        {"name": "other", "context": {"cluster": "c", "user": "u", "namespace": "ons"}},
    ]
    config = load_document(document({}, contexts=contexts), "other")
    assert (config.namespace, config.source.rpartition(", ")[2]) == ("ons", "context other")


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
        ('a: "\\UFFFFFFFF"', "config: not YAML: malformed"),
        ("- a", "config is not a kubeconfig"),
        ("a: .inf", "config: not YAML: malformed"),
        (TAKEN.format(user="", cluster=', certificate-authority: "\\ud800"', more=""), "config: not YAML: malformed"),
        ("contexts: {a: b}", "config: contexts must be a list, not a mapping"),
        ("kind: Pod", "apiVersion '' and kind 'Pod' are no kubeconfig's; it has apiVersion: v1, kind: Config"),
        ("users: [{name: 5}]", "config: users[0].name must be a text, not a number; put it in quotes"),
        ("users: [{name: u}, {name: u}]", "config: users[1].name: there are two users 'u'"),
        ("a: &a [*a]", "config, line 1: not YAML: a value contains itself"),
        ("", "has no current-context; choose one with --context; it has no contexts"),
        (document(current_context=""), "has no current-context; choose one with --context; contexts there: x"),
        (document(current_context="prod"), "has no context 'prod'; contexts there: x"),
        (document(contexts=[{"name": "x", "context": {"user": "u"}}]), "the context names no cluster"),
        (
            document(contexts=[{"name": "x", "context": {"cluster": "d", "user": "u"}}]),
            "no cluster 'd'; clusters there: c",
        ),
        (document(clusters=[{"name": "c", "cluster": {}}]), "clusters[0].cluster.server is missing"),
        (document({"token": "t"}, {"server": "one.example"}), "clusters[0].cluster.server 'one.example' has no scheme"),
        (document({}, {"server": "ftp://one"}), "is not a URL like https://host:6443"),
        (document({}, {"server": "https://u:secret@one:x"}), "is not a URL like https://host:6443"),
        (document({}, {"proxy-url": "ftp://u:secret@p"}), "clusters[0].cluster.proxy-url has the scheme 'ftp'; use"),
        (document({}, {"proxy-url": "secret"}), "clusters[0].cluster.proxy-url is not a URL like http://proxy:3128"),
        (document({"as-groups": ["admins"]}), "users[0].user has as-uid, as-groups or as-user-extra without as"),
        (document({"as": "a\nb"}), "users[0].user: impersonation: 'a\\nb' has characters that no HTTP header may have"),
        (
            document({}, {"certificate-authority": "/nope"}),
            "certificate-authority: /nope cannot be read: No such",
        ),
        (document({}, {"certificate-authority": "a\0b"}), "cluster.certificate-authority has a null character"),
        (document({}, {"certificate-authority-data": "QQ =="}), "certificate-authority-data is not base64"),
        (
            document({}, {"certificate-authority-data": "QQ==", "insecure-skip-tls-verify": True}),
            "cluster.insecure-skip-tls-verify is true, and there is a certificate-authority, too",
        ),
        (
            document({}, {"insecure-skip-tls-verify": "false"}),
            "skip-tls-verify must be true or false, not a text",
        ),
        (document({}, {"insecure-skip-tls-verify": 0}), "insecure-skip-tls-verify must be true or false, not a number"),
        (document({"token": 123}), "users[0].user.token must be a text, not a number; put it in quotes"),
        (document({"as-groups": "admins"}), "users[0].user.as-groups must be a list, not a text"),
        (document({"client-certificate-data": "QQ=="}), "client certificate without its key: give client-key"),
        (document({"token": "a\nb"}), "users[0].user.token contains characters"),
        (document({"token": "a", "username": "b"}), "has a token and a user name with a password"),
        (document({"tokenFile": "/nope"}), "token file /nope: No such file or directory; named by kubeconfig"),
        (document({"auth-provider": {"name": "azure", "config": {}}}), "no credentials came of it"),
        (
            document({"exec": {"apiVersion": "v1"}}),
            "users[0].user.exec.command is missing",
        ),
        (
            document({"exec": {"command": "x", "apiVersion": "v1"}}),
            "user.exec.apiVersion 'v1' is not supported",
        ),
        (document({"exec": {"command": "x"}, "auth-provider": {"name": "oidc"}}), "has exec and auth-provider"),
    ],
)
def test_what_is_wrong_is_said(load_document, whole: object, complaint: str):
    with pytest.raises(ConfigError) as caught:
        load_document(whole)
    assert complaint in str(caught.value)
    assert "config" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_broken_yaml_is_not_quoted(load_document):
    with pytest.raises(ConfigError) as caught:
        load_document("token: 's3cret\nusers: [")
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_unreadable_file_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=f"kubeconfig {tmp_path} cannot be read"):
        load([tmp_path])


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"user": ", user: ''"},
        {"user": ", user: u", "more": "users: [{name: u, user: null}]"},
        {"user": ", user: u", "more": "users: [null, {name: u}]"},
        {"user": ", user: u", "more": "users: [{name: u, user: {name-nobody-knows: 5}}]"},
        {"more": "users: null\npreferences: {colors: true}"},
        {"more": "apiVersion: v1\nkind: Config"},
        {"more": "current-context: x\n---\n- another document"},
        {"cluster": ", insecure-skip-tls-verify: null"},
        {"cluster": ", insecure-skip-tls-verify: no"},
        {"cluster": ", tls-server-name: 12:30"},
        {"cluster": ", tls-server-name: 2020-01-31"},
        {"cluster": ", tls-server-name: !!str 5"},
        {"cluster": ", tls-server-name: 1e999"},
        {"cluster": ", disable-compression: true"},
        {"cluster": ", extensions: [{name: e, extension: {a: [1.5, .5e3, 0x1f, 0o17, ~]}}]"},
    ],
)
def test_what_kubectl_takes_is_taken(load_document, parts: dict[str, str]):
    config = load_document(TAKEN.format(**{"user": "", "cluster": "", "more": "", **parts}))
    assert config.credentials.authorization() == ""
    assert not config.tls.insecure


def test_json_indented_by_tabs_is_taken(load_document):
    config = load_document(json.dumps(document({"token": "abc"}), indent="\t"))
    assert config.credentials.authorization() == "Bearer abc"


def test_a_context_of_an_unknown_user_goes_on_as_nobody_and_says_so(load_document):
    whole = document(contexts=[{"name": "x", "context": {"cluster": "c", "user": "gone"}}])
    with capture_logs() as logs:
        assert load_document(whole).credentials.authorization() == ""
    assert [(each["log_level"], each["user"]) for each in logs] == [("warning", "gone")]


def test_a_server_without_a_scheme_is_https_if_anything_is_said_of_tls(load_document):
    assert load_document(document({}, {"server": "one:1"})).host == "http://one:1"
    tls = {"server": "one:1", "insecure-skip-tls-verify": True}
    assert load_document(document({"token": "t"}, tls)).host == "https://one:1"


def test_an_empty_file_among_several_is_none(tmp_path: Path):
    empty, full = tmp_path / "empty", tmp_path / "full"
    empty.write_text("")
    full.write_text(yaml.safe_dump(document({"token": "abc"})))
    assert load([empty, full]).credentials.authorization() == "Bearer abc"


def test_fields_come_in_by_merge_keys_and_aliases(load_document):
    whole = """
current-context: x
contexts: [{name: x, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {<<: &base {server: "https://one.example", tls-server-name: a}, tls-server-name: b}}]
users: [{name: u, user: {token: &token abc}}, {name: v, user: {token: *token}}]
"""
    config = load_document(whole)
    assert (config.host, config.tls.server_name) == ("https://one.example", "b")
    assert config.credentials.authorization() == "Bearer abc"


def test_aliases_that_multiply_are_refused_and_not_filled_in(load_document):
    eightfold = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]" for n in range(1, 9)]
    with pytest.raises(ConfigError, match="line 7: not YAML: too large with its aliases filled in"):
        load_document("\n".join(["a0: &a0 [x, x, x, x, x, x, x, x]", *eightfold]))


def test_a_token_serves_until_the_token_file_can_be_read(load_document, tmp_path: Path):
    (tmp_path / "token").write_text("of-file")
    whole = document({"token": "of-entry", "tokenFile": "token"})
    assert load_document(whole).credentials.authorization() == "Bearer of-file"
    (tmp_path / "token").unlink()
    assert load_document(whole).credentials.authorization() == "Bearer of-entry"


def test_a_proxy_is_taken_over_and_not_shown(load_document):
    config = load_document(document({}, {"proxy-url": "http://u:s3cret@proxy:3128"}))
    assert config.proxy_url == "http://u:s3cret@proxy:3128"
    assert "s3cret" not in repr((config, vars(config)))


def test_whom_to_act_as_is_taken_over(load_document):
    user = {"as": "ann", "as-uid": "7", "as-groups": ["g", "h"], "as-user-extra": {"Scope/x": ["1", "2"]}}
    impersonation = load_document(document(user)).impersonation
    assert impersonation is not None
    assert impersonation.headers() == (
        ("Impersonate-User", "ann"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Group", "g"),
        ("Impersonate-Group", "h"),
        ("Impersonate-Extra-Scope%2Fx", "1"),
        ("Impersonate-Extra-Scope%2Fx", "2"),
    )


def test_a_login_without_the_package_for_it_says_what_to_install(load_document, monkeypatch):
    for name in ("kubernetes", "kubernetes.config.kube_config", "oauthlib.oauth2"):
        monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed
    with pytest.raises(ConfigError, match=r"pip install 'btcctl\[oidc\]'"):
        load_document(document({"auth-provider": {"name": "oidc", "config": {"id-token": "x"}}}))
