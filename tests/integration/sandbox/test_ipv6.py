"""A node that is called over IPv6."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from btcctl.bitcoin import Credentials, RpcConnections
from tests.integration.sandbox.nodes import ENV, farm_of, real_bitcoind

CREDENTIALS = Credentials(ENV["BC_RPC_USER"], ENV["BC_RPC_PASSWORD"])


def free_port() -> int:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
            port: int = listener.getsockname()[1]
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
