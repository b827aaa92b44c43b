"""A connection to a port of a pod through the API server, to be used as a socket.

The protocol is v4.channel.k8s.io: in each message the first byte says which stream it belongs to, 0 the port's data,
1 what went wrong; the first two bytes of each stream repeat the port. Kubernetes has spoken it for as long as it has
had WebSockets; each is one connection to the pod. No thread carries bytes: the one that reads or writes does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import BtcctlError
from btcctl.objects import ObjectKey
from btcctl.resources import PODS
from btcctl.rest.answers import error_from
from btcctl.rest.http import HttpTransport
from btcctl.rest.transport.transport import Request, Response

if TYPE_CHECKING:
    from btcctl.rest.forwarding.websocket import WebSocket

SUBPROTOCOL: Final = "v4.channel.k8s.io"
_DATA, _ERROR = 0, 1
_PORT_BYTES = 2  # at the beginning of each stream
_SEND_BYTES = 1 << 16


class ForwardRefused(OSError):
    """The API server, or the pod's node, does not forward the port; says why."""


class PortForwarder:
    """Opens connections to pods of one cluster. Thread-safe; the connections are not.

    Args:
        transport: To the API server; it stays the caller's.
    """

    def __init__(self, transport: HttpTransport, clock: Clock = SYSTEM_CLOCK) -> None:
        self._transport = transport
        self._clock = clock

    def connect(self, pod: ObjectKey, port: int, timeout: float) -> ForwardedPort:
        """Connect; returns as soon as the API server has agreed: whether the pod listens shows when it is read.

        Args:
            timeout: Seconds.

        Raises:
            ForwardRefused: It does not agree.
            ConfigError: A package is missing here.
        """
        # Only here: it takes a package that a program inside a cluster has no use for.
        from btcctl.rest.forwarding.websocket import WebSocket, handshake, is_accepted  # noqa: PLC0415

        headers = handshake(SUBPROTOCOL)
        path = PODS.path(pod.namespace, pod.name, "portforward")
        request = Request("GET", path, {"ports": str(port)}, headers)
        try:
            answer = self._transport.upgrade(request, timeout=timeout)
            if answer.status != 101:
                raise error_from(Response(answer.status, answer.headers, answer.read()), self._clock)
        except BtcctlError as error:
            raise ForwardRefused(f"port {port} of pod {pod}: {error}") from error
        connection, rest = answer.detach()
        if not is_accepted(headers, answer.headers):
            connection.close()
            raise ForwardRefused(f"port {port} of pod {pod}: the API server answers in another protocol")
        return ForwardedPort(WebSocket(connection, rest, self._clock), pod, port)


class ForwardedPort:
    """As much of a socket as HTTP needs."""

    def __init__(self, websocket: WebSocket, pod: ObjectKey, port: int) -> None:
        self._websocket = websocket
        self._name = f"port {port} of pod {pod}"
        self._received = bytearray()
        self._complaint = bytearray()
        self._prefixes = {_DATA: _PORT_BYTES, _ERROR: _PORT_BYTES}  # bytes of the port that are still to come

    def fileno(self) -> int:
        return self._websocket.fileno()

    def gettimeout(self) -> None:
        """Always to be set again: what was set has begun to run."""

    def settimeout(self, seconds: float | None) -> None:
        self._websocket.settimeout(seconds)

    def send(self, data: bytes | memoryview) -> int:
        """Send a part of `data`; returns how many bytes.

        Raises:
            OSError: The connection has ended.
        """
        part = bytes(data[:_SEND_BYTES])
        self._websocket.send(bytes([_DATA]) + part)
        return len(part)

    def recv(self, size: int) -> bytes:
        """At most `size` bytes; b"" once the pod has closed.

        Raises:
            ForwardRefused: The pod cannot be reached, or not any more.
            OSError: The connection to the API server broke.
        """
        while not self._received and self._websocket.is_open:
            for message in self._websocket.receive():
                self._take(message)
            if self._complaint:
                raise ForwardRefused(f"{self._name}: {self._complaint.decode(errors='replace')}")
        data = bytes(self._received[:size])
        del self._received[:size]
        return data

    def close(self) -> None:
        """Idempotent."""
        self._websocket.close()

    def _take(self, message: bytes) -> None:
        if not message or message[0] not in self._prefixes:
            return
        channel, content = message[0], message[1:]
        skipped = min(self._prefixes[channel], len(content))
        self._prefixes[channel] -= skipped
        (self._received if channel == _DATA else self._complaint).extend(content[skipped:])
