from __future__ import annotations

from pathlib import Path

import pytest

from btcctl.cli.main import build_parser, main
from btcctl.cli.view import read_token
from btcctl.errors import ConfigError

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: here
contexts: [{name: here, context: {cluster: here, user: me}}]
clusters: [{name: here, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: me, user: {}}]
"""


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    path = tmp_path / "kubeconfig"
    path.write_text(KUBECONFIG)
    return path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--bind", "nonsense"], "no address to listen on"),
        (["--bind", "127.0.0.1:99999"], "no address to listen on"),
        (["--interval", "10ms"], "--interval 0.01 s is too little"),
        (["--token-file", "/nowhere/at/all"], "--token-file /nowhere/at/all: No such file"),
    ],
)
def test_a_flag_that_is_wrong_is_a_line_and_exit_status_2(kubeconfig, capsys, words, said):
    assert main(["view", "--kubeconfig", str(kubeconfig), *words], {}) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("\n") == 1


def test_it_listens_on_loopback_unless_it_is_told_otherwise():
    args = build_parser({}).parse_args(["view"])
    assert args.bind == "127.0.0.1:0"
    assert not args.read_only


def test_every_flag_can_be_a_variable():
    environ = {"BTCCTL_READ_ONLY": "true", "BTCCTL_BIND": ":8080", "BTCCTL_ALLOW_HOST": "a.example, b.example"}
    args = build_parser(environ).parse_args(["view"])
    assert (args.read_only, args.bind, args.allow_host) == (True, ":8080", ("a.example", "b.example"))


def test_a_token_is_read_without_the_white_space_around_it_and_not_shown(tmp_path):
    path = tmp_path / "token"
    path.write_text("abcdefghijklmnopqrstuvwx\n")
    token = read_token(path)
    assert token == "abcdefghijklmnopqrstuvwx"
    assert "abc" not in repr(token)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="no text"):
        read_token(path)
