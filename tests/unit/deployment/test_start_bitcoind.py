"""The node image's start-up script, with a stub in bitcoind's place."""

from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from btcctl.bitcoin.pod_template import DEFAULT_PASSWORD, DEFAULT_USER

SCRIPT = Path(__file__).parents[3] / "images/bitcoind/start-bitcoind.sh"
STUB = '#!/bin/sh\necho "args: $*"\necho "pid: $$"\necho "user: ${BC_RPC_USER-unset}"\n'
GOOD = {"BC_RPC_USER": "alice", "BC_RPC_PASSWORD": "s3cret=:x"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    stub = tmp_path / "bin" / "bitcoind"
    stub.parent.mkdir()
    stub.write_text(STUB)
    stub.chmod(0o755)
    (tmp_path / "data").mkdir()
    return tmp_path


def start(home: Path, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    fixed = {"PATH": f"{home / 'bin'}:{os.environ['PATH']}", "BC_DATA_DIR": str(home / "data")}
    command = ["sh", str(SCRIPT), *args]
    return subprocess.run(command, env=fixed | environ, capture_output=True, text=True, timeout=10, check=False)


def conf_of(home: Path) -> str:
    return (home / "data/bitcoin.conf").read_text()


def test_bitcoind_takes_the_scripts_place_with_its_data_directory_and_arguments(home: Path) -> None:
    done = start(home, "-debug=net", **GOOD)
    assert done.returncode == 0, done.stderr
    assert f"args: -datadir={home / 'data'} -debug=net\n" in done.stdout


def test_the_configuration_holds_the_credentials_and_nobody_else_may_read_it(home: Path) -> None:
    start(home, **GOOD)
    assert "rpcuser=alice\nrpcpassword=s3cret=:x\n" in conf_of(home)
    assert (home / "data/bitcoin.conf").stat().st_mode & 0o777 == 0o600


def test_the_chain_is_chosen_above_the_sections_and_ports_are_set_within(home: Path) -> None:
    start(home, **GOOD)
    above, _, within = conf_of(home).partition("[regtest]\n")
    assert "regtest=1\n" in above
    assert "rest=1\n" in above
    for key in ("rpcbind=", "rpcport=", "port="):
        assert not any(line.startswith(key) for line in above.splitlines())
        assert any(line.startswith(key) for line in within.splitlines())


def test_the_credentials_are_not_in_bitcoinds_environment(home: Path) -> None:
    assert "user: unset" in start(home, **GOOD).stdout


def test_a_restart_with_new_credentials_replaces_the_old_ones(home: Path) -> None:
    start(home, **GOOD)
    start(home, BC_RPC_USER="bob", BC_RPC_PASSWORD="new")
    assert "alice" not in conf_of(home)


def test_the_newline_that_echo_leaves_in_a_secret_does_not_count(home: Path) -> None:
    assert start(home, BC_RPC_USER="alice\n", BC_RPC_PASSWORD="pw\n").returncode == 0
    assert "rpcpassword=pw\n" in conf_of(home)


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"BC_RPC_PASSWORD": "x"}, "BC_RPC_USER is not set"),
        ({"BC_RPC_USER": "", "BC_RPC_PASSWORD": ""}, "BC_RPC_USER is not set, or blank"),
        ({"BC_RPC_USER": " \t", "BC_RPC_PASSWORD": "\n"}, "BC_RPC_USER is not set, or blank"),
        ({"BC_RPC_USER": "alice"}, "BC_RPC_PASSWORD is not set"),
        ({"BC_RPC_USER": "alice", "BC_RPC_PASSWORD": "a#b"}, "must not contain #"),
        ({"BC_RPC_USER": "a:b", "BC_RPC_PASSWORD": "x"}, "must not contain a colon"),
        ({"BC_RPC_USER": "alice", "BC_RPC_PASSWORD": "x\nrpcallowip=::/0"}, "one line"),
        (GOOD | {"BC_DATA_DIR": "/nowhere/at/all"}, "does not exist"),
    ],
)
def test_what_cannot_work_is_refused_with_a_reason(home: Path, environ: dict[str, str], message: str) -> None:
    done = start(home, **environ)
    assert done.returncode == 1
    assert message in done.stderr
    assert "args:" not in done.stdout


def test_a_refusal_does_not_show_the_password(home: Path) -> None:
    done = start(home, BC_RPC_USER="alice", BC_RPC_PASSWORD="geheim#1")
    assert "geheim" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("network", "ports"), [("regtest", (18443, 18444)), ("signet", (38332, 38333)), ("testnet4", (48332, 48333))]
)
def test_each_chain_has_its_section_and_its_ports(home: Path, network: str, ports: tuple[int, int]) -> None:
    start(home, BC_NETWORK=network, BC_SIGNET_CHALLENGE="51", **GOOD)
    above, _, within = conf_of(home).partition(f"[{network}]\n")
    assert above.startswith(f"{network}=1\n")
    assert f"rpcport={ports[0]}\nport={ports[1]}\n" in within
    assert ("signetchallenge=51\n" in within) == (network == "signet")


