from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from btcctl.errors import ConfigError
from btcctl.sandbox.demonstration.commands import find_bitcoind, node_command
from btcctl.sandbox.simnode.config import load_node_config
from btcctl.sandbox.simnode.rpc.credentials import RpcAuth

ENV = {"BC_RPC_USER": "bc-user", "BC_RPC_PASSWORD": "hush = :rest"}


def program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return path


@pytest.mark.parametrize("bitcoind", [None, Path("/opt/bitcoind")])
def test_no_secret_is_on_the_command_line_nor_in_clear_in_a_file(tmp_path: Path, bitcoind: Path | None) -> None:
    command = node_command(ENV, "127.9.0.2", tmp_path, bitcoind)
    assert "hush" not in " ".join(command.argv)
    (text,) = command.files.values()
    assert "hush" not in text
    assert RpcAuth.parse(text.split("rpcauth=")[1].partition("\n")[0]).admits("bc-user", ENV["BC_RPC_PASSWORD"])


def test_the_simulated_node_understands_all_of_its_command(tmp_path: Path) -> None:
    command = node_command(ENV, "127.9.0.2", tmp_path, None)
    command.write_files()
    config = load_node_config(command.argv[3:], command.env)
    assert config.warnings == ()
    assert [str(each) for each in (*config.rpc_binds, *config.p2p_binds)] == ["127.9.0.2:18443", "127.9.0.2:18444"]
    assert config.rest


def test_without_a_secret_a_node_has_the_image_s_credentials(tmp_path: Path) -> None:
    (text,) = node_command({}, "127.9.0.2", tmp_path, None).files.values()
    assert RpcAuth.parse(text.split("rpcauth=")[1].partition("\n")[0]).admits("user", "password")


@pytest.mark.parametrize("user", ["", "a:b", "a#b", "a\nrest=0", " \t"])
def test_a_user_that_cannot_be_written_is_refused(tmp_path: Path, user: str) -> None:
    with pytest.raises(ConfigError, match="BC_RPC_USER"):
        node_command({"BC_RPC_USER": user, "BC_RPC_PASSWORD": "p"}, "127.9.0.2", tmp_path, None)


def test_files_are_private_even_where_a_public_one_was(tmp_path: Path) -> None:
    command = node_command(ENV, "127.9.0.2", tmp_path / "data", None)
    (tmp_path / "data").mkdir()
    (path,) = command.files
    path.write_text("old")
    path.chmod(0o644)
    command.write_files()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == command.files[path]


def test_a_given_bitcoind_goes_before_the_one_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = program(tmp_path / "mine", "echo Some version 1")
    on_path = program(tmp_path / "bitcoind", "echo Some version 2")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    assert find_bitcoind(given) == given
    assert find_bitcoind(None) == on_path


def test_without_any_bitcoind_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_bitcoind(None) is None


@pytest.mark.parametrize(
    ("script", "message"), [("echo no such library >&2; exit 127", "exit status 127: no such library"), ("exit 0", "")]
)
def test_a_bitcoind_that_does_not_start_is_said(tmp_path: Path, script: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"is no bitcoind that starts here.*{message}"):
        find_bitcoind(program(tmp_path / "bitcoind", script))


def test_a_bitcoind_that_is_not_there_or_no_program_is_said(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("x")
    (tmp_path / "elf").write_bytes(b"\x7fELF nonsense")
    (tmp_path / "elf").chmod(0o700)
    for name, message in (("missing", "no such program"), ("text", "not executable"), ("elf", "does not start")):
        with pytest.raises(ConfigError, match=message):
            find_bitcoind(tmp_path / name)


CHOSEN = {"BC_NETWORK": "signet", "BC_SIGNET_CHALLENGE": "51", "BC_RPC_PORT": "18332", "BC_P2P_PORT": "19444"}


def test_the_simulated_node_is_on_the_chain_and_the_ports_that_are_asked_for(tmp_path: Path) -> None:
    command = node_command({**ENV, **CHOSEN}, "127.9.0.2", tmp_path, None)
    command.write_files()
    config = load_node_config(command.argv[3:], command.env)
    assert (config.chain, config.challenge, config.warnings) == ("signet", "51", ())
    assert [str(each) for each in (*config.rpc_binds, *config.p2p_binds)] == ["127.9.0.2:18332", "127.9.0.2:19444"]


def test_lines_of_ones_own_win_against_the_sandboxs_and_the_nodes_against_the_networks(tmp_path: Path) -> None:
    env = {"BC_CONFIG": "rpcthreads=7\nrpcworkqueue=9", "BC_CONFIG_2": "rpcthreads=3", "HOSTNAME": "net-sts-2"}
    command = node_command({**ENV, **env}, "127.9.0.2", tmp_path, None)
    command.write_files()
    config = load_node_config(command.argv[3:], command.env)
    assert (config.rpc_threads, config.rpc_work_queue) == (3, 9)


def test_what_a_simulated_node_does_not_heed_is_said_aloud(tmp_path: Path) -> None:
    command = node_command({**ENV, "BC_CONFIG": "zmqpubrawblock=tcp://0.0.0.0:28332"}, "127.9.0.2", tmp_path, None)
    command.write_files()
    assert load_node_config(command.argv[3:], command.env).warnings == ("Ignoring unknown option -zmqpubrawblock",)


@pytest.mark.parametrize("env", [{"BC_NETWORK": "main"}, {"BC_RPC_PORT": "no"}, {"BC_P2P_PORT": "70000"}])
def test_settings_that_make_no_node_are_refused(tmp_path: Path, env: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=next(iter(env))):
        node_command({**ENV, **env}, "127.9.0.2", tmp_path, None)


def test_a_utxo_snapshot_is_linked_to_where_rpc_is_told_that_it_is(tmp_path: Path) -> None:
    snapshot, data_dir = tmp_path / "utxo.dat", tmp_path / "data"
    snapshot.write_text("unspent")
    for _ in range(2):
        node_command({"BC_UTXO_SNAPSHOT": str(snapshot)}, "127.0.0.2", data_dir, None).write_files()
    assert (data_dir / "regtest/utxo-snapshot").read_text() == "unspent"
