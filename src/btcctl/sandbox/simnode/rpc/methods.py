"""The methods themselves."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from btcctl.clock import Clock
from btcctl.sandbox.simnode.chain.block import BITS, DIFFICULTY, TARGET, from_hex
from btcctl.sandbox.simnode.chain.chain import Entry, InvalidBlock
from btcctl.sandbox.simnode.chain.ledger import Ledger
from btcctl.sandbox.simnode.chain.payout import is_regtest_address
from btcctl.sandbox.simnode.p2p.messages import PROTOCOL_VERSION
from btcctl.sandbox.simnode.p2p.network import Network
from btcctl.sandbox.simnode.p2p.peers import SERVICE_NAMES, SERVICES
from btcctl.sandbox.simnode.rpc.jsonrpc import (
    INVALID_ADDRESS_OR_KEY,
    INVALID_PARAMETER,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    MISC_ERROR,
    NODE_ALREADY_ADDED,
    NODE_NOT_ADDED,
    NODE_NOT_CONNECTED,
    RpcError,
)
from btcctl.sandbox.simnode.rpc.signatures import Method, Parameter

VERSION = 319900  #: the Bitcoin Core release that was measured
_V2_SERVICE = 0x800
_BLOCKS_BETWEEN_BREATHS = 100
_TYPICAL_BLOCKS_PER_DAY = 144


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


class Methods:
    """Runs methods by name."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._ledger = surroundings.ledger
        self._chain = surroundings.ledger.chain
        self._network = surroundings.network
        self._clock = surroundings.clock
        self._surroundings = surroundings
        self._active: list[tuple[str, float]] = []
        self._methods = {method.name: method for method in self._table()}

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

    def _table(self) -> list[Method]:
        node, height = Parameter("node", "string"), Parameter("height", "number")
        optional_node = Parameter("node", "string", is_required=False)
        chain, mining, control = "Blockchain", "Mining", "Control"
        return [
            Method("getbestblockhash", "Hash of the tip of the active chain.", self._best_block_hash, group=chain),
            Method("getblockchaininfo", "The state of the chain.", self.blockchain_info, group=chain),
            Method("getblockcount", "Height of the active chain.", lambda: self._chain.tip.height, group=chain),
            Method("getblockhash", "Hash of the active block of a height.", self._block_hash, [height], chain),
            Method(
                "getblockheader",
                "A block's header, described or (verbose=false) in hexadecimal.",
                self._block_header,
                [Parameter("blockhash", "string"), Parameter("verbose", "bool", is_required=False)],
                chain,
            ),
            Method("getchaintips", "The end of every known branch.", self._chain_tips, group=chain),
            Method("getrpcinfo", "The calls that are running.", self._rpc_info, group=control),
            Method(
                "help", "All methods, or one of them.", self._help, [Parameter("command", "string", False)], control
            ),
            Method("stop", "End this node.", self._stop, [Parameter("wait", "number", False)], control),
            Method("uptime", "Seconds since the start.", self._uptime, group=control),
            Method(
                "generatetoaddress",
                "Mine blocks at once; returns their hashes.",
                self._generate,
                [
                    Parameter("nblocks", "number"),
                    Parameter("address", "string"),
                    Parameter("maxtries", "number", False),
                ],
                mining,
            ),
            Method(
                "addnode",
                "Add a peer to the list that is dialled, remove it from there, or try it once (onetry).",
                self._add_node,
                [node, Parameter("command", "string"), Parameter("v2transport", "bool", is_required=False)],
            ),
            Method(
                "disconnectnode",
                "Close the link to the peer dialled by this very string, or with this id.",
                self._disconnect_node,
                [Parameter("address", "string", False), Parameter("nodeid", "number", False)],
            ),
            Method("getaddednodeinfo", "The list that addnode keeps.", self._added_node_info, [optional_node]),
            Method("getconnectioncount", "Number of links, both ways.", lambda: len(self._network.peers)),
            Method("getnetworkinfo", "The state of the network side.", self._network_info),
            Method("getpeerinfo", "Every link.", lambda: [peer.describe() for peer in self._network.peers]),
            Method(
                "setnetworkactive", "Switch all networking on or off.", self._set_active, [Parameter("state", "bool")]
            ),
        ]

    # -- control

    def _help(self, command: str | None) -> str:
        if command is not None:
            method = self._methods.get(command)
            return method.help_text if method else f"help: unknown command: {command}"
        groups = {method.group: "" for method in self._methods.values()}
        for method in self._methods.values():
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

    # -- chain

    def _best_block_hash(self) -> str:
        return self._chain.tip.block.hash_hex

    def blockchain_info(self) -> dict[str, Any]:
        """`getblockchaininfo`, which REST serves too."""
        tip = self._chain.tip
        is_behind = self._ledger.is_initial_download()
        return {
            "chain": "regtest",
            "blocks": tip.height,
            "headers": tip.height,
            "bestblockhash": tip.block.hash_hex,
            **_difficulty_fields(),
            "time": tip.block.time,
            "mediantime": self._chain.median_time(tip),
            "verificationprogress": self._progress(tip) if is_behind else 1,
            "initialblockdownload": is_behind,
            "chainwork": f"{tip.work:064x}",
            "size_on_disk": self._chain.size_bytes,
            "pruned": False,
            "warnings": self._surroundings.warnings,
        }

    def _progress(self, tip: Entry) -> float:
        days_behind = (self._clock.wall_time().timestamp() - tip.block.time) / 86400
        return (tip.height + 1) / (tip.height + 1 + max(0.0, days_behind) * _TYPICAL_BLOCKS_PER_DAY)

    def _block_hash(self, height: float) -> str:
        entry = self._chain.at(int(height))
        if entry is None:
            raise RpcError(INVALID_PARAMETER, "Block height out of range")
        return entry.block.hash_hex

    def _block_header(self, blockhash: str, verbose: bool | None) -> str | dict[str, Any]:
        entry = self._chain.find(_parse_hash(blockhash, "blockhash"))
        if entry is None:
            raise RpcError(INVALID_ADDRESS_OR_KEY, "Block not found")
        if verbose is False:
            return entry.block.header.hex()
        block, is_active = entry.block, self._chain.is_active(entry)
        following = self._chain.at(entry.height + 1) if is_active else None
        return {
            "hash": block.hash_hex,
            "confirmations": self._chain.tip.height - entry.height + 1 if is_active else -1,
            "height": entry.height,
            "version": block.version,
            "versionHex": f"{block.version:08x}",
            "merkleroot": block.merkle_root[::-1].hex(),
            "time": block.time,
            "mediantime": self._chain.median_time(entry),
            "nonce": block.nonce,
            **_difficulty_fields(),
            "chainwork": f"{entry.work:064x}",
            "nTx": 1,
            **({"previousblockhash": block.previous[::-1].hex()} if entry.height else {}),
            **({"nextblockhash": following.block.hash_hex} if following else {}),
        }

    def _chain_tips(self) -> list[dict[str, Any]]:
        return [
            {
                "height": entry.height,
                "hash": entry.block.hash_hex,
                "branchlen": entry.height - self._chain.fork_of(entry).height,
                "status": "active" if entry is self._chain.tip else "valid-fork",
            }
            for entry in self._chain.leaves()
        ]

    async def _generate(self, nblocks: float, address: str, _max_tries: float | None) -> list[str]:
        if not is_regtest_address(address):
            raise RpcError(INVALID_ADDRESS_OR_KEY, "Error: Invalid address")
        hashes = []
        for number in range(1, int(nblocks) + 1):
            hashes.append(self._mine(address))
            if number % _BLOCKS_BETWEEN_BREATHS == 0:
                self._network.announce()
                await asyncio.sleep(0)
        self._network.announce()
        return hashes

    def _mine(self, address: str) -> str:
        try:
            return self._ledger.generate(address).hash_hex
        except InvalidBlock as error:  # so many at once that their times run two hours ahead
            raise RpcError(MISC_ERROR, f"CreateNewBlock: {error}") from error

    # -- network

    async def _add_node(self, node: str, command: str, v2transport: bool | None) -> None:
        if command not in ("add", "remove", "onetry"):
            raise RpcError(MISC_ERROR, self._methods["addnode"].help_text)
        if v2transport and not self._network.options.v2:
            raise RpcError(INVALID_PARAMETER, "Error: v2transport requested but not enabled (see -v2transport)")
        if command == "onetry":
            await self._network.dial(node, v2=v2transport)
        elif command == "add" and not self._network.added.add(node):
            raise RpcError(NODE_ALREADY_ADDED, "Error: Node already added")
        elif command == "remove" and not self._network.added.remove(node):
            message = "Error: Node could not be removed. It has not been added previously."
            raise RpcError(NODE_NOT_ADDED, message)

    def _added_node_info(self, node: str | None) -> list[dict[str, Any]]:
        listed = list(self._network.added)
        if node is not None and node not in listed:
            raise RpcError(NODE_NOT_ADDED, "Error: Node has not been added.")
        return [self._describe_added(name) for name in (listed if node is None else [node])]

    def _describe_added(self, name: str) -> dict[str, Any]:
        link = self._network.link_of(name)
        if link is None:
            return {"addednode": name, "connected": False, "addresses": []}
        direction = "inbound" if link.inbound else "outbound"
        return {
            "addednode": name,
            "connected": True,
            "addresses": [{"address": str(link.remote), "connected": direction}],
        }

    def _disconnect_node(self, address: str | None, nodeid: float | None) -> None:
        peers = self._network.peers
        if address and nodeid is None:
            peer = peers.by_name(address)
        elif nodeid is not None and not address:
            peer = peers.by_id(int(nodeid))
        else:
            raise RpcError(INVALID_PARAMS, "Only one of address and nodeid should be provided.")
        if peer is None:
            raise RpcError(NODE_NOT_CONNECTED, "Node not found in connected nodes")
        self._network.disconnect([peer])

    def _network_info(self) -> dict[str, Any]:
        peers, options = self._network.peers, self._network.options
        services = SERVICES if options.v2 else SERVICES & ~_V2_SERVICE
        return {
            "version": VERSION,
            "subversion": options.agent,
            "protocolversion": PROTOCOL_VERSION,
            "localservices": f"{services:016x}",
            "localservicesnames": SERVICE_NAMES if options.v2 else SERVICE_NAMES[:-1],
            "localrelay": True,
            "timeoffset": 0,
            "networkactive": self._network.is_active,
            "connections": len(peers),
            "connections_in": peers.count(inbound=True),
            "connections_out": peers.count(inbound=False),
            "networks": [_describe_network(name) for name in ("ipv4", "ipv6", "onion", "i2p", "cjdns")],
            "relayfee": 0.000001,
            "incrementalfee": 0.000001,
            "localaddresses": [],
            "warnings": self._surroundings.warnings,
        }

    def _set_active(self, state: bool) -> bool:
        self._network.set_active(state)
        return state


def _describe_network(name: str) -> dict[str, Any]:
    is_reachable = name in ("ipv4", "ipv6")
    return {
        "name": name,
        "limited": not is_reachable,
        "reachable": is_reachable,
        "proxy": "",
        "proxy_randomize_credentials": False,
    }


def _difficulty_fields() -> dict[str, Any]:
    return {"bits": f"{BITS:08x}", "target": f"{TARGET:064x}", "difficulty": DIFFICULTY}


def _parse_hash(text: str, name: str) -> bytes:
    if len(text) != 64:
        raise RpcError(INVALID_PARAMETER, f"{name} must be of length 64 (not {len(text)}, for '{text}')")
    try:
        return from_hex(text)
    except ValueError as error:
        raise RpcError(INVALID_PARAMETER, f"{name} must be hexadecimal string (not '{text}')") from error
