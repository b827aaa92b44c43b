"""bitcoin-cli in the sandbox's pods: beside the real one at a real node, and as the seeds call it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from btcctl.sandbox.session import SandboxOptions, Session
from tests.integration.kubectl import Kubectl
from tests.integration.sandbox.nodes import ADDRESS, ENV, RPC_PORT, Farm, TestNode, farm_of, real_bitcoind
from tests.integration.support import eventually

OURS = (sys.executable, "-m", "btcctl.sandbox.bitcoincli")
SEEDS = ("/usr/local/bin/bitcoin-cli", "-regtest", "-conf=/bitcoin.conf")
NODES = pytest.mark.parametrize("kind", ["simulated", pytest.param("real", marks=pytest.mark.real_bitcoind)])

Outcome = tuple[int, str, str]


@pytest.fixture(scope="module")
def real_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestNode]:
    farm: Farm
    with farm_of(real_bitcoind(), tmp_path_factory.mktemp("farm")) as farm:
        node = farm.node().start("-fallbackfee=0.0001").wait_until_ready()
        node.call("createwallet", "one")
        yield node


def run(program: tuple[str, ...], node: TestNode, words: list[str], stdin: str) -> Outcome:
    where = ["-regtest", f"-datadir={node.data_dir}", f"-rpcconnect={node.ip}"]
    done = subprocess.run(
        [*program, *where, *words], input=stdin, capture_output=True, text=True, timeout=30, check=False
    )
    return done.returncode, done.stdout, done.stderr


def theirs() -> tuple[str, ...]:
    bitcoind = real_bitcoind()
    assert bitcoind is not None
    program = bitcoind.with_name("bitcoin-cli")
    if not program.exists():
        pytest.skip(f"no bitcoin-cli beside {bitcoind}")
    return (str(program),)


@pytest.mark.real_bitcoind
@pytest.mark.parametrize(
    "line",
    [
        *("getblockcount", "getpeerinfo", "getnetworkinfo", "getblockchaininfo", "getblockstats 0", "-getinfo"),
        *("generatetoaddress 2", f"generatetoaddress x {ADDRESS}", "getblockhash 1.5", 'getblockhash "x', "uptime x"),
        *("-named getblockhash height=0", "-named getblockhash 0", "-named getblockhash 0 height=0", "getblock 00"),
        *("-named setnetworkactive nosuch=1", "setnetworkactive 5", "echo -- -x", 'echojson {"a":[1.50,{}]}', "nosuch"),
        *("", "-", "-foo getblockcount", "-conf=/nosuch getblockcount", "foo=1", "-getinfo x"),
        *("-rpcport=1 getblockcount", "-rpcport=abc getblockcount", "-rpcconnect=127.0.0.1:99999 getblockcount"),
        *("-rpcuser=a -rpcpassword=b getblockcount", "-stdinrpcpass getblockcount", "-stdin getblockhash"),
        *("addnode 1.2.3.4 remove", "addnode 1.2.3.4 bad", "help getblockcount", "-addrinfo", "-generate 1 2 3"),
        *("-rpcwallet=zzz getbalance", "-rpcwallet=one getbalance", "-noregtest getblockcount"),
        *("-rpcclienttimeout=1 waitfornewblock", "-rpcwait -rpcwaittimeout=1 -rpcport=1 getblockcount"),
    ],
)
def test_it_prints_and_ends_as_the_real_one_does(real_node: TestNode, line: str) -> None:
    words = line.split(" ") if line else []
    assert run(OURS, real_node, words, "0\n") == run(theirs(), real_node, words, "0\n")


@pytest.mark.real_bitcoind
def test_which_arguments_are_json_is_what_the_node_says(real_node: TestNode) -> None:
    from btcctl.bitcoin.client.arguments import conversions  # noqa: PLC0415

    found: dict[str, set[str]] = {}
    for method, position, name, is_text in real_node.call("help", "dump_all_command_conversions"):
        if not is_text:
            found.setdefault(method, set()).update({str(position), name})
    assert {method: set(which) for method, which in conversions().items() if method != "echojson"} == found


@pytest.mark.real_bitcoind
def test_with_several_wallets_it_says_how_to_choose(real_node: TestNode) -> None:
    real_node.call("createwallet", "two")
    try:
        for line in ("getbalance", "-getinfo", "-rpcwallet=one -getinfo"):
            assert run(OURS, real_node, line.split(), "") == run(theirs(), real_node, line.split(), "")
    finally:
        real_node.call("unloadwallet", "two")


@NODES
@pytest.mark.kubectl
def test_every_command_of_the_seeds_runs_as_printed(kubectl: Kubectl, kind: str, tmp_path: Path) -> None:
    options = SandboxOptions(
        nodes=2,
        simulated=kind == "simulated",
        bitcoind=real_bitcoind() if kind == "real" else None,
        kubeconfig_out=kubectl.kubeconfig,
    )
    with Session(options, say=lambda _: None) as session:
        session.show_progress()
        first, second = "my-network-sts-0", "my-network-sts-1"
        peer = kubectl("get", "pod", second, "-o", "jsonpath={.status.podIP}")

        def cli(pod: str, *words: str) -> str:
            return kubectl("exec", pod, "--", *SEEDS, *words)

        again = kubectl.run("exec", first, "--", *SEEDS, "addnode", peer, "add")
        assert "error code: -23" in again.stderr
        assert [each["addednode"] for each in json.loads(cli(first, "getaddednodeinfo"))] == [peer]
        assert len(json.loads(cli(second, "getpeerinfo"))) == 2
        refused = kubectl.run("exec", first, "--", *SEEDS, "generate", "101")
        assert "has been replaced by the -generate cli option" in refused.stderr
        assert "generatetoaddress 101 ADDRESS" in refused.stderr
        cli(first, "generatetoaddress", "101", ADDRESS)
        eventually(lambda: json.loads(cli(second, "getblockchaininfo"))["blocks"] == 101)
        login = (f"-rpcuser={ENV['BC_RPC_USER']}", "-rpcpassword=bc-password")
        assert json.loads(kubectl("exec", first, "--", SEEDS[0], "-regtest", *login, "getnetworkinfo"))["version"]
        assert kubectl("exec", first, "--", "bitcoin-cli", "-regtest", "getblockcount").strip() == "101"
        assert (
            kubectl("exec", "-i", first, "--", "bitcoin-cli", "-stdin", "getblockhash", stdin="0\n")[:8] == "0f9188f1"
        )
        assert kubectl.run("exec", first, "--", "bitcoin-cli", "nosuch").returncode == 32601 & 0xFF


def test_it_waits_for_a_node_that_is_not_up(tmp_path: Path) -> None:
    with farm_of(None, tmp_path) as farm:
        node = farm.node()
        node.data_dir.mkdir()
        where = [f"-datadir={node.data_dir}", f"-rpcconnect={node.ip}:{RPC_PORT}"]
        words = [*OURS, "-regtest", *where, "-rpcwait", "getblockcount"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as waiting:
            node.start("-simwarmup=0.5")
            assert waiting.communicate(timeout=30) == ("0\n", None)
            assert waiting.returncode == 0
