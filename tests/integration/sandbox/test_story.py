"""The whole product: the story it tells, how it fails when it must, and that it settles."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import pytest

from btcctl.apiserver.requests.messages import RequestAttributes
from btcctl.bitcoin.memory import SHOW_SECONDS
from btcctl.bitcoin.rpc import Credentials, RpcClient, RpcConnections
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.resources import LEASES, PODS
from btcctl.sandbox.cluster.cluster import ClusterOptions
from btcctl.sandbox.demonstration.check import CheckFailed
from btcctl.sandbox.demonstration.commands import RPC_PORT
from btcctl.sandbox.session import KEY, LEASE, SandboxOptions, Session
from tests.integration.support import eventually

SIMULATED = SandboxOptions(nodes=3, simulated=True)
WRITES = {"create", "update", "patch", "delete", "deletecollection"}


class CountedRpc:
    """The operator's way to the nodes: counts its calls, and can lose some of them on the way.

    Args:
        swallowed: Methods that are answered without ever reaching a node.
    """

    def __init__(self, swallowed: Sequence[str] = ()) -> None:
        self.calls: Counter[str] = Counter()
        self._swallowed = swallowed
        self._connections = RpcConnections(RPC_PORT)

    def __call__(self, address: str, credentials: Credentials, port: int | None = None) -> CountedClient:
        return CountedClient(self, self._connections.client(address, credentials, port))

    def swallows(self, method: str) -> bool:
        self.calls[method] += 1
        return method in self._swallowed

    def close(self) -> None:
        self._connections.close()


class CountedClient:
    def __init__(self, counted: CountedRpc, client: RpcClient) -> None:
        self._counted = counted
        self._client = client

    def call(self, method: str, *params: Any) -> Any:
        return None if self._counted.swallows(method) else self._client.call(method, *params)

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        self._counted.calls["batch"] += 1
        return self._client.batch(calls)


class CountedWrites:
    """Counts what changes the cluster, whoever does it, but for a leader that renews its Lease."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, attributes: RequestAttributes, status: int) -> None:
        if attributes.verb in WRITES and attributes.resource != "leases":
            self.seen.append(f"{attributes.verb} {attributes.resource}/{attributes.subresource} {attributes.name}")


@pytest.fixture
def parts() -> Any:
    with ExitStack() as stack:
        yield stack


def test_the_whole_story_comes_true(parts: ExitStack) -> None:
    lines: list[str] = []
    parts.enter_context(Session(SIMULATED, say=lines.append)).check()
    assert sum(line.startswith("[") for line in lines) == sum(line.strip().startswith("ok after") for line in lines)
    assert any("node-1 height 101 best " in line and line.endswith("peers 2") for line in lines)


def test_the_whole_story_comes_true_under_the_roles_that_are_shipped(parts: ExitStack) -> None:
    lines: list[str] = []
    refused: list[str] = []

    def observe(attributes: RequestAttributes, status: int) -> None:
        if status == 403 and attributes.user.startswith("system:serviceaccount:bitcoin-controller:"):
            refused.append(f"{attributes.verb} {attributes.resource} {attributes.name}")

    options = ClusterOptions(is_guarded=True, observer=observe)
    parts.enter_context(Session(SIMULATED, say=lines.append, cluster_options=options)).check()
    assert any("as ServiceAccount bitcoin-controller/bitcoin-controller-sva" in line for line in lines)
    assert refused == []


def test_a_check_fails_and_names_the_line_when_addnode_calls_are_lost(parts: ExitStack) -> None:
    rpc, lines = CountedRpc(swallowed=["addnode"]), []
    parts.callback(rpc.close)
    session = parts.enter_context(Session(SIMULATED, say=lines.append, rpc_for=rpc))
    with pytest.raises(CheckFailed, match=r"every node lists its peers.*node-1 lists nobody, handshakes 0/2"):
        session.check()
    assert rpc.calls["addnode"] > 0


def test_whoever_takes_the_lease_of_the_operator_is_named(parts: ExitStack) -> None:
    lines: list[str] = []
    session = parts.enter_context(Session(SIMULATED, say=lines.append))
    leases = session.cluster.client().resource(LEASES)
    eventually(lambda: leases.get(LEASE).body()["spec"].get("holderIdentity"))
    leases.patch(LEASE, {"spec": {"holderIdentity": "they", "leaseDurationSeconds": 3600}})

    def is_said() -> bool:
        session.raise_failures()
        return any(line.endswith("was taken by they; they holds it and has taken over") for line in lines)

    eventually(is_said)


def test_a_settled_network_is_looked_at_and_left_alone(parts: ExitStack) -> None:
    rpc, writes = CountedRpc(), CountedWrites()
    parts.callback(rpc.close)
    options = ClusterOptions(observer=writes)
    session = parts.enter_context(Session(SIMULATED, say=lambda _: None, rpc_for=rpc, cluster_options=options))
    session.show_progress()
    eventually(lambda: nothing_is_written_while_news_are_held_back(writes), 90)

    assert changes_of_two_looks(rpc, writes) == []


def nothing_is_written_while_news_are_held_back(writes: CountedWrites) -> bool:
    """How the nodes are may be written a while after it was seen; so less quiet than that says nothing."""
    seen = len(writes.seen)
    threading.Event().wait(SHOW_SECONDS + 2.0)
    return len(writes.seen) == seen


def changes_of_two_looks(rpc: CountedRpc, writes: CountedWrites) -> list[str]:
    """What is called or written, but for the looking, while three nodes are looked at twice."""
    calls, seen = Counter(rpc.calls), len(writes.seen)
    eventually(lambda: rpc.calls["batch"] >= calls["batch"] + 6)
    changes = rpc.calls - calls
    del changes["batch"]
    return [*changes, *writes.seen[seen:]]


def test_a_network_that_is_deleted_while_it_comes_up_leaves_nothing(parts: ExitStack) -> None:
    session = parts.enter_context(Session(SIMULATED, say=lambda _: None))
    client = session.cluster.client()
    pods = client.resource(PODS, KEY.namespace)
    eventually(lambda: pods.list()[0])
    client.resource(BITCOIN_NETWORKS).delete(KEY)
    eventually(lambda: pods.list()[0] == [])
