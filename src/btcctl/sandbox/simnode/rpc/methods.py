"""Every method by its name, and those about the node itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from btcctl.clock import Clock
from btcctl.sandbox.simnode.chain.ledger import Ledger
from btcctl.sandbox.simnode.chain.wallet import Wallets
from btcctl.sandbox.simnode.p2p.network import Network
from btcctl.sandbox.simnode.rpc.chain_methods import ChainMethods, SimulatedChain
from btcctl.sandbox.simnode.rpc.jsonrpc import METHOD_NOT_FOUND, RpcError
from btcctl.sandbox.simnode.rpc.network_methods import NetworkMethods
from btcctl.sandbox.simnode.rpc.signatures import HIDDEN, Method, Parameter
from btcctl.sandbox.simnode.rpc.wallet_methods import WalletMethods


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the methods act on.

    Attributes:
        warnings: Shown wherever bitcoind shows its own.
        request_stop: Begins the shutdown.
        started_at: For `uptime`, on the clock's monotonic scale.
    """

    ledger: Ledger
    network: Network
    clock: Clock
    warnings: list[str]
    request_stop: Callable[[], None]
    started_at: float
    chain: SimulatedChain
    wallets: Wallets


class Methods:
    """Runs methods by name."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._clock = surroundings.clock
        self._surroundings = surroundings
        self._active: list[tuple[str, float]] = []
        warnings = surroundings.warnings
        self._chain = ChainMethods(
            surroundings.ledger, surroundings.network.announce, surroundings.clock, warnings, surroundings.chain
        )
        network = NetworkMethods(surroundings.network, warnings)
        wallet = WalletMethods(
            surroundings.ledger,
            surroundings.wallets,
            lambda transaction: surroundings.network.relay([transaction]),
            surroundings.chain.segwit_prefix,
        )
        table = [*self._chain.table(), *self._control_table(), *network.table(), *wallet.table()]
        self._methods = {method.name: method for method in table}

    async def run(self, name: str, params: Any) -> Any:
        """Check the parameters and call.

        Raises:
            RpcError: Whatever the caller did wrong.
        """
        method = self._methods.get(name)
        if method is None:
            raise RpcError(METHOD_NOT_FOUND, "Method not found")
        running = (name, self._clock.now())
        self._active.append(running)
        try:
            result = method.handler(*method.arguments(params))
            return await result if inspect.isawaitable(result) else result
        finally:
            self._active.remove(running)

    def blockchain_info(self) -> dict[str, Any]:
        """What REST serves as chaininfo."""
        return self._chain.blockchain_info()

    def _control_table(self) -> list[Method]:
        command, wait = Parameter("command", "string", is_required=False), Parameter("wait", "number", False)
        group = "Control"
        return [
            Method("getrpcinfo", "The calls that are running.", self._rpc_info, group=group),
            Method("help", "All methods, or one of them.", self._help, [command], group),
            Method("stop", "End this node.", self._stop, [wait], group),
            Method("uptime", "Seconds since the start.", self._uptime, group=group),
        ]

    def _help(self, command: str | None) -> str:
        if command is not None:
            method = self._methods.get(command)
            return method.help_text if method else f"help: unknown command: {command}"
        shown = [method for method in self._methods.values() if method.group != HIDDEN]
        groups = {method.group: "" for method in shown}
        for method in shown:
            groups[method.group] += f"{method.usage}\n"
        return "\n".join(f"== {group} ==\n{lines}" for group, lines in groups.items()).removesuffix("\n")

    def _stop(self, _wait: float | None) -> str:
        self._surroundings.request_stop()
        return "btcctl-simnode stopping"

    def _uptime(self) -> int:
        return int(self._clock.now() - self._surroundings.started_at)

    def _rpc_info(self) -> dict[str, Any]:
        now = self._clock.now()
        calls = [{"method": name, "duration": int((now - began_at) * 1e6)} for name, began_at in self._active]
        return {"active_commands": calls, "logpath": ""}
