"""What becomes of a network's chain that no volume keeps: the rows of docs/network.md, on real processes.

`make test-chains` does the same with more nodes and blocks, many times.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from btcctl.objects import ObjectKey
from btcctl.resources import EVENTS
from tests.chains.changes import CHANGES, MISHAPS, all_at_once, containers, scale_down_and_up
from tests.chains.network import KEY, Network, Shape, running
from tests.integration.sandbox.nodes import real_bitcoind
from tests.integration.support import eventually

BLOCKS = 101


REAL = "real"


@pytest.fixture
def network(request: pytest.FixtureRequest) -> Iterator[Network]:
    """Of two simulated nodes, of so many as the test asks for, or of real ones."""
    wanted = getattr(request, "param", 2)
    shape = Shape(2, BLOCKS, real_bitcoind()) if wanted == REAL else Shape(wanted, BLOCKS)
    with running(shape) as network:
        yield network


@pytest.mark.timeout(600)
@pytest.mark.parametrize("network", [2, pytest.param(REAL, marks=pytest.mark.real_bitcoind)], indirect=True)
def test_whatever_kubernetes_does_in_good_order_the_chain_is_kept(network: Network) -> None:
    for name, change in CHANGES.items():
        change(network)
        assert (name, network.losses(), network.is_intact()) == (name, [], True)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("network", [2, pytest.param(REAL, marks=pytest.mark.real_bitcoind)], indirect=True)
def test_what_nobody_means_to_do_costs_no_block_and_no_pod_more_than_it_must(network: Network) -> None:
    for name, change in MISHAPS.items():
        change(network)
        assert (name, network.losses(), network.is_intact()) == (name, [], True)


def test_containers_that_end_at_once_find_their_chain_again(network: Network) -> None:
    before = network.uids()
    containers(network)
    assert (network.losses(), network.uids()) == ([], before)


@pytest.mark.parametrize("network", [3], indirect=True)
def test_scaling_down_and_up_again_keeps_the_chain_with_those_that_stay(network: Network) -> None:
    scale_down_and_up(network)
    assert network.losses() == []


@pytest.mark.parametrize("network", [1, 2], indirect=True)
def test_if_all_pods_are_deleted_at_once_the_chain_is_lost_and_that_is_said(network: Network) -> None:
    all_at_once(network)
    eventually(lambda: not network.is_intact())

    def is_said() -> bool:
        status = network.status  # heights are brought up to date now and then
        assert (status.height, status.lost_height) == (0, BLOCKS)
        return True

    eventually(is_said)
    events = network.client.resource(EVENTS, KEY.namespace)
    eventually(lambda: "ChainShrank" in {each.body()["reason"] for each in events.list()[0]})
    assert network.metric("btcctl_bitcoin_chain_shrunk_total") == 1.0


@pytest.mark.parametrize("network", [1], indirect=True)
def test_a_network_that_is_deleted_and_made_again_begins_anew(network: Network) -> None:
    body = network.networks.get(KEY).body()
    network.networks.delete(KEY)
    eventually(lambda: not network.pods.list()[0] and not network.sets.list()[0], 60)
    meta = {"name": KEY.name, "namespace": KEY.namespace}
    network.networks.create({**body, "metadata": meta, "status": {}})
    network.wait_until(network.is_ready, "the network to come up again")
    assert network.losses() == ["node 0 has 0 blocks"]
    assert network.is_intact()
    assert network.pod(0) is not None
    assert ObjectKey(KEY.namespace, network.pod_name(0)) == network.pod(0).key  # type: ignore[union-attr]
