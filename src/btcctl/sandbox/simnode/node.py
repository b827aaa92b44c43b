"""One node: its parts put together, its start, its end."""

from __future__ import annotations

import asyncio
import fcntl
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import BtcctlError
from btcctl.sandbox.simnode.chain.ledger import Ledger
from btcctl.sandbox.simnode.chain.wallet import Wallets
from btcctl.sandbox.simnode.config import CHAINS, NodeConfig
from btcctl.sandbox.simnode.p2p.added_nodes import AddedNodes
from btcctl.sandbox.simnode.p2p.network import Network, NetworkOptions
from btcctl.sandbox.simnode.rpc.chain_methods import SimulatedChain
from btcctl.sandbox.simnode.rpc.credentials import Cookie, Credentials
from btcctl.sandbox.simnode.rpc.http import HttpServer
from btcctl.sandbox.simnode.rpc.methods import Methods, Surroundings
from btcctl.sandbox.simnode.rpc.server import RpcOptions, RpcServer

VERSION = "0.1.0"
WARNING = "This is a simulated node (btcctl-simnode): its transactions have no signatures"
WARM_UP_STAGES = (
    "Loading P2P addresses…",
    "Loading banlist…",
    "Loading block index…",
    "Verifying blocks…",
    "Starting network threads…",
)


def agent_of(comments: Sequence[str], version: str = VERSION) -> str:
    """The node's name for itself: as bitcoind has it, with comments in brackets (clientversion.cpp)."""
    bracketed = f"({'; '.join(comments)})" if comments else ""
    return f"/btcctl-simnode:{version}{bracketed}/"


Log = Callable[[str], None]


class StartError(BtcctlError):
    """The node cannot start; the message is what bitcoind would print."""


class Node:
    """A node from its configuration.

    Args:
        config: What it was started with.
        log: Takes one line.
        clock: For times of day, pings and `uptime`; waiting is asyncio's.
    """

    def __init__(self, config: NodeConfig, log: Log, clock: Clock = SYSTEM_CLOCK) -> None:
        self._config = config
        self._log = log
        self._clock = clock
        self._stopping = asyncio.Event()
        self._stage: str | None = WARM_UP_STAGES[0]

    def request_stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        """Be a node until SIGTERM, SIGINT or the RPC `stop`.

        Raises:
            StartError: A port or the data directory is taken.
        """
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self.request_stop)
        self._config.chain_dir.mkdir(exist_ok=True)
        with _lock(self._config.chain_dir):
            cookie = Cookie(self._config.chain_dir / ".cookie")
            ledger = Ledger(self._config.chain_dir / "blocks" / "blocks.txt", self._clock)
            try:
                await self._serve(ledger, cookie)
            finally:
                cookie.remove()
                ledger.close()
        self._log("Shutdown: done")

    async def _serve(self, ledger: Ledger, cookie: Cookie) -> None:
        config = self._config
        port = CHAINS[config.chain][1]
        magic = config.chain + config.challenge
        agent = agent_of(config.agent_comments, config.version or VERSION)
        options = NetworkOptions(config.p2p_binds, agent, v2=config.v2, default_port=port, magic=magic)
        network = Network(ledger, AddedNodes(config.added_nodes, port), options, self._clock, self._log)
        chain = SimulatedChain(config.chain, config.challenge)
        surroundings = Surroundings(
            ledger,
            network,
            self._clock,
            [WARNING],
            self.request_stop,
            self._clock.now(),
            chain,
            Wallets(config.chain_dir / "wallets", chain.segwit_prefix),
        )
        rpc = RpcServer(Methods(surroundings), self._rpc_options(cookie), lambda: self._stage)
        http = HttpServer(rpc.respond, self._clock, config.rpc_idle_seconds)
        try:
            await self._listen(http)
            await self._warm_up()
            await self._join(network)
            await self._stopping.wait()
        finally:
            await http.close()
            await network.close()

    def _rpc_options(self, cookie: Cookie) -> RpcOptions:
        config = self._config
        if config.password_pair is None:
            cookie.write()
        pair = config.password_pair or cookie.pair
        return RpcOptions(
            credentials=Credentials([pair], config.rpc_auths),
            allowed=config.rpc_allowed,
            rest=config.rest,
            workers=config.rpc_threads,
            queue_depth=config.rpc_work_queue,
        )

    async def _listen(self, http: HttpServer) -> None:
        for endpoint in self._config.rpc_binds:
            self._log(f"Binding RPC on address {endpoint.host} port {endpoint.port}")
            try:
                await http.listen(*endpoint)
            except OSError as error:
                self._log(f"Binding RPC on {endpoint} failed: {error}")
                raise StartError("Unable to start HTTP server. See debug log for details.") from error

    async def _warm_up(self) -> None:
        for stage in WARM_UP_STAGES:
            self._stage = stage
            try:
                async with asyncio.timeout(self._config.warm_up_seconds / len(WARM_UP_STAGES)):
                    await self._stopping.wait()
            except TimeoutError:
                continue

    async def _join(self, network: Network) -> None:
        if self._stopping.is_set():
            return
        try:
            await network.start()
        except OSError as error:
            raise StartError(f"Unable to bind: {error}") from error
        self._stage = None
        self._log("Done loading")


def _lock(chain_dir: Path) -> IO[str]:
    file = (chain_dir / ".lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise StartError(f"Cannot obtain a lock on directory {chain_dir}. Another node is using it.") from error
    return file
