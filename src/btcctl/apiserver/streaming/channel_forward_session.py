"""Port-forward as clients other than kubectl ask for it: a channel of a WebSocket for each stream, v4.channel.k8s.io.

The ports stand in the request's query. The n-th has channel 2n for its data and 2n + 1 for what went wrong; the first
message on each is the port's number, two bytes, little-endian. A channel cannot be closed alone: when all ports have
ended, so does the WebSocket.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Sequence

from btcctl.apiserver.streaming.ends import End, wait_for
from btcctl.apiserver.streaming.websocket import WebSocket
from btcctl.clock import SYSTEM_CLOCK, Clock

SUBPROTOCOLS = ("v4.channel.k8s.io",)
_POLL_SECONDS = 60.0  # every event shows at one of the ends


class ChannelForwardSession:
    """Carries bytes between a client and a pod's ports until the client leaves, or all ports have ended.

    Args:
        connect: Makes a connection to a port; raises OSError.
        ports: In the order of their channels.
        pod: How messages name it.
    """

    def __init__(
        self,
        client: WebSocket,
        connect: Callable[[int], socket.socket],
        ports: Sequence[int],
        pod: str,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._client = client
        self._connect = connect
        self._ports = ports
        self._pod = pod
        self._clock = clock
        self._ends: dict[int, End] = {}  # by the channel of their data

    def run(self) -> None:
        """Blocks until it is over; every connection is closed then."""
        try:
            for number, port in enumerate(self._ports):
                self._open(2 * number, port)
            while self._client.is_open and self._ends:
                self._step()
        finally:
            for end in self._ends.values():
                end.close()
            self._client.close(self._clock)

    def _open(self, channel: int, port: int) -> None:
        for each in (channel, channel + 1):
            self._send(each, struct.pack("<H", port))
        try:
            self._ends[channel] = End(self._connect(port))
        except OSError as error:
            self._send(channel + 1, f"error forwarding port {port} to pod {self._pod}: {error}".encode())

    def _step(self) -> None:
        client, ends = self._client.end, self._ends
        readers = [] if client.crowded else list(ends.values())
        if not any(end.crowded for end in ends.values()):
            readers.append(client)
        readable = wait_for(readers, [client, *ends.values()], _POLL_SECONDS)
        if client in readable:
            for message in self._client.receive():
                if message and message[0] in ends:
                    ends[message[0]].write(message[1:])
        for channel, end in list(ends.items()):
            if end in readable:
                self._forward(channel, end)

    def _forward(self, channel: int, end: End) -> None:
        data = end.read()
        if data:
            self._send(channel, data)
        if end.ended:
            self._ends.pop(channel).close()

    def _send(self, channel: int, data: bytes) -> None:
        self._client.send(bytes([channel]) + data)
