"""One side of a conversation between two nodes. Pure: messages in, messages out."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from btcctl.clock import Clock
from btcctl.errors import BtcctlError
from btcctl.sandbox.simnode.chain.block import Block, from_hex
from btcctl.sandbox.simnode.chain.chain import InvalidBlock
from btcctl.sandbox.simnode.chain.ledger import Ledger
from btcctl.sandbox.simnode.chain.mempool import Refused
from btcctl.sandbox.simnode.chain.transaction import Transaction, decode
from btcctl.sandbox.simnode.p2p.download import Download
from btcctl.sandbox.simnode.p2p.header_sync import HeaderSync
from btcctl.sandbox.simnode.p2p.messages import (
    PROTOCOL_VERSION,
    Blocks,
    GetBlocks,
    Inv,
    Message,
    Ping,
    Pong,
    Transactions,
    Verack,
    Version,
)

BLOCKS_PER_MESSAGE = 500
TRANSACTIONS_PER_MESSAGE = 500
_LONGEST_LOCATOR = 101  # as Bitcoin Core's MAX_LOCATOR_SZ


class SelfConnection(BtcctlError):
    """The other end is this very node."""


class ProtocolError(BtcctlError):
    """The other end does not keep to the protocol."""


class Session:
    """What one link has agreed on so far.

    Args:
        ledger: Where blocks come from and go to.
        nonce: This process', to recognise itself by.
        agent: Our name for ourselves.
        magic: Tells the nodes of this chain from those of others.
        inbound: The other side dialled.
        clock: Measures pings.
        download: Of this node, over whichever link; None if it has no other.
        header_sync: The same.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        nonce: str,
        agent: str,
        inbound: bool,
        clock: Clock,
        download: Download | None = None,
        header_sync: HeaderSync | None = None,
        magic: str = "regtest",
    ) -> None:
        self._ledger = ledger
        self._download = download or Download(clock)
        self._header_sync = header_sync or HeaderSync(ledger, clock)
        self._nonce = nonce
        self._agent = agent
        self._magic = magic
        self._inbound = inbound
        self._clock = clock
        self._pinged: tuple[int, float] | None = None
        self._told_tip = b""
        self._news: list[Transaction] = []
        self._is_heeded = False  # its announcement of a block was followed up out of turn
        self._asked_in_vain = ""  # a tip of theirs that they did not have any more when they were asked
        self.version: Version | None = None
        self.is_established = False
        self.their_height = -1
        self.their_tip = ""
        self.ping_seconds: float | None = None
        self.min_ping_seconds: float | None = None

    def greet(self) -> list[Message]:
        """What to say first: the side that dialled begins."""
        return [] if self._inbound else [self._own_version()]

    def receive(self, message: Message) -> list[Message]:
        """Take in one message and return the answers.

        Raises:
            SelfConnection: We are talking to ourselves.
            ProtocolError: Out of turn, or with blocks that break a rule.
        """
        if isinstance(message, Version):
            return self._greeted(message)
        if self.version is None:
            raise ProtocolError("it did not begin with its version")
        match message:
            case Verack():
                self.is_established = True
                # The announcement is for a block that came between their version and now.
                waiting = self.transactions(self._ledger.mempool)
                return [self.ping(), *self.catch_up(), *self.announcement(), *waiting]
            case Ping(nonce):
                return [Pong(nonce)]
            case Pong(nonce):
                self._ponged(nonce)
                return []
            case Inv(height, tip):
                self.their_height, self.their_tip = height, tip
                return self._heard_of(tip)
            case GetBlocks(locator):
                return [self._blocks_after(locator)]
            case Blocks(blocks, more):
                return self._take(blocks, more)
            case Transactions(transactions):
                self._wait_for_block(transactions)
                return []

    def catch_up(self) -> list[Message]:
        """What to ask for once no other link fetches blocks any more, if this peer is to be asked."""
        if not self.is_established or not (self._header_sync.begin(self) or self._is_heeded):
            return []
        return self._ask_for_unknown_tip()

    def leave(self) -> None:
        """The link is gone: another one may fetch blocks."""
        self._download.end(self)
        self._header_sync.end(self)

    def ping(self) -> Ping:
        nonce = secrets.randbits(48)
        self._pinged = (nonce, self._clock.now())
        return Ping(nonce)

    def announcement(self) -> list[Message]:
        """Our tip, unless they have it or know of it, or the handshake is not done."""
        tip = self._ledger.chain.tip
        if not self.is_established or tip.block.hash_hex == self.their_tip or tip.hash == self._told_tip:
            return []
        self._told_tip = tip.hash
        return [Inv(tip.height, tip.block.hash_hex)]

    def transactions(self, waiting: Iterable[Transaction]) -> list[Message]:
        """What to say of them, if anything."""
        encoded = [each.encode() for each in waiting]
        if not self.is_established or not encoded:
            return []
        parts = range(0, len(encoded), TRANSACTIONS_PER_MESSAGE)
        return [Transactions(encoded[start : start + TRANSACTIONS_PER_MESSAGE]) for start in parts]

    def take_news(self) -> list[Transaction]:
        """The transactions that came over this link and were not known: the other peers are to hear of them."""
        news, self._news = self._news, []
        return news

    def _wait_for_block(self, encoded: list[str]) -> None:
        try:
            transactions = [decode(each) for each in encoded]
        except ValueError as error:
            raise ProtocolError(str(error)) from error
        for each in transactions:
            try:
                if self._ledger.mempool.add(each):
                    self._news.append(each)
            except Refused:
                continue  # it may have been mined here already, or its chain is not ours

    def _own_version(self) -> Version:
        tip = self._ledger.chain.tip
        self._told_tip = tip.hash
        return Version(self._nonce, PROTOCOL_VERSION, self._agent, tip.height, tip.block.hash_hex, self._magic)

    def _greeted(self, version: Version) -> list[Message]:
        if version.nonce == self._nonce:
            raise SelfConnection("connected to self")
        if version.magic != self._magic:
            raise ProtocolError("it is a node of another chain")
        if self.version is not None:
            raise ProtocolError("it said its version twice")
        self.version = version
        self.their_height, self.their_tip = version.height, version.tip
        return [self._own_version(), Verack()] if self._inbound else [Verack()]

    def _ponged(self, nonce: int) -> None:
        if self._pinged is None or self._pinged[0] != nonce:
            return
        seconds = self._clock.now() - self._pinged[1]
        self._pinged = None
        self.ping_seconds = seconds
        self.min_ping_seconds = seconds if self.min_ping_seconds is None else min(seconds, self.min_ping_seconds)

    def _heard_of(self, tip: str) -> list[Message]:
        if self._knows_their_tip():
            return []
        if not self._header_sync.begin(self) and not self._is_heeded:
            self._is_heeded = self._header_sync.heed(tip)
        return self.catch_up()

    def _ask_for_unknown_tip(self) -> list[Message]:
        if self._knows_their_tip() or self.their_tip == self._asked_in_vain or not self._download.begin(self):
            return []
        return [GetBlocks(_hex(self._ledger.chain.locator()))]

    def _knows_their_tip(self) -> bool:
        return self._ledger.chain.find(_hash(self.their_tip)) is not None

    def _blocks_after(self, locator: list[str]) -> Blocks:
        hashes = [_hash(each) for each in locator[:_LONGEST_LOCATOR]]
        blocks = self._ledger.chain.after(hashes, BLOCKS_PER_MESSAGE)
        tip = self._ledger.chain.tip
        is_all = not blocks or blocks[-1].hash == tip.hash
        if is_all and self._knows_their_tip():  # otherwise it may be better than ours, and is still to be had
            self.their_height, self.their_tip = tip.height, tip.block.hash_hex
        return Blocks([block.encode() for block in blocks], more=not is_all)

    def _take(self, encoded: list[str], more: bool) -> list[Message]:
        try:
            blocks = [Block.decode(each) for each in encoded]
            for block in blocks:
                self._ledger.add(block)
        except (ValueError, InvalidBlock) as error:
            raise ProtocolError(str(error)) from error
        if not more or not blocks:
            self._download.end(self)
            self._asked_in_vain = "" if blocks else self.their_tip
            return self.catch_up()
        self._download.go_on(self)
        # From the last block on, which need not be on our active chain yet.
        return [GetBlocks(_hex([blocks[-1].hash, *self._ledger.chain.locator()]))]


def _hash(text: str) -> bytes:
    try:
        return from_hex(text)
    except ValueError as error:
        raise ProtocolError(str(error)) from error


def _hex(hashes: list[bytes]) -> list[str]:
    return [hash_[::-1].hex() for hash_ in hashes]
