"""The server's side of a WebSocket, on the protocol machine of the websockets library."""

from __future__ import annotations

from websockets.exceptions import InvalidHandshake
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from btcctl.apiserver.streaming.ends import End, wait_for
from btcctl.clock import SYSTEM_CLOCK, Clock

_SUBPROTOCOL = "Sec-WebSocket-Protocol"
_MAX_MESSAGE_BYTES = 16 << 20
_CLOSE_SECONDS = 1.0
_SEND_SECONDS = 5.0


class WebSocket:
    """Binary messages over one end.

    Args:
        end: The client's.
        head: The request that asks for a WebSocket, as it came.
        subprotocol: The one agreed on.

    Raises:
        ConnectionError: The request is none for a WebSocket that can be had; it has been answered.
    """

    def __init__(self, end: End, head: bytes, subprotocol: str) -> None:
        self.end = end
        self._protocol = ServerProtocol(max_size=_MAX_MESSAGE_BYTES)
        self._partial = bytearray()
        self._accept(head, subprotocol)

    @property
    def is_open(self) -> bool:
        return self._protocol.state is State.OPEN and not self.end.ended

    def receive(self) -> list[bytes]:
        """The messages that have come, perhaps none."""
        data = self.end.read()
        if data:
            self._protocol.receive_data(data)
        if self.end.ended:
            self._protocol.receive_eof()
        messages = [message for each in self._protocol.events_received() for message in self._message(each)]
        self._flush()
        return messages

    def send(self, message: bytes) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.send_binary(message)
            self._flush()

    def close(self, clock: Clock = SYSTEM_CLOCK) -> None:
        """Say good-bye and wait a moment for the client's, lest the last messages be lost."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(1000)
            self._flush()
        self.end.drain(_SEND_SECONDS, clock)
        deadline = clock.now() + _CLOSE_SECONDS
        while not self.end.ended and not self.end.broken and (left := deadline - clock.now()) > 0:
            if wait_for((self.end,), (), left):
                self.receive()

    def _accept(self, head: bytes, subprotocol: str) -> None:
        self._protocol.receive_data(head)
        requests = [each for each in self._protocol.events_received() if isinstance(each, Request)]
        if requests:
            # Agreed on without the library, which rightly finds that "SPDY/3.1+portforward.k8s.io" is no token.
            del requests[0].headers[_SUBPROTOCOL]
            response = self._protocol.accept(requests[0])
            if response.status_code == 101:
                response.headers[_SUBPROTOCOL] = subprotocol
            self._protocol.send_response(response)
        self._flush()
        if self._protocol.state is not State.OPEN:
            self.end.drain(_SEND_SECONDS)
            why = self._protocol.handshake_exc
            raise ConnectionError(str(why) if isinstance(why, InvalidHandshake) else "no WebSocket handshake")

    def _message(self, frame: object) -> list[bytes]:
        """The message that a frame completes."""
        if not isinstance(frame, Frame) or frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return []
        self._partial += frame.data
        if not frame.fin:
            return []
        message = bytes(self._partial)
        self._partial.clear()
        return [message]

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self.end.write(data)
            else:
                self.end.finish()  # how the library says that nothing follows
