from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest

from btcctl.bitcoin.client.networks import Networks
from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.bitcoin.view.actions import ACTIONS, Actions
from btcctl.bitcoin.view.orders import Order, Outcome
from btcctl.objects import ObjectKey
from btcctl.resources import PODS, SECRETS
from btcctl.testing import FakeClient
from tests.unit.bitcoin.builders import network_body, secret_body
from tests.unit.bitcoin.view.objects import loose_pod_body

KEY = ObjectKey("default", "net")


class Hangs:
    """Remembers what was stopped and continued."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []

    def hang(self, pod: ObjectKey) -> list[int]:
        self.done.append(("hang", pod.name))
        return [4711]

    def release(self, pod: ObjectKey) -> list[int]:
        self.done.append(("release", pod.name))
        return [4711]


class Cluster:
    """A network of three nodes without processes, and what was done to it."""

    def __init__(self, hangs: Hangs | None = None, **spec: Any) -> None:
        self.client = FakeClient(load_crd(), network_body("net", 3, **spec), *map(loose_pod_body, range(3)))
        self.actions = Actions(self.client, lambda: Networks(self.client), hangs)

    def act(self, name: str, network: str = "default/net", **order: Any) -> Outcome:
        return self.actions.act(name, Order(network, **order))

    @property
    def spec(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client.resource(BITCOIN_NETWORKS).get(KEY).body()["spec"]
        return found


def test_scaling_writes_what_is_asked_for_and_names_the_command():
    cluster = Cluster()
    outcome = cluster.act("scale", count=5)
    assert outcome == Outcome(
        True, "net is to have 5 nodes", "kubectl scale bitcoinnetwork net --replicas=5 -n default"
    )
    assert cluster.spec["nodes"] == 5


def test_a_partition_is_written_and_healed():
    cluster = Cluster()
    outcome = cluster.act("partition", groups=[[1, 0]])
    assert (outcome.is_done, outcome.command) == (True, "btcctl partition net '0,1' -n default")
    assert cluster.spec["partition"] == [[0, 1]]
    assert cluster.act("heal").command == "btcctl heal net -n default"
    assert "partition" not in cluster.spec


def test_a_restart_deletes_the_pod():
    cluster = Cluster()
    outcome = cluster.act("restart", node=1)
    assert outcome.command == "kubectl delete pod net-sts-1 -n default"
    pods, _ = cluster.client.resource(PODS).list()
    assert [each.name for each in pods if each.deletion_timestamp] == ["net-sts-1"]


def test_a_rotation_writes_another_password_and_tells_nobody():
    cluster = Cluster(secret="keys")
    cluster.client.resource(SECRETS).create(secret_body("keys", BC_RPC_USER="user", BC_RPC_PASSWORD="old-password"))
    outcome = cluster.act("rotate")
    data = cluster.client.resource(SECRETS).get(ObjectKey("default", "keys")).body()["data"]
    password = b64decode(data["BC_RPC_PASSWORD"]).decode()
    assert outcome.is_done
    assert len(password) >= 24
    assert password not in repr(outcome)
    assert b64decode(data["BC_RPC_USER"]) == b"user"


def test_a_network_without_a_secret_has_nothing_to_rotate():
    outcome = Cluster().act("rotate")
    assert not outcome.is_done
    assert "spec.secret is not set" in outcome.said


def test_only_where_processes_are_at_hand_can_they_be_stopped():
    assert {each.name for each in Cluster().actions.available()} == ACTIONS.keys() - {"hang", "release"}
    assert not Cluster().act("hang", node=0).is_done
    hangs = Hangs()
    cluster = Cluster(hangs)
    assert cluster.act("hang", node=2).command == "kill -STOP 4711"
    assert cluster.act("release", node=2).command == "kill -CONT 4711"
    assert hangs.done == [("hang", "net-sts-2"), ("release", "net-sts-2")]


@pytest.mark.parametrize(
    ("name", "order", "words"),
    [
        ("scale", {}, "say how many nodes"),
        ("scale", {"count": -1}, "0 to 1000"),
        ("mine", {"count": 0}, "say how many blocks"),
        ("mine", {"count": 10_000}, "1 to 1000"),
        ("partition", {}, "say which nodes"),
        ("partition", {"groups": [[]]}, "none of them empty"),
        ("partition", {"groups": [[7]]}, "there is no node 7"),
        ("partition", {"groups": [[0], [0, 1]]}, "node 0 is in two groups"),
        ("restart", {}, "say which node"),
        ("restart", {"node": 9}, "there is: 0, 1, 2"),
        ("explode", {}, "no action 'explode'"),
        ("heal", {"network": "default/other"}, "there is: net"),
        ("heal", {"network": "net"}, "NAMESPACE/NAME"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(name, order, words):
    cluster = Cluster(Hangs())
    before = cluster.spec
    outcome = cluster.act(name, **order)
    assert not outcome.is_done
    assert words in outcome.said
    assert cluster.spec == before


def test_what_was_refused_still_says_which_command_it_would_have_been():
    assert Cluster().act("scale", count=2000).command == "kubectl scale bitcoinnetwork net --replicas=2000 -n default"


def test_every_action_names_a_command_and_what_it_needs():
    fields = set(Order.__struct_fields__)
    for action in ACTIONS.values():
        assert action.about
        assert action.command
        assert set(action.needs) <= fields


@pytest.mark.parametrize(
    "network", ["default", "/net", "default/", "../net", "default/..", "a/b/c", "default/net%2f", ""]
)
def test_what_no_network_can_be_called_is_said_to_be_none(network: str) -> None:
    outcome = Cluster().act("mine", network)
    assert (outcome.is_done, outcome.said) == (False, "say which network: NAMESPACE/NAME")


@pytest.mark.parametrize("name", ["restart", "hang", "release"])
def test_what_calls_no_node_needs_no_secret(name: str) -> None:
    outcome = Cluster(Hangs(), secret="missing").act(name, node=1)
    assert outcome.is_done, outcome.said
