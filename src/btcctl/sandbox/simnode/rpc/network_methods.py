"""Methods about links and the addnode list."""

from __future__ import annotations

from typing import Any

from btcctl.sandbox.simnode.p2p.messages import PROTOCOL_VERSION
from btcctl.sandbox.simnode.p2p.network import Network
from btcctl.sandbox.simnode.p2p.peers import SERVICE_NAMES, SERVICES
from btcctl.sandbox.simnode.rpc.jsonrpc import (
    INVALID_PARAMETER,
    INVALID_PARAMS,
    MISC_ERROR,
    NODE_ALREADY_ADDED,
    NODE_NOT_ADDED,
    NODE_NOT_CONNECTED,
    RpcError,
)
from btcctl.sandbox.simnode.rpc.signatures import Method, Parameter

VERSION = 319900  #: the Bitcoin Core release that was measured
_V2_SERVICE = 0x800
_RELAY_FEE = 0.000001


class NetworkMethods:
    """Network.

    Args:
        network: The links.
        warnings: Shown in `getnetworkinfo`.
    """

    def __init__(self, network: Network, warnings: list[str]) -> None:
        self._network = network
        self._warnings = warnings
        self._add_node_method = Method(
            "addnode",
            "Add a peer to the list that is dialled, remove it from there, or try it once (onetry).",
            self._add_node,
            [
                Parameter("node", "string"),
                Parameter("command", "string"),
                Parameter("v2transport", "bool", is_required=False),
            ],
        )

    def table(self) -> list[Method]:
        disconnect = [
            Parameter("address", "string", is_required=False),
            Parameter("nodeid", "number", is_required=False),
        ]
        node = Parameter("node", "string", is_required=False)
        peers = self._network.peers
        return [
            self._add_node_method,
            Method(
                "disconnectnode",
                "Close the link to the peer dialled by this very string, or with this id.",
                self._disconnect_node,
                disconnect,
            ),
            Method("getaddednodeinfo", "The list that addnode keeps.", self._added_node_info, [node]),
            Method("getconnectioncount", "Number of links, both ways.", lambda: len(peers)),
            Method("getnetworkinfo", "The state of the network side.", self._network_info),
            Method("getpeerinfo", "Every link.", lambda: [peer.describe() for peer in peers]),
            Method(
                "setnetworkactive",
                "Switch all networking on or off.",
                self._set_active,
                [Parameter("state", "bool")],
            ),
        ]

    async def _add_node(self, node: str, command: str, v2transport: bool | None) -> None:
        if command not in ("add", "remove", "onetry"):
            raise RpcError(MISC_ERROR, self._add_node_method.help_text)
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
            "relayfee": _RELAY_FEE,
            "incrementalfee": _RELAY_FEE,
            "localaddresses": [],
            "warnings": self._warnings,
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
