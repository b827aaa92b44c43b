"""The debug pages of a pod, over a connection that leads to a server of this test instead."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from btcctl.bitcoin.view.operator.debug_pages import ForwardedPages
from btcctl.controller.serving.status_server import StatusServer
from btcctl.errors import BtcctlError
from btcctl.objects import ObjectKey
from btcctl.testing import FakeClient

LEASE = ObjectKey("bitcoin-controller", "bitcoin-controller")


def lease(holder: str = "the-pod_1234", namespace: str = LEASE.namespace) -> dict[str, Any]:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": LEASE.name, "namespace": namespace},
        "spec": {"holderIdentity": holder, "renewTime": "2026-11-23T15:27:18.000000Z"},
    }


def pod(port_name: str = "metrics") -> dict[str, Any]:
    ports = [{"name": port_name, "containerPort": 8080}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "the-pod", "namespace": LEASE.namespace},
        "spec": {"containers": [{"name": "c", "image": "i", "ports": ports}]},
    }


class Operator:
    """Serves `queue`; remembers which pods and ports were dialled."""

    def __init__(self, *, with_pages: bool = True) -> None:
        self.dialled: list[tuple[str, int]] = []
        self.is_gone = False
        self.server = StatusServer("127.0.0.1:0", None, {}, {}, self._page if with_pages else None)
        self.server.start()

    def forward(self, key: ObjectKey, port: int, seconds: float) -> socket.socket:
        self.dialled.append((str(key), port))
        if self.is_gone:
            raise ConnectionRefusedError("nobody there")
        return socket.create_connection(("127.0.0.1", self.server.port), seconds)

    def _page(self, path: str) -> dict[str, Any] | None:
        return {"nets": {"depth": 3}} if path == "queue" else None


@pytest.fixture
def operator() -> Iterator[Operator]:
    operator = Operator()
    yield operator
    operator.server.stop()


def pages(operator: Operator, *objects: dict[str, Any]) -> ForwardedPages:
    return ForwardedPages(FakeClient(*objects), operator.forward, LEASE)


def test_a_page_is_read_from_the_pod_that_holds_the_lease(operator):
    found = pages(operator, lease(), pod())
    assert found.fetch("queue") == {"nets": {"depth": 3}}
    assert found.fetch("queue") == {"nets": {"depth": 3}}
    assert operator.dialled == [("bitcoin-controller/the-pod", 8080)]
    found.close()


def test_a_lease_of_that_name_in_another_namespace_will_do(operator):
    there = {**pod(), "metadata": {"name": "the-pod", "namespace": "other"}}
    found = pages(operator, lease(namespace="other"), there)
    assert found.fetch("queue")
    assert operator.dialled == [("other/the-pod", 8080)]
    found.close()


@pytest.mark.parametrize(
    ("objects", "words"),
    [
        ((), "there is no Lease"),
        ((lease(""),), "nobody holds the Lease"),
        ((lease("my-laptop_1"),), "--operator HOST:PORT"),
        ((lease(), pod("web")), "no port called metrics"),
    ],
)
def test_what_cannot_be_looked_into_says_why(operator, objects, words):
    with pytest.raises(BtcctlError, match=words):
        pages(operator, *objects).fetch("queue")


def test_an_operator_without_debug_pages_says_how_to_turn_them_on():
    operator = Operator(with_pages=False)
    found = pages(operator, lease(), pod())
    with pytest.raises(BtcctlError, match="debugEndpoints"):
        found.fetch("queue")
    found.close()
    operator.server.stop()


def test_a_pod_that_is_gone_is_looked_for_again(operator):
    found = pages(operator, lease(), pod())
    operator.is_gone = True
    with pytest.raises(BtcctlError, match=r"the-pod: connection refused"):
        found.fetch("queue")
    operator.is_gone = False
    assert found.fetch("queue")
    found.close()
