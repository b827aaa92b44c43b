"""Credential plugins as real processes: what they are told, what their answers may be, and that none stays behind."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from btcctl.clock import SYSTEM_CLOCK
from btcctl.deadline import limited_to
from btcctl.errors import ConfigError, DeadlineExceeded, TransportError
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.kubeconfig import load
from btcctl.testing import capture_logs
from btcctl.testing.clock import FakeClock
from tests.integration.rest.servers import SocketServer, always
from tests.integration.support import eventually

VERSION = "client.authentication.k8s.io/v1"
ONE = {"token": "one", "expirationTimestamp": "2020-01-01T00:00:00Z"}


class Plugin:
    """A shell script that gives credentials, and a kubeconfig that names it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clock = FakeClock()
        self.entry: dict[str, Any] = {"apiVersion": VERSION, "command": "bin/plugin", "args": []}
        self.cluster: dict[str, Any] = {"server": "https://one.example:6443"}
        (directory / "bin").mkdir()

    def says(self, text: str) -> None:
        """Let it run these lines of shell from now on."""
        path = self.directory / "bin" / "plugin"
        path.write_text(f"#!/bin/sh\ncd {self.directory}; echo $$ >> pids\n{text}\n")
        path.chmod(0o700)

    def answers(self, status: object, **whole: Any) -> None:
        answer = {"apiVersion": VERSION, "kind": "ExecCredential", "status": status, **whole}
        self.says(f"cat <<'END'\n{json.dumps(answer)}\nEND")

    def load(self) -> ClientConfig:
        path = self.directory / "config"
        whole = {
            "current-context": "x",
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": self.cluster}],
            "users": [{"name": "u", "user": {"exec": self.entry}}],
        }
        path.write_text(yaml.safe_dump(whole))
        return load([path], clock=self.clock)

    @property
    def pids(self) -> list[int]:
        """Of every run, and of what a run has started and noted."""
        return [int(each) for each in (self.directory / "pids").read_text().split()]

    def is_gone(self) -> bool:
        return not any(is_alive(each) for each in self.pids)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.fixture
def plugin(tmp_path: Path) -> Plugin:
    return Plugin(tmp_path)


def test_its_token_is_used_and_its_command_found_beside_the_kubeconfig(plugin: Plugin):
    plugin.answers({"token": "from-plugin"})
    assert plugin.load().credentials.authorization() == "Bearer from-plugin"


def test_it_may_hand_out_a_certificate(plugin: Plugin):
    plugin.answers({"clientCertificateData": "CERT", "clientKeyData": "KEY"})
    config = plugin.load()
    assert config.credentials.authorization() == ""
    assert config.tls.client_data == b"CERT\nKEY"
    assert "KEY" not in repr(config)


def test_it_is_told_what_it_may_know(plugin: Plugin, tmp_path: Path):
    (tmp_path / "ca.pem").write_bytes(b"THE CA")
    extension = {"audience": "x", "level": 3, "ratio": 0.5, "on": True}
    plugin.cluster.update(
        {
            "certificate-authority": "ca.pem",
            "tls-server-name": "api",
            "proxy-url": "http://proxy:3128",
            "extensions": [{"name": "client.authentication.k8s.io/exec", "extension": extension}],
        }
    )
    plugin.entry.update({"provideClusterInfo": True, "args": ["a b"], "env": [{"name": "OWN", "value": "yes"}]})
    plugin.says(
        'echo "$KUBERNETES_EXEC_INFO" > info; echo "$1 $OWN" > own\n'
        f'echo \'{{"apiVersion": "{VERSION}", "kind": "ExecCredential", "status": {{"token": "t"}}}}\''
    )
    plugin.load()
    assert json.loads((tmp_path / "info").read_text()) == {
        "kind": "ExecCredential",
        "apiVersion": VERSION,
        "spec": {
            "interactive": False,
            "cluster": {
                "server": "https://one.example:6443",
                "tls-server-name": "api",
                "certificate-authority-data": base64.b64encode(b"THE CA").decode(),
                "proxy-url": "http://proxy:3128",
                "config": extension,
            },
        },
    }
    assert (tmp_path / "own").read_text() == "a b yes\n"


