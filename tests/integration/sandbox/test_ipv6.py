"""Nodes over IPv6: one that is called, and a whole cluster that has no other addresses."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from btcctl.bitcoin import Credentials, RpcConnections
from btcctl.testing.control_plane.ports import free_ports
from tests.integration.programs import BITCOIND
from tests.integration.sandbox.nodes import ENV, farm_of, real_bitcoind

CREDENTIALS = Credentials(ENV["BC_RPC_USER"], ENV["BC_RPC_PASSWORD"])


def free_port() -> int:
    [port] = free_ports(1)  # below those that the system gives to others meanwhile
    try:
        socket.create_server(("::1", port), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    return port


@pytest.mark.parametrize("kind", ["simulated", pytest.param("real", marks=pytest.mark.real_bitcoind)])
def test_a_node_is_called_over_ipv6_by_the_operator_s_client_and_by_bitcoin_cli(kind: str, tmp_path: Path) -> None:
    port = free_port()
    with (
        farm_of(real_bitcoind() if kind == "real" else None, tmp_path) as farm,
        closing(RpcConnections(port)) as connections,
    ):
        node = farm.node().start(f"-rpcbind=[::1]:{port}").wait_until_ready()
        assert connections.client("::1", CREDENTIALS).call("getblockcount") == 0
        words = ["-regtest", f"-datadir={node.data_dir}", f"-rpcconnect=[::1]:{port}", "getblockcount"]
        program = [sys.executable, "-m", "btcctl.sandbox.bitcoincli"]
        assert subprocess.check_output([*program, *words], text=True, timeout=60) == "0\n"


#: In a network namespace of its own, where whoever starts it is root.
ADDRESSES = """
ip link set lo up
for last in 1 2 3 4 5 6 7 8 9 a b c d e f 10 11 12 13 14; do ip -6 addr add fdb7:c::$last/128 dev lo; done
exec "$@"
"""


def in_a_network_of_its_own(*command: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("no unshare, or no ip here")
    whole = ["unshare", "-rn", "sh", "-ec", ADDRESSES, "sh", *command]
    return subprocess.run(whole, capture_output=True, text=True, timeout=580, check=False)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["simulated", pytest.param("real", marks=pytest.mark.real_bitcoind)])
def test_the_whole_story_comes_true_in_a_cluster_that_has_ipv6_alone(kind: str) -> None:
    if in_a_network_of_its_own("true").returncode != 0:
        pytest.skip("no network namespaces here")
    nodes = [f"--bitcoind={BITCOIND}"] if kind == "real" else ["--simulated"]
    sandbox = [sys.executable, "-m", "btcctl", "sandbox", "--check", "--nodes=3", "--pod-network=fdb7:c::/120"]
    done = in_a_network_of_its_own(*sandbox, *nodes)
    assert done.stdout.endswith("PASSED\n"), done.stdout + done.stderr
    assert "node-2 deleted at fdb7:c::" in done.stdout


def test_a_network_that_is_none_of_this_machine_s_is_refused_in_words() -> None:
    for network, words in (("fdb7:d::/120", "is no network of this machine"), ("10.0.0.0/8", "--pod-network")):
        done = in_a_network_of_its_own(
            sys.executable, "-m", "btcctl", "sandbox", "--simulated", f"--pod-network={network}"
        )
        assert done.returncode in {1, 2}
        assert words in done.stderr
        assert "Traceback" not in done.stderr
