from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from btcctl import codecs
from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.bitcoin.view.actions import ACTIONS
from btcctl.bitcoin.view.hub import Page
from btcctl.bitcoin.view.looking.followed import Looking
from btcctl.bitcoin.view.model import About, State
from btcctl.bitcoin.view.operator.inside import Inside
from btcctl.bitcoin.view.orders import Order
from btcctl.bitcoin.view.view import View, ViewOptions
from btcctl.objects import ObjectKey
from btcctl.testing import FakeClient
from tests.integration.support import eventually
from tests.unit.bitcoin.builders import network_body, secret_body
from tests.unit.bitcoin.view.objects import loose_pod_body


class Shown:
    """A view of a cluster, and a page that looks at `default/net`."""

    def __init__(self, looking: Looking = Looking()) -> None:
        self.client = FakeClient(load_crd())
        options = ViewOptions(looking=looking, is_read_only=False)
        self.view = View(self.client, options, lambda hub: Inside(hub, None))
        self.networks = self.client.resource(BITCOIN_NETWORKS)

    def look(self) -> Page:
        return self.view.hub.join("default/net", lambda: None)

    def about(self, page: Page) -> About | None:
        """What the page is told of the network in a snapshot, None if it is not there. Nothing else is listened to."""
        data = page.take(self.view.state).partition(b"event: snapshot\ndata: ")[2]
        assert data
        network = codecs.decode(data.strip(), State).network
        return None if network is None else network.about

    def nodes(self, page: Page) -> int | None:
        about = self.about(page)
        return None if about is None else about.summary.nodes_wanted


@pytest.fixture
def shown() -> Iterator[Shown]:
    shown = Shown()
    shown.view.start()
    yield shown
    shown.view.stop()


def test_a_network_that_is_made_while_a_page_waits_for_it_is_shown(shown: Shown) -> None:
    page = shown.look()
    assert shown.nodes(page) is None
    shown.networks.create(network_body("net", 2))
    eventually(lambda: shown.nodes(page) == 2)


def test_a_network_that_is_deleted_and_made_anew_is_shown_again(shown: Shown) -> None:
    shown.networks.create(network_body("net", 2))
    page = shown.look()
    eventually(lambda: shown.nodes(shown.look()) == 2)
    shown.networks.delete(ObjectKey("default", "net"))
    seen: list[Any] = []
    eventually(lambda: seen.append(shown.nodes(page)) or seen[-1] is None)
    shown.networks.create(network_body("net", 5))
    eventually(lambda: shown.nodes(page) == 5)


def test_a_secret_that_was_missing_is_read_once_it_is_there(shown: Shown) -> None:
    def problem() -> str:
        about = shown.about(shown.look())
        return "" if about is None else about.rpc_problem

    shown.networks.create(network_body("net", 1, secret="mine"))
    page = shown.look()
    eventually(lambda: "there is no Secret" in problem())
    shown.client.add(secret_body("mine", BC_RPC_USER="me", BC_RPC_PASSWORD="word"))
    shown.networks.patch(ObjectKey("default", "net"), {"metadata": {"annotations": {"seen": "by the operator"}}})
    eventually(lambda: problem() == "")
    shown.view.hub.leave(page)


@pytest.mark.parametrize("network", ["../net", "default/..", "default/a%2fb", "default", ""])
def test_a_log_of_what_no_network_can_be_called_is_refused_in_words(network: str) -> None:
    assert Shown().view.log(network, 0, 5).problem == "say which network: NAMESPACE/NAME"


def test_a_log_needs_no_secret() -> None:
    shown = Shown()
    shown.networks.create(network_body("net", 1, secret="missing"))
    shown.client.add(loose_pod_body(0))
    assert "logs of pods that nothing runs" in shown.view.log("default/net", 0, 5).problem  # the fake's: it was asked


def test_who_may_call_no_nodes_is_not_offered_what_needs_it() -> None:
    shown = Shown(Looking(asks_nodes=False))
    assert {each.name for each in shown.view.state("").actions} == ACTIONS.keys() - {"mine", "hang", "release"}
    assert "no action 'mine'" in shown.view.act("mine", Order("default/net")).said