def test_it_is_not_run_if_the_file_itself_says_who_we_are(plugin: Plugin, tmp_path: Path):
    plugin.says("exit 1")
    path = tmp_path / "config"
    path.write_text(
        "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n"
        "clusters: [{name: c, cluster: {server: 'https://x'}}]\n"
        f"users: [{{name: u, user: {{token: abc, exec: {{command: bin/plugin, apiVersion: {VERSION}}}}}}}]\n"
    )
    assert load([path]).credentials.authorization() == "Bearer abc"
    assert not (tmp_path / "pids").exists()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"says": "echo no session >&2; exit 3"}, "exit status 3: no session; run: gimme login"),
        ({"says": "kill -9 $$"}, "ended by signal 9"),
        ({"says": "echo token=s3cret Bearer s3cret >&2; exit 1"}, "exit status 1: token=*** "),
        ({"says": "echo abcdefghijklmnopqrstuvwxyz0123456789s3cret >&2; exit 1"}, "exit status 1: ***"),
        ({"says": "echo $OWN >&2; exit 1", "env": [{"name": "OWN", "value": "my-s3cret"}]}, "exit status 1: ***"),
        ({"says": "echo s3cret"}, "its answer is no ExecCredential: not JSON"),
        ({"says": "head -c 2000000 /dev/zero"}, "answered with more than 1 MiB"),
        ({"says": "exit 0"}, "its answer is no ExecCredential: not JSON"),
        ({"status": {"token": 5}}, "no ExecCredential: Expected `str | null`, got `int` - at `$.status.token`"),
        ({"status": None}, "it answered with neither a token nor a certificate"),
        ({"status": {"clientKeyData": "s3cret"}}, "a certificate without its key, or the reverse"),
        ({"status": {"token": "a\ns3cret"}}, "the plugin's token contains characters"),
        (
            {"status": {"token": "s3cret", "expirationTimestamp": "tomorrow"}},
            "'tomorrow' is no time like",
        ),
        ({"status": {"token": "s3cret", "expirationTimestamp": "0001-01-01T00:00:00+14:00"}}, "is no time"),
        ({"status": {"token": "s3cret", "expirationTimestamp": 7}}, "got `int` - at `$.status.expirationTimestamp`"),
        ({"status": {"token": "s3cret"}, "whole": {"kind": "Pod"}}, "it answered with 'Pod' of"),
        ({"status": {"token": "s3cret"}, "whole": {"apiVersion": "v1"}}, "and exec.apiVersion says client."),
        ({"command": "surely-not-installed"}, "surely-not-installed is not installed; run: gimme login"),
        ({"command": "/dev/null"}, "/dev/null cannot be run: Permission denied"),
        ({"args": ["a\0b"]}, "cannot be run: embedded null byte"),
        ({"env": [{"value": "x"}]}, "exec.env has an entry without a name"),
        ({"interactiveMode": "Always"}, "interactiveMode is Always, and standard input is no terminal"),
        ({"interactiveMode": "Perhaps"}, "exec.interactiveMode 'Perhaps' is none of"),
    ],
)
def test_what_is_wrong_with_it_is_said_without_secrets(
    plugin: Plugin, change: dict[str, Any], complaint: str, caplog: pytest.LogCaptureFixture, capfd
):
    if "says" in change:
        plugin.says(change.pop("says"))
    else:
        plugin.answers(change.pop("status", {"token": "s3cret"}), **change.pop("whole", {}))
    plugin.entry.update({"installHint": "run: gimme login", **change})
    with pytest.raises(ConfigError) as caught:
        plugin.load()
    assert complaint in str(caught.value)
    assert str(caught.value).startswith(f"kubeconfig {plugin.directory}/config: users[0].user.exec")
    assert "s3cret" not in str(caught.value)
    assert (caplog.records, capfd.readouterr()) == ([], ("", ""))


