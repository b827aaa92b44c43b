"""The whole operator, over HTTP, killed at every step of a creation; and with the answer to every step lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest

from btcctl.apiserver.api import Api
from btcctl.apiserver.http import EmbeddedServer
from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.operator import build_operator
from btcctl.bitcoin.rpc import Credentials, RpcUnavailable
from btcctl.bitcoin.types import BITCOIN_NETWORKS, NetworkStatus, decode_status
from btcctl.errors import TransportError
from btcctl.objects import ObjectKey
from btcctl.resources import (
    CUSTOM_RESOURCE_DEFINITIONS,
    EVENTS,
    POD_DISRUPTION_BUDGETS,
    PODS,
    SERVICES,
    STATEFUL_SETS,
)
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.http import HttpTransport
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.counting import CountingTransport
from btcctl.rest.transport.transport import Request, Response
from tests.integration.bitcoin.operated import OPTIONS, is_served
from tests.integration.support import eventually
from tests.unit.bitcoin.builders import network_body
from tests.unit.bitcoin.fake_mesh import FakeMesh, FakeRpc
from tests.unit.bitcoin.pod_runner import PodRunner

KEY = ObjectKey("default", "net")
CHILDREN = (SERVICES, STATEFUL_SETS, POD_DISRUPTION_BUDGETS)
NODES = 2
KILLED, UNANSWERED = "killed", "unanswered"
MANY = 10_000


class Steps:
    """Counts what an operator changes, in whichever thread; at the n-th something happens.

    Killed, it does nothing any more. Unanswered, that one step is done, and the operator does not know.
    """

    def __init__(self, left: int, mode: str) -> None:
        self._lock = threading.Lock()
        self._left = left
        self._mode = mode
        self.has_come = False

    def begin(self) -> None:
        """Raises: TransportError: It is dead."""
        with self._lock:
            self._left -= 1
            self.has_come = self.has_come or self._left < 0
            if self._mode == KILLED and self.has_come:
                raise TransportError("killed")

    def end(self) -> None:
        """Raises: TransportError: The answer is lost."""
        with self._lock:
            if self._mode == UNANSWERED and self._left == -1:
                self._left -= 1
                raise TransportError("the answer is lost")


class SteppingTransport(CountingTransport):
    def __init__(self, transport: HttpTransport, steps: Steps) -> None:
        super().__init__(transport, lambda *_: None, "")
        self._steps = steps

    def request(self, request: Request, *, timeout: float, breaker: Breaker | None = None) -> Response:
        if request.is_read:
            return super().request(request, timeout=timeout, breaker=breaker)
        self._steps.begin()
        response = super().request(request, timeout=timeout, breaker=breaker)
        self._steps.end()
        return response


class SteppingRpc(FakeRpc):
    def __init__(self, mesh: FakeMesh, address: str, credentials: Credentials, steps: Steps) -> None:
        super().__init__(mesh, address, credentials)
        self._steps = steps

    def call(self, method: str, *params: Any) -> Any:
        try:
            self._steps.begin()
            result = super().call(method, *params)
            self._steps.end()
        except TransportError as error:
            raise RpcUnavailable(str(error)) from error
        return result


class Cluster:
    """Of one play."""

    def __init__(self, server: EmbeddedServer, admin: ApiClient) -> None:
        self._server = server
        self.admin = admin
        self.mesh = FakeMesh()
        self.pods = PodRunner(admin, self.mesh, KEY)
        admin.resource(CUSTOM_RESOURCE_DEFINITIONS).create(load_crd())
        eventually(lambda: is_served(admin))
        self.networks = admin.resource(BITCOIN_NETWORKS, "default")
        self.networks.create(network_body(nodes=NODES))

    @contextmanager
    def operator(self, steps: Steps) -> Iterator[None]:
        transport = SteppingTransport(HttpTransport(ClientConfig(self._server.url)), steps)
        client = ApiClient(transport, field_manager="btcctl")
        manager = build_operator(
            client, OPTIONS, rpc_for=lambda ip, who, _=None: SteppingRpc(self.mesh, ip, who, steps)
        )
        manager.start()
        try:
            yield
        finally:
            manager.stop()
            client.close()

    def go_on(self) -> None:
        """What Kubernetes does as soon as there is a StatefulSet."""
        if self.pods.is_asked_for() and len(self.pods.list()) < NODES:
            self.pods.run_all()
        self.pods.heed_gates()

    @property
    def status(self) -> NetworkStatus:
        return decode_status(self.networks.get(KEY))

    def is_ready(self) -> bool:
        self.go_on()
        ready = self.status.condition("Ready")
        return ready is not None and ready.is_true and self.status.ready_nodes == NODES

    def is_meshed(self) -> bool:
        addresses = {self.pods.address(each) for each in range(NODES)}
        return self.mesh.listed == {each: sorted(addresses - {each}) for each in addresses}

    def children(self) -> list[str]:
        listed = [(type_.kind, each) for type_ in CHILDREN for each in self.admin.resource(type_, "default").list()[0]]
        return sorted(f"{kind} {each.name}" for kind, each in listed)

    def event_types(self) -> set[str]:
        return {each.body()["type"] for each in self.admin.resource(EVENTS, "default").list()[0]}

    def versions(self) -> list[str]:
        """Of all that was made for the network."""
        found = [each for type_ in (*CHILDREN, PODS) for each in self.admin.resource(type_, "default").list()[0]]
        return sorted(f"{each.uid}:{each.resource_version}" for each in found)


@contextmanager
def cluster() -> Iterator[Cluster]:
    with (
        EmbeddedServer(Api()) as server,
        ApiClient.from_config(ClientConfig(server.url)) as admin,
    ):
        yield Cluster(server, admin)


def live_through(one: Cluster, steps: Steps, mode: str) -> None:
    """Until the step has come; a killed operator is followed by another one."""
    with one.operator(steps):
        eventually(lambda: (one.is_ready() and one.is_meshed()) or (mode == KILLED and steps.has_come))
    if steps.has_come and mode == KILLED:
        with one.operator(Steps(MANY, KILLED)):
            eventually(lambda: one.is_ready() and one.is_meshed())


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", [KILLED, UNANSWERED])
def test_whatever_step_of_a_creation_is_the_last_or_goes_unanswered_there_is_one_whole_network(mode: str) -> None:
    for number in count():
        steps = Steps(number, mode)
        with cluster() as one:
            live_through(one, steps, mode)
            assert one.children() == ["PodDisruptionBudget net-pdb", "Service net-svc", "StatefulSet net-sts"]
            assert mode == UNANSWERED or "Warning" not in one.event_types()
            assert_at_rest(one)
        if not steps.has_come:
            assert number >= 12
            return


def assert_at_rest(one: Cluster) -> None:
    """Of two further operators the first may still say how the nodes are; the second finds nothing to do."""
    one.mesh.changes.clear()
    before = one.versions()
    look_once(one)
    said = one.networks.get(KEY).resource_version
    look_once(one)
    assert (one.versions(), one.mesh.changes) == (before, [])
    assert one.networks.get(KEY).resource_version == said


def look_once(one: Cluster) -> None:
    reads = len(one.mesh.reads)
    with one.operator(Steps(MANY, KILLED)):
        eventually(lambda: len(one.mesh.reads) >= reads + 4 * NODES)
