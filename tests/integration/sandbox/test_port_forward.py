"""Nodes reached through the API server, as from outside a cluster."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from btcctl.apiserver.requests.messages import RequestAttributes
from btcctl.bitcoin import RpcClient, RpcConnections, RpcUnavailable
from btcctl.bitcoin.operator import NodeAccess, OperatorOptions, build_operator
from btcctl.bitcoin.reach import Reach
from btcctl.bitcoin.types import BITCOIN_NETWORKS, decode_status
from btcctl.objects import ObjectKey
from btcctl.resources import PODS
from btcctl.rest.client import ApiClient
from btcctl.rest.forwarding.port_forward import ForwardRefused, PortForwarder
from btcctl.rest.http import HttpTransport
from btcctl.rest.loading import load_config
from btcctl.sandbox.cluster.cluster import ClusterOptions
from btcctl.sandbox.session import CREDENTIALS, KEY, SandboxOptions, Session
from btcctl.testing.control_plane import ControlPlane
from tests.integration.support import eventually

FIRST = ObjectKey("default", "my-network-sts-0")
NOWHERE = "192.0.2.1"  # of nobody, RFC 5737


class Forwards:
    """How often a WebSocket was asked for, by pod."""

    def __init__(self) -> None:
        self.by_pod: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, asked: RequestAttributes, _status: int) -> None:
        if asked.subresource == "portforward":
            with self._lock:
                self.by_pod[asked.name] += 1


@pytest.fixture
def forwards() -> Forwards:
    return Forwards()


@pytest.fixture
def session(forwards: Forwards) -> Iterator[Session]:
    options = SandboxOptions(nodes=2, simulated=True, operator=False)
    with Session(options, say=lambda _: None, cluster_options=ClusterOptions(observer=forwards)) as session:
        yield session


@contextmanager
def forwarder(session: Session) -> Iterator[PortForwarder]:
    with closing(HttpTransport(session.cluster.access.config)) as transport:
        yield PortForwarder(transport)


@contextmanager
def node(session: Session, pod: ObjectKey = FIRST, port: int = 18443) -> Iterator[RpcClient]:
    """A client that knows its node by an address that leads nowhere."""
    with forwarder(session) as ours:
        reach = Reach("port-forward", ours.connect, {NOWHERE: pod}.get)
        with closing(RpcConnections(port, dial=reach.dial, connect_seconds=5.0)) as connections:
            yield connections.client(NOWHERE, CREDENTIALS)


def started(session: Session) -> None:
    manager = build_operator(session.cluster.client(), OperatorOptions(poll_min_seconds=0.1, poll_max_seconds=0.5))
    manager.start()
    session_networks = session.cluster.client().resource(BITCOIN_NETWORKS, KEY.namespace)
    try:
        eventually(lambda: decode_status(session_networks.get(KEY)).ready_nodes == 2)
    finally:
        manager.stop()


def test_a_node_is_called_through_the_api_server_over_one_connection(session: Session, forwards: Forwards) -> None:
    started(session)
    with node(session) as rpc:
        assert rpc.call("getblockcount") == 0
        height, peers = rpc.batch([("getblockcount", ()), ("getconnectioncount", ())])
        assert (height, peers > 0) == (0, True)
        assert len(rpc.call("generatetoaddress", 500, "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080")) == 500
        assert forwards.by_pod == {FIRST.name: 1}


def test_a_connection_that_its_node_has_ended_is_made_anew(session: Session, forwards: Forwards) -> None:
    started(session)
    with node(session) as rpc:
        rpc.call("getblockcount")
        session.cluster.restart_quietly(FIRST)
        assert rpc.call("uptime") < 60
        assert forwards.by_pod == {FIRST.name: 2}


def test_a_port_on_which_nobody_listens_is_named(session: Session) -> None:
    started(session)
    with node(session, port=1) as rpc, pytest.raises(RpcUnavailable, match=r"port 1 of pod default/my-network-sts-0"):
        rpc.call("getblockcount")


def test_a_pod_that_there_is_not_is_named(session: Session) -> None:
    with (
        node(session, ObjectKey("default", "nonesuch")) as rpc,
        pytest.raises(RpcUnavailable, match='"nonesuch" not found'),
    ):
        rpc.call("getblockcount")


def test_the_operator_wires_a_network_whose_nodes_it_reaches_through_the_api_server_alone(
    session: Session, forwards: Forwards
) -> None:
    networks = session.cluster.client().resource(BITCOIN_NETWORKS, KEY.namespace)
    options = OperatorOptions(poll_min_seconds=0.1, poll_max_seconds=0.5, rpc_via="port-forward")
    with forwarder(session) as ours:
        manager = build_operator(session.cluster.client(), options, access=NodeAccess(forward=ours.connect))
        manager.start()
        try:
            eventually(lambda: is_ready(networks.get(KEY)))
        finally:
            manager.stop()
    assert forwards.by_pod.keys() == {"my-network-sts-0", "my-network-sts-1"}


def is_ready(network: object) -> bool:
    ready = decode_status(network).condition("Ready")  # type: ignore[arg-type]
    return ready is not None and ready.status == "True"


@pytest.mark.real_server
def test_a_real_api_server_says_why_it_does_not_forward(lone_control_plane: ControlPlane) -> None:
    """As far as that needs no kubelet: the WebSocket is asked for as it wants it, and the pod has no node."""
    config = load_config(lone_control_plane.kubeconfig())
    pod = {
        "metadata": {"name": "nowhere", "namespace": "default"},
        "spec": {"containers": [{"name": "a", "image": "b"}]},
    }
    with closing(ApiClient.from_config(config)) as client, closing(HttpTransport(config)) as transport:
        pods = client.resource(PODS, "default")
        pods.create(pod)
        try:
            for name, words in (("nowhere", "pod nowhere does not have a host assigned"), ("nonesuch", "not found")):
                with pytest.raises(ForwardRefused, match=words):
                    PortForwarder(transport).connect(ObjectKey("default", name), 18443, 10.0)
        finally:
            pods.delete(ObjectKey("default", "nowhere"), grace_period_seconds=0)
