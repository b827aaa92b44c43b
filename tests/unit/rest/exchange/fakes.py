"""Connections without sockets: what comes is scripted, and what was done to them is kept."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

from btcctl.rest.exchange.call import Call
from btcctl.rest.exchange.exchange import Answer, exchange
from btcctl.testing.clock import FakeClock

GET, POST, HEAD = (b"%b / HTTP/1.1\r\n\r\n" % method for method in (b"GET", b"POST", b"HEAD"))
SILENCE = BlockingIOError()  #: among the pieces: nothing comes until the wait is over


def cut(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """`data` in pieces, none of them empty."""
    ends = [0, *sorted({each for each in cuts if 0 < each < len(data)}), len(data)]
    return [data[begin:end] for begin, end in itertools.pairwise(ends)]


class Wire:
    """Gives the pieces in order, then the end; an exception among them is raised, and so are those of `sending`."""

    def __init__(self, *pieces: bytes | Exception, sending: Iterable[Exception | int] = ()) -> None:
        self.pieces = [each for each in pieces if each]
        self.sending = [*sending]
        self.sent = b""
        self.parts = 0
        self.on_receive: Callable[[], object] = lambda: None
        self.on_silence: Callable[[float], object] = lambda seconds: None
        self.waits: list[float] = []
        self.limit = None
        self.fd = 7

    def poll(self, milliseconds: float) -> None:
        assert milliseconds > 0
        self.waits.append(milliseconds / 1000)
        if self.pieces and self.pieces[0] is SILENCE:
            self.on_silence(milliseconds / 1000)

    def wait_after(self, refused: Exception, seconds: float) -> None:
        self.waits.append(seconds)
        self.on_silence(seconds)

    def write(self, data: bytes | memoryview) -> int:
        next_ = self.sending.pop(0) if self.sending else len(data)
        if isinstance(next_, Exception):
            raise next_
        self.sent += data[:next_]
        self.parts += 1
        return min(next_, len(data))

    def read(self, size: int) -> bytes:
        self.on_receive()
        piece = self.pieces.pop(0) if self.pieces else b""
        if isinstance(piece, Exception):
            raise piece
        return piece


class Link:
    """A connection; `wires` are what connecting gives, one after the other."""

    def __init__(self, *wires: Wire, is_kept: bool = False) -> None:
        self.wires = list(wires)
        self.wire: Wire | None = self.wires.pop(0) if is_kept else None
        self.last = self.wire

    @property
    def is_closed(self) -> bool:
        return self.wire is None

    def close(self) -> None:
        self.wire = None


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
        link.wire = link.last = link.wires.pop(0)

    def give_back(self, link: Link) -> None:
        assert self.is_out
        self.is_out = False

    @property
    def keeps_a_connection(self) -> bool:
        return not self.is_out and not self.link.is_closed


def send(links: Links, message: bytes = GET, call: Call | None = None) -> Answer:
    """Send a message; POST is not sent twice."""
    method = message.partition(b" ")[0].decode()
    call = call or Call(30.0, FakeClock())
    return exchange(links, call, method, message, may_be_sent_twice=method == "GET")


def read(*pieces: bytes | Exception, message: bytes = GET, links: Links | None = None) -> tuple[int, dict, bytes]:
    """What an answer that comes in these pieces is taken for: status, headers, content."""
    answer = send(links or Links(Link(Wire(*pieces))), message)
    return answer.status, answer.headers, answer.read()
