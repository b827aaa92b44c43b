"""Bitcoin nodes as far as the operator asks them, thousands in one process: JSON-RPC over real HTTP.

One socket listens for all: a connection's own address says which node is called. Each answer has the fields and the
size of Bitcoin Core's, and is made again only when something has changed, so that the nodes cost next to nothing.
"""

from __future__ import annotations

import asyncio
import json
import socket
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

USER, PASSWORD = "bench-user", "bench-password"
HEIGHT = 101
_AUTHORIZATION = b"authorization: Basic " + b64encode(f"{USER}:{PASSWORD}".encode())
_MESSAGES = {"feefilter": 58, "getheaders": 724, "headers": 9325, "ping": 29, "pong": 29, "sendaddrv2": 33}
_MESSAGES |= {"sendcmpct": 60, "sendheaders": 33, "verack": 33, "version": 136, "wtxidrelay": 33}
_PEER = {
    "network": "not_publicly_routable",
    "services": "0000000000000c09",
    "servicesnames": ["NETWORK", "WITNESS", "NETWORK_LIMITED", "P2P_V2"],
    "relaytxes": True,
    "last_inv_sequence": 1,
    "inv_to_send": 0,
    "lastsend": 1795448147,
    "lastrecv": 1795448147,
    "last_transaction": 0,
    "last_block": 1795448147,
    "bytessent": 4518,
    "bytesrecv": 25732,
    "conntime": 1795448146,
    "timeoffset": 0,
    "pingtime": 0.000164605,
    "minping": 0.000164605,
    "version": 70016,
    "subver": "/Satoshi:31.99.0/",
    "bip152_hb_to": False,
    "bip152_hb_from": False,
    "presynced_headers": -1,
    "synced_headers": HEIGHT,
    "synced_blocks": HEIGHT,
    "inflight": [],
    "addr_relay_enabled": True,
    "addr_processed": 0,
    "addr_rate_limited": 0,
    "permissions": [],
    "minfeefilter": 1e-06,
    "bytessent_per_msg": _MESSAGES,
    "bytesrecv_per_msg": _MESSAGES,
    "transport_protocol_type": "v2",
    "session_id": "190a34e91f4d272abff04b7962479bf25cd34c7d1851e33739599e211aff6914",
}
_CHAIN = {
    "chain": "regtest",
    "blocks": HEIGHT,
    "headers": HEIGHT,
    "bestblockhash": "0f" * 32,
    "difficulty": 4.656542373906925e-10,
    "time": 1795448147,
    "mediantime": 1795448146,
    "verificationprogress": 1,
    "initialblockdownload": False,
    "chainwork": "00" * 32,
    "size_on_disk": 30540,
    "pruned": False,
    "warnings": [],
}


def addresses() -> Iterator[str]:
    """Of the loopback network, as many as are needed."""
    return (f"127.{64 + a}.{b}.{c}" for a in range(100) for b in range(250) for c in range(1, 251))


@dataclass(eq=False)
class Node:
    """Its list, and who is connected with whom by whose dialling."""

    address: str
    added: list[str] = field(default_factory=list)
    dialled: dict[str, int] = field(default_factory=dict)  #: by address: the connection's number
    came: dict[str, int] = field(default_factory=dict)
    answers: dict[str, bytes] = field(default_factory=dict)  #: by method; forgotten with every change


