from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from btcctl.bitcoin.reach import Reach, Via, addresses_of
from btcctl.objects import Object, ObjectKey
from tests.integration.support import closed_port

POD = ObjectKey("default", "net-sts-0")


class Forwarding:
    """Stands for the API server."""

    def __init__(self) -> None:
        self.asked: list[tuple[ObjectKey, int]] = []

    def __call__(self, pod: ObjectKey, port: int, seconds: float) -> Any:
        self.asked.append((pod, port))
        return "forwarded"


def reach(via: Via, forwarding: Forwarding, address: str = "127.0.0.9") -> Reach:
    return Reach(via, forwarding, {address: POD}.get)


def test_directly_is_as_usual() -> None:
    assert reach("direct", Forwarding()).dial("127.0.0.9", 18443, 1.0) is None


@pytest.mark.parametrize(("address", "host"), [("10.0.0.1", "10.0.0.1"), ("fd00::1", "[fd00::1]"), ("::2", "::2")])
def test_a_forward_leads_to_the_pod_that_has_the_address_of_either_family(address: str, host: str) -> None:
    forwarding = Forwarding()
    assert reach("port-forward", forwarding, address).dial(host, 18443, 1.0) == "forwarded"
    assert forwarding.asked == [(POD, 18443)]


def test_an_address_of_no_pod_is_refused_and_named() -> None:
    with pytest.raises(OSError, match=r"no pod of this cluster has the address 10\.9\.9\.9"):
        reach("port-forward", Forwarding()).dial("10.9.9.9", 18443, 1.0)


def test_auto_forwards_where_the_address_takes_no_connections_and_keeps_to_it() -> None:
    forwarding = Forwarding()
    auto = reach("auto", forwarding, "127.0.0.1")
    with closed_port() as port:
        assert auto.dial("127.0.0.1", port, 60.0) == "forwarded"
    assert auto.via == "port-forward"


A_NODE = b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="jsonrpc"\r\nContent-Length: 0\r\n\r\n'


@contextmanager
def answering(words: bytes) -> Iterator[int]:
    """A port where whoever says something is answered so."""

    class Answer(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            if self.request.recv(4096):
                self.request.sendall(words)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answer) as server:
        running = threading.Thread(target=server.serve_forever, args=(0.01,))
        running.start()
        yield server.server_address[1]
        server.shutdown()
        running.join()


def test_auto_is_direct_where_a_node_answers_at_its_address() -> None:
    auto = reach("auto", Forwarding(), "127.0.0.1")
    with answering(A_NODE) as port, auto.dial("127.0.0.1", port, 60.0) as sock:
        assert sock.getpeername() == ("127.0.0.1", port)
    assert auto.dial("127.0.0.1", 1, 1.0) is None


@pytest.mark.parametrize(
    "words",
    [b"HTTP/1.1 404 Not Found\r\n\r\n", A_NODE.replace(b"jsonrpc", b"router"), b"SSH-2.0-OpenSSH_9\r\n", b""],
)
def test_auto_forwards_where_what_takes_connections_at_the_address_is_no_node(words: bytes) -> None:
    auto = reach("auto", Forwarding(), "127.0.0.1")
    with answering(words) as port:
        assert auto.dial("127.0.0.1", port, 60.0) == "forwarded"
    assert auto.via == "port-forward"


def test_auto_does_not_wait_long_for_what_says_nothing() -> None:
    auto = reach("auto", Forwarding(), "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert auto.dial("127.0.0.1", silent.getsockname()[1], 0.2) == "forwarded"


@pytest.mark.parametrize(
    ("status", "addresses"),
    [
        ({}, []),
        ({"podIP": "10.0.0.1"}, ["10.0.0.1"]),
        ({"podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]}, ["10.0.0.1", "fd00::1"]),
        ({"podIP": None, "podIPs": None}, []),
        ({"podIP": "fd00::1", "podIPs": [{"ip": "fd00::1"}, {"ip": "10.0.0.1"}]}, ["fd00::1", "10.0.0.1"]),
        ({"podIP": "10.0.0.1", "phase": "Failed"}, []),
        ({"podIP": "nowhere", "podIPs": [{"ip": ""}]}, []),
    ],
)
def test_a_running_pod_has_addresses_of_both_families_the_preferred_one_first(
    status: dict[str, Any], addresses: list[str]
) -> None:
    metadata = {"name": "a", "namespace": "b", "uid": "c", "resourceVersion": "1"}
    assert addresses_of(Object.from_body({"metadata": metadata, "status": status})) == addresses
