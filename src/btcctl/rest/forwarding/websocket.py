"""The client's side of a WebSocket, on the protocol machine of the websockets library, over a connection of ours.

Loaded only where a port is forwarded: a program inside a cluster needs none of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State
from websockets.utils import accept_key, generate_key

from btcctl.clock import Clock

_MAX_MESSAGE_BYTES = 16 << 20
_RECEIVE_BYTES = 1 << 16


def handshake(subprotocol: str) -> dict[str, str]:
    """The headers of a request for a WebSocket (RFC 6455, section 4.1)."""
    return {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": generate_key(),
        "Sec-WebSocket-Protocol": subprotocol,
    }


def is_accepted(sent: Mapping[str, str], answered: Mapping[str, str]) -> bool:
    """Whether a server that answered 101 has understood what was asked.

    Args:
        sent: From `handshake`.
        answered: The headers of the answer.
    """
    is_websocket = answered.get("upgrade", "").lower() == "websocket"
    has_key = answered.get("sec-websocket-accept") == accept_key(sent["Sec-WebSocket-Key"])
    has_protocol = answered.get("sec-websocket-protocol") == sent["Sec-WebSocket-Protocol"]
    return is_websocket and has_key and has_protocol


class WebSocket:
    """Binary messages, for one thread. What `settimeout` sets begins to run at once, for all that comes until the next.

    Args:
        connection: What has a `sock`, and is closed with this.
        received: What has come on it already.
    """

    def __init__(self, connection: Any, received: bytes, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._ends_at: float | None = None
        self._protocol = Protocol(Side.CLIENT, state=State.OPEN, max_size=_MAX_MESSAGE_BYTES)
        self._messages: list[bytes] = []
        self._partial = bytearray()
        if received:
            self._take(received)

    @property
    def is_open(self) -> bool:
        return self._protocol.state is State.OPEN

    def fileno(self) -> int:
        number: int = self._connection.sock.fileno()
        return number

    def settimeout(self, seconds: float | None) -> None:
        """Seconds, or None for ever."""
        self._ends_at = None if seconds is None else self._clock.now() + seconds

    def send(self, message: bytes) -> None:
        """Send one message.

        Raises:
            OSError: The connection broke, or the other side has closed it.
            TimeoutError: It did not go out in time.
        """
        if not self.is_open:
            raise ConnectionResetError("the WebSocket has been closed")
        self._protocol.send_binary(message)
        self._flush(self._ends_at)

    def receive(self) -> list[bytes]:
        """The next messages, at least one; [] once the other side has closed.

        Raises:
            OSError: The connection broke, or what came is no WebSocket's.
            TimeoutError: Nothing whole came in time.
        """
        while not self._messages and self.is_open:
            sock = self._connection.sock
            sock.settimeout(self._left(self._ends_at))
            data = sock.recv(_RECEIVE_BYTES)
            self._take(data)
            self._flush(self._ends_at)
        messages, self._messages = self._messages, []
        return messages

    def close(self) -> None:
        """Say good-bye, without waiting for an answer. Idempotent."""
        try:
            if self.is_open and self._connection.sock is not None:
                self._protocol.send_close(1000)
                self._flush(self._clock.now() + 1.0)
        except OSError:
            pass  # it is gone already
        finally:
            self._connection.close()

    def _take(self, data: bytes) -> None:
        try:
            if data:
                self._protocol.receive_data(data)
            else:
                self._protocol.receive_eof()
        except (EOFError, WebSocketException) as error:
            raise ConnectionResetError(f"the WebSocket was broken off: {error}") from error
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._partial += event.data
                if event.fin:
                    self._messages.append(bytes(self._partial))
                    self._partial.clear()
        if not data and self.is_open:
            raise ConnectionResetError("the connection ended without a good-bye")

    def _flush(self, ends_at: float | None) -> None:
        for data in self._protocol.data_to_send():
            view = memoryview(data)
            while view:
                sock = self._connection.sock
                sock.settimeout(self._left(ends_at))
                view = view[sock.send(view) :]

    def _left(self, ends_at: float | None) -> float | None:
        if ends_at is None:
            return None
        left = ends_at - self._clock.now()
        if left <= 0:
            raise TimeoutError("timed out")
        return left