def test_a_grandchild_that_keeps_the_pipe_open_is_not_waited_for_and_ends(plugin: Plugin):
    plugin.says(
        "sleep 300 & echo $! >> pids\n"
        f'echo \'{{"apiVersion": "{VERSION}", "kind": "ExecCredential", "status": {{"token": "t"}}}}\''
    )
    began = SYSTEM_CLOCK.now()
    assert plugin.load().credentials.authorization() == "Bearer t"
    assert SYSTEM_CLOCK.now() - began < 30.0
    eventually(plugin.is_gone)


def test_at_the_deadline_of_whoever_waits_it_is_killed_with_what_it_has_started(plugin: Plugin):
    plugin.answers(ONE)
    credentials = plugin.load().credentials
    plugin.says("sleep 300 & echo $! >> pids; trap '' TERM; sleep 300")
    plugin.clock.advance(60.0)
    began = SYSTEM_CLOCK.now()
    with pytest.raises(DeadlineExceeded), limited_to(3.0, SYSTEM_CLOCK):  # it has started its own by then
        credentials.authorization()
    assert 2.9 < SYSTEM_CLOCK.now() - began < 60.0
    eventually(plugin.is_gone)
    assert len(plugin.pids) == 3


def test_the_first_login_has_a_deadline_too(plugin: Plugin):
    plugin.says("sleep 300")
    began = SYSTEM_CLOCK.now()
    with pytest.raises(DeadlineExceeded), limited_to(0.5, SYSTEM_CLOCK):
        plugin.load()
    assert SYSTEM_CLOCK.now() - began < 60.0
    eventually(plugin.is_gone)


@pytest.mark.parametrize("answer", [ONE, {"token": "one"}])
def test_a_plugin_that_hangs_costs_a_call_no_more_than_its_timeout(plugin: Plugin, answer: dict[str, str]):
    """With a credential that has ended it is run before the request, with one that is refused after it."""
    with SocketServer([always(status=401)]) as server:
        plugin.cluster["server"] = server.url
        plugin.answers(answer)
        client = ApiClient.from_config(plugin.load(), timeout=1.0)
        plugin.says("sleep 300 & echo $! >> pids; sleep 300")
        plugin.clock.advance(60.0)
        began = SYSTEM_CLOCK.now()
        with client, pytest.raises(DeadlineExceeded, match="not done within"):
            client.server_version()
        assert 0.9 < SYSTEM_CLOCK.now() - began < 60.0
        assert len(server.requests) == (0 if answer is ONE else 1)
    eventually(plugin.is_gone)


def test_all_who_need_a_new_credential_wait_for_one_run(plugin: Plugin):
    plugin.answers(ONE)
    credentials = plugin.load().credentials
    plugin.answers({"token": "two"})
    (plugin.directory / "bin" / "plugin").write_text(
        (plugin.directory / "bin" / "plugin").read_text().replace("\ncat", "\nsleep 0.3; cat")
    )
    plugin.clock.advance(60.0)
    got = in_threads(8, credentials.authorization)
    assert got == ["Bearer two"] * 8
    assert len(plugin.pids) == 2


def test_one_that_fails_is_not_run_again_at_once_and_its_failure_is_repeated(plugin: Plugin):
    plugin.answers(ONE)
    credentials = plugin.load().credentials
    plugin.says("echo provider is down >&2; exit 1")
    plugin.clock.advance(60.0)
    with capture_logs():
        for _ in range(5):
            with pytest.raises(TransportError, match="exit status 1: provider is down"):
                credentials.authorization()
        assert len(plugin.pids) == 2
        plugin.answers({"token": "two"})
        plugin.clock.advance(13.0)
    assert credentials.authorization() == "Bearer two"


def test_a_refused_token_is_asked_for_again(plugin: Plugin):
    plugin.answers({"token": "one"})
    credentials = plugin.load().credentials
    plugin.clock.advance(60.0)
    plugin.answers({"token": "two"})
    assert credentials.rejected("Bearer one")
    assert credentials.authorization() == "Bearer two"


def in_threads(count: int, call: Callable[[], str]) -> list[str]:
    got: list[str] = []
    threads = [threading.Thread(target=lambda: got.append(call())) for _ in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(10.0)
    return got
