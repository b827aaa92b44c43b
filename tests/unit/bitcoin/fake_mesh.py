"""Bitcoin nodes as their RPC shows them: lists in memory, dialling by `onetry` alone."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from btcctl.bitcoin.rpc import (
    AlreadyAdded,
    Call,
    Credentials,
    NotAdded,
    NotConnected,
    RpcFailure,
    RpcUnauthorized,
    RpcUnavailable,
)
from btcctl.bitcoin.topology import canonical, is_bare

CREDENTIALS = Credentials("user", "password")


@dataclass
class Link:
    id: int
    source: str
    target: str
    dialled: str
    version: int = 70016


@dataclass
class FakeMesh:
    """Any number of nodes by address. Counts every call that changes something. From any thread."""

    credentials: Credentials = CREDENTIALS
    own: dict[str, Credentials] = field(default_factory=dict)  #: by address: of nodes that have others than the rest
    listed: dict[str, list[str]] = field(default_factory=dict)  #: by the address of each node that runs
    links: list[Link] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)  #: answer no RPC
    unreachable: set[str] = field(default_factory=set)  #: cannot be dialled
    changes: list[tuple[str, ...]] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    blocks: dict[str, int] = field(default_factory=dict)  #: by address: the height of its chain, 0 by default
    greeted: dict[str, int] = field(default_factory=dict)  #: by address: the height it named when it was connected to
    branches: dict[str, str] = field(default_factory=dict)  #: by address: the name of its branch
    forked_at: int = 0  #: the last block that all branches have
    chain: str = "regtest"  #: that all nodes are on
    chains: dict[str, str] = field(default_factory=dict)  #: by address: of those that are on another one
    agents: dict[str, str] = field(default_factory=dict)  #: by address: its name for itself
    off: set[str] = field(default_factory=set)  #: have their network switched off
    behind: set[str] = field(default_factory=set)  #: still fetch a chain, as far as they know
    loaded: set[str] = field(default_factory=set)  #: have their UTXO snapshot
    loading: set[str] = field(default_factory=set)  #: are at it
    refusals: dict[str, RpcFailure] = field(default_factory=dict)  #: by address: what it answers to loadtxoutset
    ids: Any = field(default_factory=lambda: count(1))
    lock: Any = field(default_factory=threading.RLock)  #: a call, or a change of what there is, is done as one

    def start(self, *addresses: str) -> None:
        with self.lock:
            for address in addresses:
                self.listed[address] = []

    def stop(self, address: str, *, quietly: bool = False) -> None:
        """End a node; `quietly`, without the others' noticing."""
        with self.lock:
            self.listed.pop(address, None)
            if not quietly:
                self.links = [link for link in self.links if address not in (link.source, link.target)]

    def restart(self, address: str) -> None:
        with self.lock:
            self.stop(address)
            self.start(address)

    def peers_of(self, address: str) -> set[str]:
        with self.lock:
            return {link.target for link in self.links if link.source == address}

    def rpc_for(self, address: str, credentials: Credentials, port: int | None = None) -> FakeRpc:
        return FakeRpc(self, address, credentials)

    def connect(self, source: str, dialled: str) -> None:
        target = canonical(dialled) if is_bare(dialled) else dialled
        already = any(link.source == source and link.dialled == dialled for link in self.links)
        if self.off & {source, target}:
            return
        if target in self.listed and target not in self.unreachable and target != source and not already:
            self.links.append(Link(next(self.ids), source, target, dialled))


