"""`kubectl port-forward`: connections to a pod's ports as streams of SPDY, tunnelled in a WebSocket.

A connection is two streams with the same request id: one for its data, one for what went wrong.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass

from btcctl.apiserver.streaming.ends import End, wait_for
from btcctl.apiserver.streaming.spdy import Data, Event, Finished, Opened, Pinged, SpdyError, SpdyServer
from btcctl.apiserver.streaming.websocket import WebSocket
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.logging import get_logger

logger = get_logger(__name__)

SUBPROTOCOLS = ("SPDY/3.1+portforward.k8s.io",)
_POLL_SECONDS = 60.0  # every event shows at one of the ends


@dataclass(slots=True)
class _Forwarded:
    """One connection to the pod."""

    end: End
    error_stream: int
    finished: bool = False  # we have said that no more data comes


class ForwardSession:
    """Carries bytes between a client and a pod's ports until the client leaves.

    Args:
        connect: Makes a connection to a port; raises OSError.
        pod: How messages name it.
    """

    def __init__(
        self,
        client: WebSocket,
        connect: Callable[[int], socket.socket],
        pod: str,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._client = client
        self._connect = connect
        self._pod = pod
        self._clock = clock
        self._spdy = SpdyServer()
        self._error_streams: dict[str, int] = {}  # by request id, until the data stream comes
        self._forwarded: dict[int, _Forwarded] = {}  # by data stream

    def run(self) -> None:
        """Blocks until it is over; every connection is closed then."""
        try:
            while self._client.is_open:
                self._step()
        except SpdyError as error:
            logger.debug("port-forward ended", error=str(error))
        finally:
            for each in self._forwarded.values():
                each.end.close()
            self._client.close(self._clock)

    def _step(self) -> None:
        ends = {each.end: stream for stream, each in self._forwarded.items()}
        client = self._client.end
        readers = [] if client.crowded else list(ends)
        if not any(end.crowded for end in ends):
            readers.append(client)
        readable = wait_for(readers, [client, *ends], _POLL_SECONDS)
        if client in readable:
            for message in self._client.receive():
                for event in self._spdy.receive(message):
                    self._take(event)
        for end, stream in ends.items():
            if end in readable and stream in self._forwarded:
                self._forward(stream, self._forwarded[stream])

    def _take(self, event: Event) -> None:
        if isinstance(event, Opened):
            self._open(event)
        elif isinstance(event, Pinged):
            self._client.send(self._spdy.pong(event.number))
        elif isinstance(event, (Data, Finished)) and event.stream in self._forwarded:
            forwarded = self._forwarded[event.stream]
            if isinstance(event, Data):
                forwarded.end.write(event.data)
            elif event.is_reset:
                self._drop(event.stream)
            else:
                forwarded.end.finish()
                if forwarded.finished:
                    self._drop(event.stream)

    def _open(self, event: Opened) -> None:
        request = event.headers.get("requestid", "")
        self._client.send(self._spdy.reply(event.stream))
        if event.headers.get("streamtype") == "error":
            self._error_streams[request] = event.stream
            return
        error_stream = self._error_streams.pop(request, 0)
        port = event.headers.get("port", "")
        try:
            end = End(self._connect(int(port)))
        except (OSError, ValueError) as error:
            self._refuse(event.stream, error_stream, f"error forwarding port {port} to pod {self._pod}: {error}")
            return
        self._forwarded[event.stream] = _Forwarded(end, error_stream)

    def _refuse(self, stream: int, error_stream: int, message: str) -> None:
        if error_stream:
            self._client.send(self._spdy.data(error_stream, message.encode()) + self._spdy.finish(error_stream))
        self._client.send(self._spdy.reset(stream))

    def _forward(self, stream: int, forwarded: _Forwarded) -> None:
        data = forwarded.end.read()
        if data:
            self._client.send(self._spdy.data(stream, data))
        if forwarded.end.ended and not forwarded.finished:
            forwarded.finished = True
            self._client.send(self._spdy.finish(stream))
            if forwarded.error_stream:
                self._client.send(self._spdy.finish(forwarded.error_stream))

    def _drop(self, stream: int) -> None:
        self._forwarded.pop(stream).end.close()
