"""Connections without sockets: what comes is scripted, and what was done to them is kept."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

from btcctl.rest.exchange.call import Call
from btcctl.rest.exchange.exchange import Message, exchange
from btcctl.testing.clock import FakeClock

GET = Message("GET", b"GET / HTTP/1.1\r\n\r\n", may_be_sent_twice=True)


def cut(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """`data` in pieces, none of them empty."""
    ends = [0, *sorted({each for each in cuts if 0 < each < len(data)}), len(data)]
    return [data[begin:end] for begin, end in itertools.pairwise(ends)]


class Wire:
    """A socket that gives the pieces in order, then the end; an exception among them is raised."""

    def __init__(self, *pieces: bytes | Exception, sending: Exception | None = None) -> None:
        self.pieces = [each for each in pieces if each]
        self.sending = sending
        self.sent = b""
        self.parts = 0
        self.on_receive: Callable[[], object] = lambda: None
        self.limits: list[float] = []

    def gettimeout(self) -> float | None:
        return self.limits[-1] if self.limits else None

    def settimeout(self, seconds: float) -> None:
        assert seconds > 0
        self.limits.append(seconds)

    def send(self, data: memoryview) -> int:
        if self.sending is not None:
            raise self.sending
        self.sent += data
        self.parts += 1
        return len(data)

    def recv(self, size: int) -> bytes:
        self.on_receive()
        piece = self.pieces.pop(0) if self.pieces else b""
        if isinstance(piece, Exception):
            raise piece
        return piece


class Link:
    """A connection; `wires` are what connecting gives, one after the other."""

    def __init__(self, *wires: Wire, is_kept: bool = False) -> None:
        self.wires = list(wires)
        self.sock: Wire | None = self.wires.pop(0) if is_kept else None
        self.last = self.sock

    @property
    def is_closed(self) -> bool:
        return self.sock is None

    def close(self) -> None:
        self.sock = None


class Links:
    """Stands for `Connections` with one connection."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.is_out = False

    def take(self) -> Link:
        self.is_out = True
        return self.link

    def connect(self, link: Link, call: Call) -> None:
        call.seconds_left()
        link.sock = link.last = link.wires.pop(0)

    def give_back(self, link: Link) -> None:
        assert self.is_out
        self.is_out = False

    @property
    def keeps_a_connection(self) -> bool:
        return not self.is_out and not self.link.is_closed


def read(*pieces: bytes | Exception, message: Message = GET, links: Links | None = None) -> tuple[int, dict, bytes]:
    """What an answer that comes in these pieces is taken for: status, headers, content."""
    links = links or Links(Link(Wire(*pieces)))
    answer = exchange(links, Call(30.0, clock=FakeClock()), message)
    return answer.status, answer.headers, answer.read()
