from __future__ import annotations

import contextlib
import tempfile
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btcctl.errors import DecodeError
from btcctl.sandbox.simnode.chain.block import GENESIS
from btcctl.sandbox.simnode.chain.ledger import Ledger
from btcctl.sandbox.simnode.p2p.download import STALL_SECONDS, Download
from btcctl.sandbox.simnode.p2p.header_sync import PATIENCE_SECONDS, RECENT_SECONDS, HeaderSync
from btcctl.sandbox.simnode.p2p.messages import (
    Blocks,
    GetBlocks,
    Inv,
    Message,
    Ping,
    Pong,
    Verack,
    Version,
    decode,
    encode,
    kind_of,
)
from btcctl.sandbox.simnode.p2p.session import BLOCKS_PER_MESSAGE, ProtocolError, SelfConnection, Session
from btcctl.testing.clock import FakeClock
from tests.unit.sandbox.simnode.chain.blocks import branch


class Side:
    """A ledger and one end of a link."""

    def __init__(self, path: Path, *, inbound: bool, nonce: str) -> None:
        self.clock = FakeClock()
        self.ledger = Ledger(path, self.clock)
        self.session = Session(self.ledger, nonce=nonce, agent=f"/{nonce}/", inbound=inbound, clock=self.clock)

    def receive(self, *messages: Message) -> list[Message]:
        return [answer for message in messages for answer in self.session.receive(message)]

    @property
    def best(self) -> str:
        return self.ledger.chain.tip.block.hash_hex


@pytest.fixture
def dialler(tmp_path: Path) -> Iterator[Side]:
    side = Side(tmp_path / "dialler", inbound=False, nonce="d")
    yield side
    side.ledger.close()


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Side]:
    side = Side(tmp_path / "listener", inbound=True, nonce="l")
    yield side
    side.ledger.close()


def talk(one: Side, other: Side, first: list[Message]) -> list[Message]:
    """Pass messages over, as bytes, until both are silent; `first` is what `one` says."""
    said: list[Message] = []
    queue = deque((other, one, message) for message in first)
    while queue:
        hears, speaks, message = queue.popleft()
        said.append(message)
        queue.extend((speaks, hears, answer) for answer in hears.receive(decode(encode(message))))
    return said


def test_a_handshake_establishes_both_sides(dialler: Side, listener: Side) -> None:
    assert listener.session.greet() == []
    said = talk(dialler, listener, dialler.session.greet())
    assert [kind_of(message) for message in said[:4]] == ["version", "version", "verack", "verack"]
    for side in (dialler, listener):
        assert side.session.is_established
        assert side.session.ping_seconds == 0.0
    assert dialler.session.version is not None
    assert dialler.session.version.agent == "/l/"


def test_the_side_that_is_behind_catches_up_in_portions(dialler: Side, listener: Side) -> None:
    for block in branch(2 * BLOCKS_PER_MESSAGE + 1):
        listener.ledger.chain.add(block)
    said = talk(dialler, listener, dialler.session.greet())
    assert [len(each.blocks) for each in said if isinstance(each, Blocks)] == [500, 500, 1]
    assert dialler.best == listener.best
    assert listener.session.their_tip == listener.best


def test_a_longer_branch_replaces_ours_even_when_it_comes_in_portions(dialler: Side, listener: Side) -> None:
    for block in branch(BLOCKS_PER_MESSAGE + 50, "ours"):
        dialler.ledger.chain.add(block)
    for block in branch(BLOCKS_PER_MESSAGE + 60, "theirs"):
        listener.ledger.chain.add(block)
    talk(dialler, listener, dialler.session.greet())
    assert dialler.best == listener.best
    assert dialler.ledger.chain.tip.height == BLOCKS_PER_MESSAGE + 60


def test_a_new_block_is_announced_to_those_who_do_not_have_it(dialler: Side, listener: Side) -> None:
    assert dialler.session.announcement() == []
    talk(dialler, listener, dialler.session.greet())
    assert dialler.session.announcement() == []
    dialler.ledger.generate("me")
    announcement = dialler.session.announcement()
    assert announcement == [Inv(1, dialler.best)]
    talk(dialler, listener, announcement)
    assert listener.best == dialler.best
    assert dialler.session.announcement() == listener.session.announcement() == []


