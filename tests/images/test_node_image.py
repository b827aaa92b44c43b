"""The nodes' image, with the real bitcoind that is in it."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.images.container import Container, Image, Running
from tests.integration.support import eventually

MakeContainer = Callable[..., Container]
DATA = "/home/bitcoin/.bitcoin"
GOOD = {"BC_RPC_USER": "alice", "BC_RPC_PASSWORD": "s3cret"}


@pytest.fixture
def data(tmp_path: Path) -> dict[str, Path]:
    """Volumes as a pod has them."""
    volumes = {DATA: tmp_path / "data", "/tmp": tmp_path / "tmp"}  # noqa: S108
    for each in volumes.values():
        each.mkdir()
        each.chmod(0o777)
    return volumes


def test_it_is_nobody_and_labelled(node: Image) -> None:
    assert node.config["User"] == "1000:1000"
    assert node.config["Labels"]["org.opencontainers.image.title"] == "btcctl-bitcoind"


def test_a_refusal_is_the_last_word(node: Image, container: MakeContainer, data: dict[str, Path]) -> None:
    done = container(node, writable=data, env={"BC_RPC_USER": " ", "BC_RPC_PASSWORD": "\n"}).run()
    assert done.returncode == 1
    assert done.stderr == "start-bitcoind: BC_RPC_USER is not set, or blank\n"


@pytest.mark.parametrize(
    ("env", "credentials"), [(GOOD, ("alice", "s3cret")), ({}, ("user", "password"))], ids=["given", "built in"]
)
def test_a_node_starts_answers_and_ends_at_sigterm(
    env: dict[str, str], credentials: tuple[str, str], node: Image, container: MakeContainer, data: dict[str, Path]
) -> None:
    with container(node, writable=data, env=env).started() as running:
        conf = data[DATA] / "bitcoin.conf"
        eventually((data[DATA] / "regtest/debug.log").exists)
        assert f"rpcuser={credentials[0]}\nrpcpassword={credentials[1]}\n" in conf.read_text()
        eventually(lambda: height(running) == 0)
        running.process.send_signal(signal.SIGTERM)
        _, err = running.process.communicate(timeout=30.0)
    assert running.process.returncode == 0
    assert ("WARNING" in err) == (env == {})


def height(running: Running) -> int | None:
    """Asked inside the container, with the command that users type."""
    done = running.exec("/usr/local/bin/bitcoin-cli", "-regtest", "-conf=/bitcoin.conf", "getblockchaininfo")
    return int(json.loads(done.stdout)["blocks"]) if done.returncode == 0 else None