@dataclass
class FakeRpc:
    mesh: FakeMesh
    address: str
    credentials: Credentials

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        self.mesh.reads.append(self.address)
        return [self._call(method, params) for method, params in calls]

    def call(self, method: str, *params: Any, retry: bool = True) -> Any:
        self.mesh.changes.append((self.address, method, *params))
        return self._call(method, params)

    def _call(self, method: str, params: Sequence[Any]) -> Any:
        with self.mesh.lock:
            return self._answer(method, params)

    def _answer(self, method: str, params: Sequence[Any]) -> Any:
        if self.address in self.mesh.silent or self.address not in self.mesh.listed:
            raise RpcUnavailable(f"{self.address} cannot be reached")
        if self.credentials != self.mesh.own.get(self.address, self.mesh.credentials):
            raise RpcUnauthorized(f"{self.address} does not accept the credentials")
        return getattr(self, f"_{method}")(*params)

    def _getaddednodeinfo(self) -> list[dict[str, Any]]:
        connected = {link.dialled for link in self.mesh.links if link.source == self.address}
        return [{"addednode": each, "connected": each in connected} for each in self.mesh.listed[self.address]]

    def _getblockchaininfo(self) -> dict[str, Any]:
        blocks = self.mesh.blocks.get(self.address, 0)
        branch = self.mesh.branches.get(self.address, "")
        return {
            "chain": self.mesh.chains.get(self.address, self.mesh.chain),
            "blocks": blocks,
            "bestblockhash": f"{branch}{blocks}",
            "time": 1_700_000_000 + blocks,
            "initialblockdownload": self.address in self.mesh.behind,
        }

    def _getchainstates(self) -> dict[str, Any]:
        own = {"blocks": 0, "validated": True}
        loaded = {"blocks": 200, "snapshot_blockhash": "5e", "validated": False}
        return {"headers": 0, "chainstates": [own, loaded] if self.address in self.mesh.loaded else [own]}

    def _getrpcinfo(self) -> dict[str, Any]:
        methods = ["getrpcinfo", *(["loadtxoutset"] if self.address in self.mesh.loading else [])]
        return {"active_commands": [{"method": each, "duration": 1} for each in methods]}

    def _loadtxoutset(self, path: str) -> dict[str, Any]:
        if self.address in self.mesh.refusals:
            raise self.mesh.refusals[self.address]
        assert path == "utxo-snapshot"
        self.mesh.loaded.add(self.address)
        self.mesh.blocks[self.address] = 200
        return {"coins_loaded": 200}

    def _getblockhash(self, height: int) -> str:
        forked = height > self.mesh.forked_at
        return f"{self.mesh.branches.get(self.address, '') if forked else ''}{height}"

    def _getnetworkinfo(self) -> dict[str, Any]:
        agent = self.mesh.agents.get(self.address, "/Satoshi:29.0.0/")
        return {"subversion": agent, "networkactive": self.address not in self.mesh.off}

    def _getpeerinfo(self) -> list[dict[str, Any]]:
        links = self.mesh.links
        out = [
            {
                "id": each.id,
                "addr": each.dialled,
                "inbound": False,
                "version": each.version,
                "startingheight": self.mesh.greeted.get(each.target, self.mesh.blocks.get(each.target, 0)),
            }
            for each in links
            if each.source == self.address
        ]
        into = [
            {"id": each.id, "addr": f"{each.source}:50000", "inbound": True, "version": each.version}
            for each in links
            if each.target == self.address
        ]
        return out + into

    def _addnode(self, peer: str, command: str) -> None:
        entries = self.mesh.listed[self.address]
        if command == "onetry":
            self.mesh.connect(self.address, peer)
        elif command == "add":
            if peer in {entry.removesuffix(":18444") for entry in entries}:
                raise AlreadyAdded(-23, "Error: Node already added")
            entries.append(peer)
        elif peer in entries:
            entries.remove(peer)
        else:
            raise NotAdded(-24, "Error: Node could not be removed")

    def _disconnectnode(self, peer: str = "", number: int | None = None) -> None:
        mine = [link for link in self.mesh.links if self.address in (link.source, link.target)]
        doomed = [each for each in mine if (each.id == number if number is not None else each.dialled == peer)]
        if not doomed:
            raise NotConnected(-29, "Node not found in connected nodes")
        self.mesh.links = [link for link in self.mesh.links if link not in doomed]