@pytest.mark.parametrize("environ", [{"BC_NETWORK": "main"}, {"BC_NETWORK": "signet"}, {"BC_NETWORK": "[main]"}])
def test_mainnet_and_the_public_signet_are_refused(home: Path, environ: dict[str, str]) -> None:
    done = start(home, **GOOD, **environ)
    assert (done.returncode, "args:" in done.stdout) == (1, False)
    assert "BC_NETWORK must be" in done.stderr or "would join the public signet" in done.stderr


def test_ports_and_lines_of_ones_own_stand_in_the_section_and_the_nodes_own_lines_first(home: Path) -> None:
    lines = {"BC_CONFIG": "txindex=1\nuacomment=$(id)", "BC_CONFIG_2": "txindex=0", "BC_CONFIG_1": "prune=550"}
    start(home, BC_RPC_PORT="18332", BC_P2P_PORT="19444", HOSTNAME="my-network-sts-2", **lines, **GOOD)
    within = conf_of(home).partition("[regtest]\n")[2]
    assert "rpcport=18332\nport=19444\n" in within
    assert within.endswith("txindex=0\ntxindex=1\nuacomment=$(id)\n")
    assert "prune" not in within


@pytest.mark.parametrize("hostname", ["", "node", "node-", "a-b", "x-2$(touch owned)"])
def test_a_host_without_an_ordinal_has_no_lines_of_its_own(home: Path, hostname: str) -> None:
    start(home, HOSTNAME=hostname, BC_CONFIG_2="txindex=0", **GOOD)
    assert "txindex" not in conf_of(home)
    assert not (home / "owned").exists()


def test_without_credentials_the_well_known_ones_are_used_and_that_is_said_loudly(home: Path) -> None:
    done = start(home)
    assert done.returncode == 0
    assert f"rpcuser={DEFAULT_USER}\nrpcpassword={DEFAULT_PASSWORD}\n" in conf_of(home)
    assert done.stderr.count("WARNING") == 2
    assert "user: unset" in done.stdout


@pytest.mark.parametrize("given", ["0.0.0.0", "10.1.2.255", "::", "fd00:10::1", "0.0.0.0,::", "::ffff:10.0.0.1"])  # noqa: S104
def test_rpc_listens_where_it_is_told_to(home: Path, given: str) -> None:
    start(home, **GOOD, BC_RPC_BIND=given)
    within = conf_of(home).partition("[regtest]\n")[2]
    assert [line for line in within.splitlines() if line.startswith("rpcbind=")] == [
        f"rpcbind={each}" for each in given.split(",")
    ]


@pytest.mark.parametrize(
    "given",
    [
        "localhost",
        "1",
        "10.0.0",
        "10.0.0.0.1",
        "256.0.0.1",
        "0.0.0.0/0",
        "::1\nrpcallowip=x",
        "1:2",
        ",",
        "::,",
        "$(id)",
    ],
)
def test_what_is_no_address_is_refused(home: Path, given: str) -> None:
    done = start(home, **GOOD, BC_RPC_BIND=given)
    assert done.returncode == 1
    assert "BC_RPC_BIND must be IP addresses" in done.stderr


def chain(directory: Path) -> Path:
    for part in ("blocks", "chainstate"):
        (directory / part).mkdir(parents=True)
        (directory / part / "of").write_text("the snapshot")
    return directory


@pytest.mark.parametrize("kind", ["a directory", "an archive"])
def test_a_node_without_a_chain_begins_with_the_snapshot_and_one_that_has_a_chain_keeps_it(
    home: Path, kind: str
) -> None:
    source = chain(home / "taken")
    if kind == "an archive":
        with tarfile.open(home / "chain.tar.gz", "w:gz") as archive:
            archive.add(source, ".")
        source = home / "chain.tar.gz"
    assert start(home, BC_SNAPSHOT=str(source), **GOOD).returncode == 0
    found = home / "data/regtest"
    assert [(found / part / "of").read_text() for part in ("blocks", "chainstate")] == ["the snapshot"] * 2
    (found / "blocks/of").write_text("its own")
    start(home, BC_SNAPSHOT=str(source), **GOOD)
    assert (found / "blocks/of").read_text() == "its own"
    assert not (home / "data/.snapshot").exists()


def test_a_snapshot_that_is_none_is_refused_and_leaves_no_chain(home: Path) -> None:
    (home / "empty").mkdir()
    for source in ("empty", "missing", "data/bitcoin.conf"):
        done = start(home, BC_SNAPSHOT=str(home / source), **GOOD)
        assert (done.returncode, "the snapshot" in done.stderr) == (1, True), source
        assert not (home / "data/regtest/blocks").exists()


def test_a_utxo_snapshot_is_found_below_the_chain_s_directory_wherever_it_is_and_only_as_long(home: Path) -> None:
    (home / "utxo.dat").write_text("unspent")
    link = home / "data/regtest/utxo-snapshot"
    for _ in range(2):
        assert start(home, BC_UTXO_SNAPSHOT=str(home / "utxo.dat"), **GOOD).returncode == 0
        assert link.read_text() == "unspent"
    assert start(home, **GOOD).returncode == 0
    assert not link.is_symlink()


def test_a_utxo_snapshot_that_is_no_file_is_refused(home: Path) -> None:
    for source in ("missing", "data"):
        done = start(home, BC_UTXO_SNAPSHOT=str(home / source), **GOOD)
        assert (done.returncode, "is no file, or cannot be read" in done.stderr) == (1, True), source
