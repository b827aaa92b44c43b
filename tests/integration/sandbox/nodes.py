"""Real processes of nodes, simulated or Bitcoin Core, and a client that shows raw HTTP."""

from __future__ import annotations

import base64
import http.client
import itertools
import json
import os
import random
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from btcctl.processes.keeper import Keeper
from btcctl.sandbox.demonstration.commands import P2P_PORT, RPC_PORT, cached_bitcoind, node_command
from tests.integration.support import eventually

ENV = {"BC_RPC_USER": "bc-user", "BC_RPC_PASSWORD": "bc-password: ünlikely = 1"}
ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"


def real_bitcoind() -> Path | None:
    """From BTCCTL_TEST_BITCOIND, else from PATH, else what `make bitcoind` has fetched."""
    found = os.environ.get("BTCCTL_TEST_BITCOIND") or shutil.which("bitcoind") or shutil.which(cached_bitcoind())
    return Path(found).resolve() if found else None


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class RpcFailure(AssertionError):
    """An error of the node: `eventually` tries again."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class TestNode:
    """One process and its RPC."""

    __test__ = False

    def __init__(self, farm: Farm, ip: str, data_dir: Path) -> None:
        self.ip = ip
        self.data_dir = data_dir
        self._farm = farm
        self.pid = 0

    def start(self, *flags: str) -> TestNode:
        command = node_command(ENV, self.ip, self.data_dir, self._farm.bitcoind)
        self.data_dir.mkdir(exist_ok=True)
        command.write_files()
        hurry = ["-simwarmup=0.02"] if self._farm.is_simulated else []
        argv = (*command.argv, *hurry, *flags)
        self.pid = self._farm.keeper.spawn(argv, command.env, self.data_dir, self.log_path).pid
        return self

    def start_with_conf(self, conf: str, *flags: str) -> TestNode:
        """With a bitcoin.conf of the test's own instead of ours."""
        command = node_command(ENV, self.ip, self.data_dir, self._farm.bitcoind)
        self.data_dir.mkdir(exist_ok=True)
        (self.data_dir / "bitcoin.conf").write_text(conf, newline="")
        self.pid = self._farm.keeper.spawn([*command.argv, *flags], command.env, self.data_dir, self.log_path).pid
        return self

    def wait_until_ready(self) -> TestNode:
        eventually(lambda: self.get("/rest/chaininfo.json").status == 200)
        return self

    @property
    def log_path(self) -> Path:
        return self.data_dir.with_suffix(".log")

    def signal(self, signum: int) -> None:
        self._farm.keeper.signal(self.pid, signum)

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.exit_code()

    def exit_code(self) -> int:
        return eventually(lambda: (self._farm.exits.get(self.pid),) if self.pid in self._farm.exits else None)[0]

    def request(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection(self.ip, RPC_PORT, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        except (OSError, http.client.HTTPException) as error:
            raise AssertionError(f"{self.ip}: {error}") from error
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        return self.request("GET", path)

    def post(self, body: Any, password: str = ENV["BC_RPC_PASSWORD"]) -> Answer:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.request("POST", "/", raw, basic(ENV["BC_RPC_USER"], password))

    def call(self, method: str, *params: Any) -> Any:
        answer = self.post({"jsonrpc": "2.0", "method": method, "params": list(params), "id": 1}).json
        if "error" in answer:
            raise RpcFailure(answer["error"]["code"], answer["error"]["message"])
        return answer["result"]

    def error(self, method: str, *params: Any) -> tuple[int, str]:
        try:
            result = self.call(method, *params)
        except RpcFailure as failure:
            return failure.code, failure.message
        raise AssertionError(f"no error, but {result}")

    def added(self) -> dict[str, bool]:
        return {entry["addednode"]: entry["connected"] for entry in self.call("getaddednodeinfo")}

    def outbound(self) -> list[str]:
        """The strings by which peers were dialled, handshake done."""
        peers = self.call("getpeerinfo")
        return [peer["addr"] for peer in peers if not peer["inbound"] and peer["version"] > 0]

    def mine(self, blocks: int, address: str = ADDRESS) -> str:
        return str(self.call("generatetoaddress", blocks, address)[-1])

    def best(self) -> str:
        return str(self.call("getbestblockhash"))


class Farm:
    """Makes nodes on addresses of their own; ends them all."""

    def __init__(self, keeper: Keeper, exits: dict[int, int], directory: Path, bitcoind: Path | None) -> None:
        self.keeper = keeper
        self.exits = exits
        self.bitcoind = bitcoind
        self._directory = directory
        network = f"127.{random.randint(100, 250)}.{random.randint(1, 250)}"
        self._addresses = (f"{network}.{last}" for last in itertools.count(2))

    @property
    def is_simulated(self) -> bool:
        return self.bitcoind is None

    def address(self) -> str:
        return next(self._addresses)

    def node(self) -> TestNode:
        ip = self.address()
        return TestNode(self, ip, self._directory / f"node-{ip}")

    def start(self, count: int) -> list[TestNode]:
        nodes = [self.node().start() for _ in range(count)]
        return [node.wait_until_ready() for node in nodes]


@contextmanager
def farm_of(bitcoind: Path | None, directory: Path) -> Iterator[Farm]:
    exits: dict[int, int] = {}
    run_dir = directory / "run"
    run_dir.mkdir()
    keeper = Keeper(run_dir, exits.__setitem__)
    keeper.start()
    try:
        yield Farm(keeper, exits, run_dir, bitcoind)
    finally:
        keeper.stop()


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def endpoint(node: TestNode) -> str:
    return f"{node.ip}:{P2P_PORT}"