class Line:
    """Three nodes in a row, and the bytes on their way between them."""

    def __init__(self, directory: Path) -> None:
        self.ledgers = [Ledger(directory / str(number), FakeClock()) for number in range(3)]
        self._downloads = [Download(FakeClock()) for _ in range(3)]
        self._header_syncs = [HeaderSync(ledger, FakeClock()) for ledger in self.ledgers]
        self._links: list[dict[int, Session]] = [{}, {}, {}]
        self._wires: dict[tuple[int, int], deque[bytes]] = {}
        for here, there in ((0, 1), (1, 0), (1, 2), (2, 1)):
            self._links[here][there] = Session(
                self.ledgers[here],
                nonce=str(here),
                agent="/x/",
                inbound=here > there,
                clock=FakeClock(),
                download=self._downloads[here],
                header_sync=self._header_syncs[here],
            )
            self._wires[here, there] = deque()
        for here, there in self._wires:
            self._say(here, there, self._links[here][there].greet())

    def close(self) -> None:
        for ledger in self.ledgers:
            ledger.close()

    def mine(self, here: int) -> None:
        self.ledgers[here].generate("me")
        self._announce(here)

    def deliver(self, wire: int) -> None:
        """The next message of one of the four wires, if any."""
        (here, there), line = list(self._wires.items())[wire]
        if line:
            before = self.ledgers[there].chain.tip
            self._say(there, here, self._links[there][here].receive(decode(line.popleft())))
            if self.ledgers[there].chain.tip is not before:
                self._announce(there)
            for peer, session in self._links[there].items():
                self._say(there, peer, session.catch_up())

    def deliver_all(self) -> None:
        while any(self._wires.values()):
            for wire in range(4):
                self.deliver(wire)

    def _announce(self, here: int) -> None:
        for there, session in self._links[here].items():
            self._say(here, there, session.announcement())

    def _say(self, here: int, there: int, messages: list[Message]) -> None:
        self._wires[here, there].extend(map(encode, messages))


@settings(max_examples=60)
@given(steps=st.lists(st.integers(0, 6), max_size=60))
def test_whenever_blocks_are_mined_the_most_work_reaches_everybody(steps: list[int]) -> None:
    with tempfile.TemporaryDirectory() as directory, contextlib.closing(Line(Path(directory))) as line:
        for step in steps:
            if step < 4:
                line.deliver(step)
            else:
                line.mine(step - 4)
        line.deliver_all()
        line.mine(0)  # whoever was mined on before the others met it is asked only now, as HeaderSync says
        line.deliver_all()
        assert len({ledger.chain.tip.work for ledger in line.ledgers}) == 1
        line.mine(0)
        line.deliver_all()
        assert len({ledger.chain.tip.hash for ledger in line.ledgers}) == 1


def two_links(side: Side, blocks: int) -> tuple[list[Session], list[list[Message]]]:
    """Two links of one node to peers that have a chain, and what is asked over each after the greeting."""
    tip = branch(blocks)[-1].hash_hex
    download = Download(side.clock)
    links = [
        Session(side.ledger, nonce="d", agent="/d/", inbound=False, clock=side.clock, download=download)
        for _ in range(2)
    ]
    greetings: tuple[Message, ...] = (Version("x", 70016, "/x/", blocks, tip), Verack())
    return links, [[answer for each in greetings for answer in link.receive(each)] for link in links]


NOBODY = Version("x", 70016, "/x/", 0, GENESIS.hash_hex)


def two_peers(side: Side) -> tuple[Session, Session, HeaderSync]:
    """Two links of one new node: to one that is new as well, then to one that has three blocks."""
    headers = HeaderSync(side.ledger, side.clock)
    new, old = (
        Session(side.ledger, nonce="d", agent="/d/", inbound=False, clock=side.clock, header_sync=headers)
        for _ in range(2)
    )
    for message in (NOBODY, Verack()):
        new.receive(message)
    return new, old, headers


def asks(messages: list[Message]) -> bool:
    return any(isinstance(each, GetBlocks) for each in messages)


def test_blocks_are_fetched_over_one_link_at_a_time(dialler: Side) -> None:
    blocks = [each.encode() for each in branch(3)]
    links, said = two_links(dialler, 3)
    assert [asks(each) for each in said] == [True, False]
    assert links[0].receive(Inv(3, branch(3)[-1].hash_hex)) == []
    links[0].receive(Blocks(blocks[:2], more=True))
    assert not asks(links[1].catch_up())
    links[0].receive(Blocks(blocks[2:], more=False))
    assert not asks(links[1].catch_up())


def test_when_a_link_is_gone_or_stalls_blocks_are_fetched_over_another(dialler: Side) -> None:
    links, _ = two_links(dialler, 3)
    dialler.clock.advance(STALL_SECONDS)
    assert asks(links[1].catch_up())
    links[1].leave()
    assert asks(links[0].catch_up())