class Nodes:
    """All nodes, and the counts of what they were asked.

    Attributes:
        reads: Calls that change nothing.
        writes: `addnode` and `disconnectnode`.
        asked: The addresses of those that were asked since it was cleared.
    """

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._links = 0
        self.reads = 0
        self.writes = 0
        self.asked: set[str] = set()

    def start(self, address: str) -> None:
        self._nodes[address] = Node(address)

    def stop(self, address: str) -> None:
        gone = self._nodes.pop(address, None)
        if gone is not None:
            for other in {*gone.dialled, *gone.came}:
                self._disconnect(gone, other)

    def call(self, address: str, body: bytes) -> bytes | None:
        """Answer a batch, or a single call; None if there is no such node."""
        node = self._nodes.get(address)
        if node is None:
            return None
        self.asked.add(address)
        asked = json.loads(body)
        if isinstance(asked, list):
            self.reads += 1
            return b"[" + b",".join([self._answer(node, each) for each in asked]) + b"]"
        self.writes += 1
        return self._answer(node, asked)

    def _answer(self, node: Node, asked: dict[str, Any]) -> bytes:
        method = asked["method"]
        if method in {"addnode", "disconnectnode"}:
            error = getattr(self, f"_{method}")(node, *asked["params"])
            node.answers.clear()
            result = b"null"
            if error:
                return json.dumps({"jsonrpc": "2.0", "error": error, "id": asked["id"]}).encode()
        else:
            result = node.answers.get(method) or self._read(node, method)
        return b'{"jsonrpc":"2.0","result":%b,"id":%d}' % (result, asked["id"])

    def _read(self, node: Node, method: str) -> bytes:
        made: Any = _CHAIN
        if method == "getaddednodeinfo":
            made = [_added(entry, entry in node.dialled) for entry in node.added]
        elif method == "getpeerinfo":
            out = [_peer(number, address, node.address, is_inbound=False) for address, number in node.dialled.items()]
            came = [_peer(number, address, node.address, is_inbound=True) for address, number in node.came.items()]
            made = out + came
        node.answers[method] = json.dumps(made, separators=(",", ":")).encode()
        return node.answers[method]

    def _addnode(self, node: Node, peer: str, command: str) -> dict[str, Any] | None:
        if command == "add":
            if peer in node.added:
                return {"code": -23, "message": "Error: Node already added"}
            node.added.append(peer)
        elif command == "remove":
            if peer not in node.added:
                return {"code": -24, "message": "Error: Node could not be removed. It has not been added previously."}
            node.added.remove(peer)
        else:
            self._dial(node, peer)
        return None

    def _dial(self, node: Node, peer: str) -> None:
        other = self._nodes.get(peer)
        if other is not None and other is not node and peer not in node.dialled:
            self._links += 1
            node.dialled[peer] = other.came[node.address] = self._links
            other.answers.clear()

    def _disconnectnode(self, node: Node, peer: str, number: int | None = None) -> dict[str, Any] | None:
        links = {**node.dialled, **node.came}
        found = peer if number is None else next((each for each, its in links.items() if its == number), "")
        if found not in links:
            return {"code": -29, "message": "Node not found in connected nodes"}
        self._disconnect(node, found)
        return None

    def _disconnect(self, node: Node, peer: str) -> None:
        other = self._nodes.get(peer, node)
        for one, its in ((node, peer), (other, node.address)):
            one.dialled.pop(its, None)
            one.came.pop(its, None)
            one.answers.clear()


def _added(entry: str, is_connected: bool) -> dict[str, Any]:
    connections = [{"address": f"{entry}:18444", "connected": "outbound"}] if is_connected else []
    return {"addednode": entry, "connected": is_connected, "addresses": connections}


def _peer(number: int, address: str, own: str, *, is_inbound: bool) -> dict[str, Any]:
    ours, theirs = (f"{own}:18444", f"{address}:44488") if is_inbound else (f"{own}:44488", address)
    kind = "inbound" if is_inbound else "manual"
    return {"id": number, "addr": theirs, "addrbind": ours, **_PEER, "inbound": is_inbound, "connection_type": kind}


class _Connection(asyncio.Protocol):
    """HTTP/1.1 as the operator speaks it: requests with a Content-Length, one after the other."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._address: str = transport.get_extra_info("sockname")[0]
        if not self._address.startswith("127."):
            transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, rest = self._buffer.partition(b"\r\n\r\n")
            fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
            length = int(fields.get(b"content-length", b"0"))
            if len(rest) < length:
                return
            self._buffer = rest[length:]
            self._answer(head, rest[:length])

    def _answer(self, head: bytes, body: bytes) -> None:
        if _AUTHORIZATION.lower() not in head.lower():
            self._send(b'401 Unauthorized\r\nWWW-Authenticate: Basic realm="jsonrpc"', b"")
            return
        answer = self._nodes.call(self._address, body)
        if answer is None:
            self._transport.abort()
            return
        self._send(b"200 OK", answer)

    def _send(self, status: bytes, body: bytes) -> None:
        head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
        self._transport.write(head + body)


async def serve(nodes: Nodes, told: Callable[[int], None]) -> None:
    """Serve for ever.

    Args:
        told: Called with the port, which all nodes share.
    """
    listener = socket.create_server(("0.0.0.0", 0), backlog=1024)  # noqa: S104 - all loopback addresses, and only those
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(nodes), sock=listener)
    told(listener.getsockname()[1])
    await server.serve_forever()
