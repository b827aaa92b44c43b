"""Nodes on loopback that do what sick ones do: each has an address of its own, all have one port."""

from __future__ import annotations

import contextlib
import itertools
import json
import selectors
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

from btcctl.clock import SYSTEM_CLOCK
from btcctl.threads import Runner, Stop

_TURN_SECONDS = 0.2  # between two bytes of one that drips
_MEGABYTE = 1024 * 1024

Answers = dict[str, Any]  #: what a node says to each method


def healthy() -> Answers:
    return {"getaddednodeinfo": [], "getpeerinfo": [], "getblockchaininfo": {"blocks": 101}}


def with_many_entries() -> Answers:
    """It lists ten thousand peers that nobody knows."""
    entries = [{"addednode": f"10.{number >> 8}.{number & 255}.1", "connected": False} for number in range(10_000)]
    return {**healthy(), "getaddednodeinfo": entries}


def with_megabytes() -> Answers:
    """Each of its answers has a megabyte of nothing."""
    return {**healthy(), "getblockchaininfo": {"blocks": 101, "warnings": "x" * _MEGABYTE}}


class SickNodes:
    """Runs all of them in one thread. A context manager.

    Attributes:
        port: Of each.
    """

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._addresses = (f"127.1.{number // 250}.{number % 250 + 1}" for number in itertools.count())
        self._dripping: list[socket.socket] = []
        self._cleanup = ExitStack()
        self._runner = Runner("nodes", self._serve)

    def __enter__(self) -> SickNodes:
        self._runner.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.stop()
        self._cleanup.close()
        self._selector.close()

    def swallowing(self) -> str:
        """Not even a connection is made: the queue of those that wait to be accepted is full."""
        address = next(self._addresses)
        self._cleanup.enter_context(socket.create_server((address, self.port), backlog=0))
        for _ in range(3):
            filler = self._cleanup.enter_context(socket.socket())
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect((address, self.port))
        return address

    def hung(self) -> str:
        """The kernel makes connections for a process that does nothing."""
        address = next(self._addresses)
        self._cleanup.enter_context(socket.create_server((address, self.port), backlog=512))
        return address

    def dripping(self) -> str:
        """It sends a byte of a header now and then."""

        def begin(connection: socket.socket) -> None:
            connection.send(b"HTTP/1.1 200 OK\r\nX-Drip: ")
            self._dripping.append(connection)

        return self._listen(begin)

    def answering(self, answers: Answers) -> str:
        """It answers what is said, and null to all else."""
        return self._listen(lambda connection: self._await(connection, partial(self._answer, connection, answers)))

    def _listen(self, accepted: Callable[[socket.socket], object]) -> str:
        address = next(self._addresses)
        listener = self._cleanup.enter_context(socket.create_server((address, self.port), backlog=512))

        def accept() -> None:
            connection, _ = listener.accept()
            accepted(self._cleanup.enter_context(connection))

        self._await(listener, accept)
        return address

    def _await(self, waiting: socket.socket, act: Callable[[], None]) -> None:
        self._selector.register(waiting, selectors.EVENT_READ, act)

    def _serve(self, stop: Stop) -> None:
        next_turn = SYSTEM_CLOCK.now()
        while not stop.is_set():
            for key, _ in self._selector.select(_TURN_SECONDS):
                key.data()
            if SYSTEM_CLOCK.now() >= next_turn:
                next_turn = SYSTEM_CLOCK.now() + _TURN_SECONDS
                self._drip()

    def _drip(self) -> None:
        for connection in [*self._dripping]:
            try:
                connection.send(b"H")
            except OSError:
                self._dripping.remove(connection)

    def _answer(self, connection: socket.socket, answers: Answers) -> None:
        try:
            connection.settimeout(5.0)
            for body in requests(connection):
                connection.sendall(response_to(body, answers))
                return
        except OSError:
            pass
        self._selector.unregister(connection)
        connection.close()


def requests(connection: socket.socket) -> Iterator[Any]:
    """The next request that comes, if one does."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = (line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    length = int(next(lengths).partition(b":")[2])
    while len(body) < length:
        body += connection.recv(65536)
    yield json.loads(body)


def response_to(request: Any, answers: Answers) -> bytes:
    calls = request if isinstance(request, list) else [request]
    results = [{"jsonrpc": "2.0", "id": call["id"], "result": answers.get(call["method"])} for call in calls]
    body = json.dumps(results if isinstance(request, list) else results[0]).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