def test_a_tip_that_they_do_not_have_any_more_is_asked_for_once(dialler: Side) -> None:
    links, _ = two_links(dialler, 3)
    assert links[0].receive(Blocks([], more=False)) == []
    assert links[0].catch_up() == []


def test_a_new_node_asks_the_first_peer_it_meets_and_nobody_else(dialler: Side) -> None:
    new, old, _ = two_peers(dialler)
    old.receive(Version("y", 70016, "/y/", 3, branch(3)[-1].hash_hex))
    assert not asks(old.receive(Verack()))
    assert not asks(old.catch_up())
    new.leave()
    assert asks(old.catch_up())


def test_a_new_node_asks_who_announces_a_block_once(dialler: Side) -> None:
    _, old, headers = two_peers(dialler)
    blocks = branch(4)
    for message in (Version("y", 70016, "/y/", 3, blocks[2].hash_hex), Verack()):
        old.receive(message)
    assert asks(old.receive(Inv(4, blocks[3].hash_hex)))
    assert not headers.heed(blocks[3].hash_hex)


def test_a_node_with_a_block_of_today_asks_everybody(dialler: Side) -> None:
    dialler.ledger.generate("me")
    _, old, _ = two_peers(dialler)
    old.receive(Version("y", 70016, "/y/", 3, branch(3)[-1].hash_hex))
    assert asks(old.receive(Verack()))


def test_the_one_peer_is_overdue_after_a_quarter_of_an_hour_and_a_moment_for_each_header(dialler: Side) -> None:
    new, _, headers = two_peers(dialler)
    dialler.clock.advance(PATIENCE_SECONDS)
    assert headers.overdue() is None
    dialler.clock.advance(PATIENCE_SECONDS)
    assert headers.overdue() is new
    dialler.ledger.generate("me")
    assert headers.overdue() is None
    dialler.clock.advance(RECENT_SECONDS)
    assert headers.overdue() is new


def test_a_block_mined_during_the_handshake_is_announced_after_it(dialler: Side, listener: Side) -> None:
    (hello,) = dialler.session.greet()
    dialler.ledger.generate("me")
    answers = listener.receive(hello)
    talk(dialler, listener, dialler.receive(*answers))
    assert listener.best == dialler.best


def test_hearing_oneself_is_noticed(dialler: Side) -> None:
    (own,) = dialler.session.greet()
    with pytest.raises(SelfConnection):
        dialler.receive(own)


HELLO = Version("x", 70016, "/x/", 0, "00" * 32)


@pytest.mark.parametrize(
    "said",
    [
        [Verack()],
        [Inv(1, "00" * 32)],
        [HELLO, HELLO],
        [HELLO, Inv(1, "not a hash")],
        [HELLO, GetBlocks(["not a hash"])],
        [HELLO, Blocks(["not a block"], more=False)],
        [HELLO, Blocks([branch(2)[1].encode()], more=False)],
        [HELLO, Blocks([branch(1)[0].encode()[:-2] + "77"], more=False)],
    ],
)
def test_nonsense_ends_the_conversation(listener: Side, said: list[Message]) -> None:
    with pytest.raises(ProtocolError):
        listener.receive(*said)


def test_a_ping_is_measured_by_its_own_pong_only(dialler: Side, listener: Side) -> None:
    talk(dialler, listener, dialler.session.greet())
    ping = dialler.session.ping()
    dialler.clock.advance(0.25)
    assert listener.receive(ping) == [Pong(ping.nonce)]
    dialler.receive(Pong(ping.nonce + 1))
    assert dialler.session.ping_seconds == 0.0
    dialler.receive(Pong(ping.nonce), Pong(ping.nonce))
    assert (dialler.session.ping_seconds, dialler.session.min_ping_seconds) == (0.25, 0.0)


def test_empty_blocks_that_promise_more_are_not_asked_for_again(dialler: Side) -> None:
    assert dialler.receive(HELLO, Blocks([], more=True)) == [Verack()]


@pytest.mark.parametrize("line", [b"", b"\n", b"{}", b'{"type":"verack"', b'{"type":"x"}', b"\xff\n", b"[" * 100_000])
def test_what_is_no_message_is_refused(line: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(line)


def test_messages_are_single_lines() -> None:
    line = encode(Version("a\nb", 1, "/x/", 0, ""))
    assert line.count(b"\n") == 1
    assert decode(line) == Version("a\nb", 1, "/x/", 0, "")
    assert decode(encode(Ping(7))) == Ping(7)


def test_nodes_of_two_chains_do_not_talk(listener: Side) -> None:
    with pytest.raises(ProtocolError, match="another chain"):
        listener.receive(Version("x", 70016, "/x/", 0, "00" * 32, "signet51"))
