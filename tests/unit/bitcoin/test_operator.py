from __future__ import annotations

from typing import Any

import pytest

from btcctl.bitcoin import operator
from btcctl.bitcoin.children import NETWORK_LABEL
from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.operator import (
    NodeAccess,
    NotInstalled,
    OperatorOptions,
    build_operator,
    network_keys,
    pod_keys,
    require_definition,
)
from btcctl.bitcoin.rpc import RpcConnections
from btcctl.errors import Forbidden
from btcctl.informers.cache.indexer import Indexer
from btcctl.informers.cache.lister import Lister
from btcctl.leaderelection.fence import Fence
from btcctl.objects import Object, ObjectKey
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import FakeClient

KEY = ObjectKey("default", "net")


def made(name: str, uid: str, owner: str = "", owner_uid: str = "", **labels: str) -> Object:
    metadata: dict[str, Any] = {"name": name, "namespace": "default", "uid": uid, "resourceVersion": "1"}
    metadata["labels"] = labels or {NETWORK_LABEL: "net"}
    if owner:
        reference = {"apiVersion": "v1", "kind": "Any", "name": owner, "uid": owner_uid, "controller": True}
        metadata["ownerReferences"] = [reference]
    return Object.from_body({"metadata": metadata})


def lister(*objects: Object) -> Lister:
    indexer = Indexer("test")
    for each in objects:
        indexer.put(each)
    return Lister(indexer)


NETWORK = made("net", "network-uid")
STATEFUL_SET = made("net-sts", "set-uid", "net", "network-uid")
POD = made("net-sts-0", "pod-uid", "net-sts", "set-uid")


@pytest.mark.parametrize(("namespaces", "looked_at"), [((), {""}), (("a", "b"), {"a", "b"})])
def test_an_operator_looks_everywhere_or_in_the_namespaces_it_was_given(
    namespaces: tuple[str, ...], looked_at: set[str]
) -> None:
    client = FakeClient(types=[load_crd()])
    manager = build_operator(client, OperatorOptions(namespaces=namespaces))
    manager.start()
    manager.factory.require_sync(10.0)
    manager.stop()
    assert {each.key.namespace for each in client.actions if each.verb in {"list", "watch"}} == looked_at


def test_nodes_are_called_behind_the_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    fences: list[Any] = []
    monkeypatch.setattr(operator, "RpcConnections", lambda *_, fence, **__: fences.append(fence) or RpcConnections(1))
    fence = Fence(FakeClock())
    build_operator(FakeClient(load_crd()), access=NodeAccess(fence))
    assert fences == [fence]


def test_a_pod_concerns_the_network_at_the_end_of_its_owners() -> None:
    assert pod_keys(lister(STATEFUL_SET), lister(NETWORK))(POD) == [KEY]


@pytest.mark.parametrize(
    ("pod", "stateful_sets", "networks"),
    [
        (made("net-sts-0", "pod-uid"), [STATEFUL_SET], [NETWORK]),
        (made("net-sts-0", "pod-uid", "net-sts", "another"), [STATEFUL_SET], [NETWORK]),
        (POD, [made("net-sts", "set-uid", "net", "predecessor")], [NETWORK]),
        (POD, [made("net-sts", "set-uid")], [NETWORK]),
        (POD, [], [NETWORK]),
        (POD, [STATEFUL_SET], []),
        (made("net-sts-0", "pod-uid", "net-sts", "set-uid", app="net"), [STATEFUL_SET], [NETWORK]),
    ],
)
def test_a_pod_with_a_gap_in_that_chain_concerns_nobody(
    pod: Object, stateful_sets: list[Object], networks: list[Object]
) -> None:
    assert pod_keys(lister(*stateful_sets), lister(*networks))(pod) == []


def test_a_child_concerns_the_network_that_its_label_names() -> None:
    assert network_keys(STATEFUL_SET) == [KEY]
    assert network_keys(made("x", "uid", app="net")) == []


def test_a_cluster_that_does_not_know_networks_is_told_how_to_learn() -> None:
    with pytest.raises(NotInstalled, match=r"btcctl crd \| kubectl apply -f -"):
        require_definition(FakeClient())


def test_a_cluster_that_knows_networks_is_fine() -> None:
    require_definition(FakeClient(types=[load_crd()]))


def test_not_being_allowed_to_look_is_another_error() -> None:
    with pytest.raises(Forbidden):
        require_definition(
            FakeClient(types=[load_crd()], authorizer=lambda asked: "no" if asked.verb == "list" else None)
        )


@pytest.mark.parametrize(("low", "high"), [(0, 30), (5, 3), (-1, 3)])
def test_poll_times_that_make_no_sense_are_refused(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="poll_min_seconds"):
        OperatorOptions(poll_min_seconds=low, poll_max_seconds=high)


def test_the_operator_holds_networks_and_of_built_in_kinds_only_what_carries_its_label() -> None:
    client = FakeClient(types=[load_crd()])
    manager = build_operator(client)
    assert len(getattr(manager.factory, "informers")) == 5  # noqa: B009  # one more would be one without a selector
