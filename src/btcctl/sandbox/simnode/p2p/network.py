"""The sockets of the peer-to-peer side."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from btcctl.clock import Clock
from btcctl.errors import DecodeError
from btcctl.sandbox.simnode.chain.ledger import Ledger
from btcctl.sandbox.simnode.chain.transaction import Transaction
from btcctl.sandbox.simnode.p2p.added_nodes import AddedNodes
from btcctl.sandbox.simnode.p2p.addresses import DEFAULT_PORT, Endpoint, parse_endpoint
from btcctl.sandbox.simnode.p2p.dialler import SLOTS, AwaitSlot, Dial, Dialler, Sleep
from btcctl.sandbox.simnode.p2p.download import STALL_SECONDS, Download
from btcctl.sandbox.simnode.p2p.header_sync import HeaderSync
from btcctl.sandbox.simnode.p2p.messages import LINE_LIMIT_BYTES, Blocks, Message, decode, encode, kind_of
from btcctl.sandbox.simnode.p2p.peers import Peer, Peers
from btcctl.sandbox.simnode.p2p.session import ProtocolError, SelfConnection, Session

CONNECT_SECONDS = 5.0  # bitcoind's -timeout
HANDSHAKE_SECONDS = 60.0  # -peertimeout
PING_SECONDS = 120.0
SILENCE_SECONDS = 20 * 60.0
SELF_CONNECTION_SECONDS = 0.1  # so long bitcoind's own address shows as connected


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """How this node takes part.

    Attributes:
        binds: Where to listen. Links are dialled from the first of them, as from a pod's only address.
        agent: The name this node gives to its peers.
        inbound_limit: Links beyond this are closed at once.
        v2: Whether links claim the encrypted transport.
        default_port: Of the chain: what an address without a port means.
        magic: Tells the nodes of this chain from those of others.
    """

    binds: Sequence[Endpoint]
    agent: str
    inbound_limit: int = 114
    v2: bool = True
    default_port: int = DEFAULT_PORT
    magic: str = "regtest"


class Network:
    """Listens, dials, and keeps every node's chain the same.

    Args:
        ledger: This node's chain.
        added: The list that the dialler works through.
        options: How to take part.
        clock: For times of day and pings; waiting is asyncio's.
        log: Takes one line.
    """

    def __init__(
        self, ledger: Ledger, added: AddedNodes, options: NetworkOptions, clock: Clock, log: Callable[[str], None]
    ) -> None:
        self.peers = Peers()
        self.added = added
        self.is_active = True
        self.options = options
        self._ledger = ledger
        self._clock = clock
        self._log = log
        self._nonce = secrets.token_hex(8)
        self._ids = itertools.count()
        self._download = Download(clock)
        self._header_sync = HeaderSync(ledger, clock)
        self._slot_freed = asyncio.Event()
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Open the listening sockets and begin to dial.

        Raises:
            OSError: An address cannot be bound.
        """
        for host, port in self.options.binds:
            server = await asyncio.start_server(self._accept, host, port, limit=LINE_LIMIT_BYTES)
            self._servers.append(server)
            self._log(f"Bound to {host}:{port}")
        self._keep(self._dial_added())
        self._keep(self._notice_stalls())

    async def close(self) -> None:
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def dial(self, name: str, *, v2: bool | None = None, takes_slot: bool = False) -> None:
        """Try to connect once; silent about success, as `addnode … onetry` is.

        Nothing happens while networking is off, or when a link to that string or address exists.
        Names are not resolved: a simulated node knows numeric addresses only.
        """
        if not self.is_active or self.peers.by_name(name):
            return
        endpoint = parse_endpoint(name, self.options.default_port)
        self._log(f"[net] trying connection (manual) to {name}")
        if endpoint is None or self.peers.by_endpoint(endpoint):
            return
        source = (self.options.binds[0].host, 0) if self.options.binds else None
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(*endpoint, local_addr=source, limit=LINE_LIMIT_BYTES)
        except OSError as error:  # a timeout is one of them
            self._log(f"[net] connection to {name} failed: {error or 'timeout'}")
            return
        peer = self._new_peer(writer, name, inbound=False)
        peer.v2 = self.options.v2 if v2 is None else v2
        peer.holds_slot = takes_slot
        self._keep(self._converse(peer, reader, writer))

    def unconnected(self) -> list[str]:
        """Listed peers without a link."""
        return [name for name in self.added if self.link_of(name) is None]

    def link_of(self, name: str) -> Peer | None:
        """The link that makes a listed peer `connected`: by address if it is one, else by string."""
        endpoint = parse_endpoint(name, self.options.default_port)
        return self.peers.by_endpoint(endpoint) if endpoint else self.peers.by_name(name)

    def disconnect(self, peers: Iterable[Peer]) -> None:
        for peer in peers:
            self._drop(peer)

    def set_active(self, is_active: bool) -> None:
        self.is_active = is_active
        if not is_active:
            self.disconnect(self.peers)

    def announce(self) -> None:
        """Tell every peer about our tip."""
        for peer in self.peers:
            self._send(peer, peer.session.announcement())

    def relay(self, transactions: Sequence[Transaction], but: Peer | None = None) -> None:
        """Tell every peer but one about transactions."""
        for peer in self.peers:
            if peer is not but:
                self._send(peer, peer.session.transactions(transactions))

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _dial_added(self) -> None:
        dialler = Dialler()
        while True:
            self._slot_freed.clear()
            match dialler.step(self.unconnected(), SLOTS - self.peers.slots_held()):
                case Dial(name):
                    await self.dial(name, takes_slot=True)
                case Sleep(seconds):
                    await asyncio.sleep(seconds)
                case AwaitSlot():
                    await self._slot_freed.wait()

    async def _notice_stalls(self) -> None:
        while True:
            await asyncio.sleep(STALL_SECONDS)
            self._leave_overdue()
            self._catch_up()

    def _leave_overdue(self) -> None:
        """Without another peer that we have dialled there is nobody better to ask."""
        link = self._header_sync.overdue()
        for peer in [each for each in self.peers if each.session is link]:
            if any(not other.inbound for other in self.peers if other is not peer):
                self._log(f"[net] Timeout downloading headers, disconnecting peer={peer.id}")
                self._drop(peer)

    def _catch_up(self) -> None:
        for peer in self.peers:
            self._send(peer, peer.session.catch_up())

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.is_active or self.peers.count(inbound=True) >= self.options.inbound_limit:
            writer.close()
            return
        name = str(Endpoint.of_socket(writer.get_extra_info("peername")))
        self._keep(self._converse(self._new_peer(writer, name, inbound=True), reader, writer))

    def _new_peer(self, writer: asyncio.StreamWriter, name: str, *, inbound: bool) -> Peer:
        session = Session(
            self._ledger,
            nonce=self._nonce,
            agent=self.options.agent,
            inbound=inbound,
            clock=self._clock,
            download=self._download,
            header_sync=self._header_sync,
            magic=self.options.magic,
        )
        peer = Peer(
            id=next(self._ids),
            name=name,
            remote=Endpoint.of_socket(writer.get_extra_info("peername")),
            local=Endpoint.of_socket(writer.get_extra_info("sockname")),
            inbound=inbound,
            holds_slot=False,
            v2=self.options.v2,
            session=session,
            writer=writer,
            connected_time=self._now(),
        )
        self.peers.add(peer)
        return peer

    async def _converse(self, peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self._send(peer, peer.session.greet())
            while line := await self._next_line(peer, reader):
                self._receive(peer, line)
                await writer.drain()
        except SelfConnection:
            self._log(f"connected to self at {peer.name}, disconnecting")
            await asyncio.sleep(SELF_CONNECTION_SECONDS)
        except (ProtocolError, DecodeError, TimeoutError) as error:
            self._log(f"[net] disconnecting peer={peer.id}: {error or 'timeout'}")
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # it went away, or never ends a line
        finally:
            self._drop(peer)

    async def _next_line(self, peer: Peer, reader: asyncio.StreamReader) -> bytes:
        """The next line; pings while there is none.

        Raises:
            TimeoutError: No handshake, or nothing said, for too long.
        """
        if peer.session.version is None:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                return await reader.readuntil(b"\n")
        for _ in range(int(SILENCE_SECONDS / PING_SECONDS)):
            try:
                async with asyncio.timeout(PING_SECONDS):
                    return await reader.readuntil(b"\n")
            except TimeoutError:
                self._send(peer, [peer.session.ping()])
        raise TimeoutError("it has been silent for too long")

    def _receive(self, peer: Peer, line: bytes) -> None:
        message = decode(line)
        peer.last_received_time = self._now()
        peer.received_bytes[kind_of(message)] += len(line)
        before = self._ledger.chain.tip
        self._send(peer, peer.session.receive(message))
        news = peer.session.take_news()
        if news:
            self.relay(news, but=peer)
        if isinstance(message, Blocks):
            peer.last_block_time = self._now()
            self._catch_up()
        tip = self._ledger.chain.tip
        if tip is not before:
            self._log(f"UpdateTip: new best={tip.block.hash_hex} height={tip.height}")
            self.announce()

    def _send(self, peer: Peer, messages: Sequence[Message]) -> None:
        for message in messages:
            line = encode(message)
            peer.sent_bytes[kind_of(message)] += len(line)
            peer.last_sent_time = self._now()
            peer.writer.write(line)

    def _drop(self, peer: Peer) -> None:
        self.peers.remove(peer)
        peer.session.leave()
        peer.writer.close()
        self._catch_up()
        if peer.holds_slot:
            self._slot_freed.set()

    def _now(self) -> int:
        return int(self._clock.wall_time().timestamp())
