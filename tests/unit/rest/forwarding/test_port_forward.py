from __future__ import annotations

from typing import Any

import pytest

from btcctl.objects import ObjectKey
from btcctl.rest.forwarding.port_forward import ForwardedPort, ForwardRefused
from btcctl.rest.forwarding.websocket import handshake, is_accepted

PORT = 18443
PREFIX = PORT.to_bytes(2, "little")


class Scripted:
    """A WebSocket that receives what it was given, and then its end."""

    def __init__(self, *received: list[bytes]) -> None:
        self.sent: list[bytes] = []
        self._received = list(received)

    @property
    def is_open(self) -> bool:
        return bool(self._received)

    def send(self, message: bytes) -> None:
        self.sent.append(message)

    def receive(self) -> list[bytes]:
        return self._received.pop(0)


def forwarded(*received: list[bytes]) -> tuple[ForwardedPort, Scripted]:
    websocket: Any = Scripted(*received)
    return ForwardedPort(websocket, ObjectKey("default", "pod-0"), PORT), websocket


def everything(port: ForwardedPort, size: int = 100) -> bytes:
    return b"".join(iter(lambda: port.recv(size), b""))


@pytest.mark.parametrize(
    "received",
    [
        [[b"\0" + PREFIX, b"\1" + PREFIX, b"\0hello"]],
        [[b"\0" + PREFIX + b"hello"], [b"\1" + PREFIX]],
        [[b"\0" + PREFIX[:1]], [b"\0" + PREFIX[1:] + b"he"], [b"", b"\0", b"\7?"], [b"\0llo"]],
    ],
)
def test_the_port_before_the_data_is_left_out_however_it_comes(received: list[list[bytes]]) -> None:
    port, _ = forwarded(*received)
    assert everything(port) == b"hello"


def test_no_more_is_handed_out_than_was_asked_for() -> None:
    port, _ = forwarded([b"\0" + PREFIX + b"hello"])
    assert port.recv(2) == b"he"
    assert everything(port, 1) == b"llo"


def test_what_is_sent_goes_on_the_channel_of_the_data_in_bearable_pieces() -> None:
    port, websocket = forwarded()
    assert port.send(b"x" * 100_000) == 65536
    assert port.send(memoryview(b"rest")) == 4
    assert [(each[:1], len(each) - 1) for each in websocket.sent] == [(b"\0", 65536), (b"\0", 4)]


def test_what_went_wrong_in_the_pod_is_said_with_its_name() -> None:
    port, _ = forwarded([b"\0" + PREFIX, b"\1" + PREFIX + b"connection refused"])
    with pytest.raises(ForwardRefused, match="port 18443 of pod default/pod-0: connection refused"):
        port.recv(10)


@pytest.mark.parametrize("change", [{"sec-websocket-accept": "x"}, {"sec-websocket-protocol": ""}, {"upgrade": "h2c"}])
def test_an_answer_in_another_protocol_is_not_accepted(change: dict[str, str]) -> None:
    sent = {**handshake("v4"), "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}  # RFC 6455, section 1.3
    answer = {
        "upgrade": "WebSocket",
        "sec-websocket-accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        "sec-websocket-protocol": "v4",
    }
    assert is_accepted(sent, answer)
    assert not is_accepted(sent, {**answer, **change})
