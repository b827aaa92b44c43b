"""The links that exist, and what `getpeerinfo` tells about them."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from btcctl.sandbox.simnode.p2p.addresses import Endpoint
from btcctl.sandbox.simnode.p2p.session import Session

SERVICES = 0xC09
SERVICE_NAMES = ["NETWORK", "WITNESS", "NETWORK_LIMITED", "P2P_V2"]


@dataclass(slots=True, eq=False)
class Peer:
    """One TCP connection. It counts from the moment TCP is up, handshake or not.

    Attributes:
        id: Never used twice by a process.
        name: The string that was dialled, or the `IP:port` an inbound one comes from.
        holds_slot: One of the dialler's links.
        writer: Its sending half.
        connected_time: Seconds since 1970, as all times here.
    """

    id: int
    name: str
    remote: Endpoint
    local: Endpoint
    inbound: bool
    holds_slot: bool
    v2: bool
    session: Session
    writer: asyncio.StreamWriter
    connected_time: int
    last_sent_time: int = 0
    last_received_time: int = 0
    last_block_time: int = 0
    sent_bytes: Counter[str] = field(default_factory=Counter)
    received_bytes: Counter[str] = field(default_factory=Counter)
    session_id: str = field(default_factory=lambda: secrets.token_hex(32))

    @property
    def transport(self) -> str:
        if self.session.version is None:
            return "detecting"
        return "v2" if self.v2 else "v1"

    def describe(self) -> dict[str, Any]:
        """This peer's element of `getpeerinfo`."""
        session, version = self.session, self.session.version
        pings = {"pingtime": session.ping_seconds, "minping": session.min_ping_seconds}
        return {
            "id": self.id,
            "addr": self.name,
            "addrbind": str(self.local),
            "network": "not_publicly_routable",
            "services": f"{SERVICES if version else 0:016x}",
            "servicesnames": SERVICE_NAMES if version else [],
            "relaytxes": version is not None,
            "last_inv_sequence": 1,
            "inv_to_send": 0,
            "lastsend": self.last_sent_time,
            "lastrecv": self.last_received_time,
            "last_transaction": 0,
            "last_block": self.last_block_time,
            "bytessent": self.sent_bytes.total(),
            "bytesrecv": self.received_bytes.total(),
            "conntime": self.connected_time,
            "timeoffset": 0,
            **{name: seconds for name, seconds in pings.items() if seconds is not None},
            "version": version.protocol if version else 0,
            "subver": version.agent if version else "",
            "inbound": self.inbound,
            "bip152_hb_to": False,
            "bip152_hb_from": False,
            "presynced_headers": -1,
            "synced_headers": self._synced_height(),
            "synced_blocks": self._synced_height(),
            "inflight": [],
            "addr_relay_enabled": version is not None,
            "addr_processed": 0,
            "addr_rate_limited": 0,
            "permissions": [],
            "minfeefilter": 0.0,
            "bytessent_per_msg": dict(sorted(self.sent_bytes.items())),
            "bytesrecv_per_msg": dict(sorted(self.received_bytes.items())),
            "connection_type": "inbound" if self.inbound else "manual",
            "transport_protocol_type": self.transport,
            "session_id": self.session_id if self.transport == "v2" else "",
        }

    def _synced_height(self) -> int:
        return self.session.their_height if self.session.their_height > 0 else -1


class Peers:
    """Every link of this node, in the order of connecting."""

    def __init__(self) -> None:
        self._by_id: dict[int, Peer] = {}

    def add(self, peer: Peer) -> None:
        self._by_id[peer.id] = peer

    def remove(self, peer: Peer) -> None:
        self._by_id.pop(peer.id, None)

    def __iter__(self) -> Iterator[Peer]:
        return iter(list(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    def by_id(self, id_: int) -> Peer | None:
        return self._by_id.get(id_)

    def by_name(self, name: str) -> Peer | None:
        """The peer dialled by exactly this string."""
        return next((peer for peer in self if peer.name == name), None)

    def by_endpoint(self, endpoint: Endpoint) -> Peer | None:
        return next((peer for peer in self if peer.remote == endpoint), None)

    def count(self, *, inbound: bool) -> int:
        return sum(peer.inbound == inbound for peer in self)

    def slots_held(self) -> int:
        return sum(peer.holds_slot for peer in self)
