"""One client of a server that never blocks."""

from __future__ import annotations

import contextlib
import enum
import socket
import ssl

#: What a socket raises that has nothing to give, or no room, at the moment.
WAITS = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Phase(enum.Enum):
    """What it is waiting for."""

    GREETING = enum.auto()  # TLS's handshake
    READING = enum.auto()  # a request, or nothing
    COMPUTING = enum.auto()  # a thread computes the answer
    WRITING = enum.auto()
    LINGERING = enum.auto()  # all is sent: until the client has noticed


class Connection:
    """One client. Owned by the server's loop.

    Args:
        context: Of TLS; None for none.
        deadline: By when a request is to have come.

    Raises:
        OSError: The client has left.
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext | None, deadline: float, now: float) -> None:
        self.sock = sock if context is None else _wrapped(sock, context)
        self.phase = Phase.READING if context is None else Phase.GREETING
        self.since = now  # when this phase began
        self.deadline = deadline
        self.received = bytearray()
        self.unsent = memoryview(b"")
        self.keep_alive = True
        self.is_head = False
        self.page = ""  # that was asked for last
        self.is_late = False  # its answer was not there in time; it may still be computed

    def enter(self, phase: Phase, now: float, seconds: float | None = None) -> None:
        """Begin another phase; it has `seconds`, or what is left."""
        self.phase, self.since = phase, now
        if seconds is not None:
            self.deadline = now + seconds

    def shake_hands(self) -> None:
        """The next step of TLS's handshake.

        Raises:
            OSError: It has failed; of `WAITS`: the client's turn.
        """
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock.do_handshake()

    def end_sending(self) -> None:
        """Tell the client that nothing more will come."""
        if isinstance(self.sock, ssl.SSLSocket):
            with contextlib.suppress(*WAITS):  # nobody waits for the client to say the same
                self.sock.unwrap()
        self.sock.shutdown(socket.SHUT_WR)


def _wrapped(sock: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
    return context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
