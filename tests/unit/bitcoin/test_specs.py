"""Every field alone, and combinations: each is built, settles, and leaves nothing behind when it goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from btcctl.bitcoin.spec.from_spec import FROM_SPEC
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.errors import TerminalError
from btcctl.objects import ObjectKey
from btcctl.resources import SERVICES, STATEFUL_SETS
from btcctl.sandbox.kubelet.pods.env import expand
from tests.specs import COMBINATIONS, FIELDS, REFUSED
from tests.unit.bitcoin.builders import network_body, secret_body
from tests.unit.bitcoin.world import KEY, SERVICE, STATEFUL_SET, World

SPECS = {**FIELDS, **COMBINATIONS}
PLAIN = {"nodes": 2}
# What cannot change once the network is there, or leaves a mark: pods say for which Secret they were made.
LASTING = {"network", "signetChallenge", "storage", "secret"}


def built(spec: dict[str, Any]) -> World:
    world = World(
        network_body(**spec), secret_body("bitcoin-default-secret", BC_RPC_USER="user", BC_RPC_PASSWORD="password")
    )
    world.reconcile()
    world.run_pods()
    world.settle()
    return world


def template(world: World) -> dict[str, Any]:
    found: dict[str, Any] = world.body(STATEFUL_SETS, STATEFUL_SET)["spec"]["template"]
    return found


@pytest.mark.parametrize("name", SPECS)
def test_a_settled_network_causes_no_writes_whatever_is_asked_for(name: str) -> None:
    world = built(SPECS[name])
    world.restart_controller()
    for _ in range(3):
        world.reconcile()
    assert world.writes() == []


@pytest.mark.parametrize("name", [name for name, spec in SPECS.items() if not LASTING & spec.keys()])
def test_what_is_asked_for_no_longer_leaves_nothing_behind(name: str) -> None:
    world = built(SPECS[name])
    gone = {field: None for field in SPECS[name] if field != "nodes"}
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {**gone, **PLAIN}})
    world.settle()
    assert template(world) == template(built(PLAIN))
    world.reconcile()
    assert world.writes() == []


@pytest.mark.parametrize("name", [name for name, spec in SPECS.items() if not LASTING & spec.keys()])
def test_what_is_asked_for_later_is_as_if_it_had_been_asked_for_at_once(name: str) -> None:
    world = built(PLAIN)
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": SPECS[name]})
    world.settle()
    assert template(world) == template(built(SPECS[name]))


def test_a_label_or_annotation_without_a_value_is_one() -> None:
    world = built(SPECS["labels without values"])
    pod = template(world)
    assert pod["spec"]["nodeSelector"] == {"node-role.kubernetes.io/infra": ""}
    assert (pod["metadata"]["labels"]["example.com/red"], pod["metadata"]["annotations"]) == (
        "",
        {"example.com/note": ""},
    )
    (term,) = pod["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    (spread,) = pod["spec"]["topologySpreadConstraints"]
    assert [each["labelSelector"]["matchLabels"] for each in (term, spread)] == [{"example.com/noisy": ""}] * 2
    assert world.body(SERVICES, EXPOSED)["metadata"]["annotations"]["example.com/internal"] == ""


def test_ports_of_ones_own_reach_the_service_the_pods_and_the_node() -> None:
    world = built({"nodes": 1, "rpcPort": 18332, "p2pPort": 19444})
    ports = {each["name"]: each["port"] for each in world.body(SERVICES, SERVICE)["spec"]["ports"]}
    container = template(world)["spec"]["containers"][0]
    env = {each["name"]: each.get("value") for each in container["env"]}
    assert ports == {each["name"]: each["containerPort"] for each in container["ports"]} == {"rpc": 18332, "p2p": 19444}
    assert (env["BC_RPC_PORT"], env["BC_P2P_PORT"]) == ("18332", "19444")


def test_a_signet_listens_on_its_own_ports_and_knows_its_challenge() -> None:
    container = template(built(FIELDS["signetChallenge"]))["spec"]["containers"][0]
    env = {each["name"]: each.get("value") for each in container["env"]}
    assert [each["containerPort"] for each in container["ports"]] == [38332, 38333]
    assert (env["BC_NETWORK"], env["BC_SIGNET_CHALLENGE"]) == ("signet", "51")


def test_caches_follow_from_the_limit_of_memory_unless_the_configuration_says_otherwise() -> None:
    limited = {"nodes": 1, "resources": {"limits": {"memory": "3Gi"}}}
    assert template(built(limited))["spec"]["containers"][0]["args"] == ["-dbcache=1024", "-maxmempool=512"]
    chosen = {**limited, "config": ["dbcache=50"]}
    assert template(built(chosen))["spec"]["containers"][0]["args"] == ["-maxmempool=512"]


def test_each_node_finds_its_own_lines_beside_those_of_all() -> None:
    overrides = [{"ordinal": 1, "config": ["uacomment=one", "debug=net"]}, {"ordinal": 3, "image": "other"}]
    world = built({"nodes": 2, "config": ["txindex=1"], "nodeOverrides": overrides})
    env = {each["name"]: each.get("value") for each in template(world)["spec"]["containers"][0]["env"]}
    lines = {name: value for name, value in env.items() if name.startswith("BC_CONFIG")}
    assert lines == {"BC_CONFIG": "txindex=1", "BC_CONFIG_1": "uacomment=one\ndebug=net"}


def test_a_line_of_the_configuration_reaches_the_node_as_it_is_whatever_a_kubelet_makes_of_dollar_signs() -> None:
    lines = ["uacomment=$(BC_RPC_PASSWORD)", "debug=$$(HOME)", "rpcthreads=$4$"]
    world = built({"nodes": 1, "config": lines})
    container = template(world)["spec"]["containers"][0]
    said = next(each["value"] for each in container["env"] if each["name"] == "BC_CONFIG")
    assert expand(said, {"BC_RPC_PASSWORD": "secret", "HOME": "/"}).split("\n") == lines


def test_a_suspended_network_keeps_its_volumes_and_says_so_and_comes_back() -> None:
    world = built({"nodes": 2, "storage": {"whenDeleted": "Delete"}})
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"suspend": True}})
    world.reconcile()
    spec = world.body(STATEFUL_SETS, STATEFUL_SET)["spec"]
    assert (spec["replicas"], spec["persistentVolumeClaimRetentionPolicy"]["whenScaled"]) == (0, "Retain")
    world.run_pods()
    world.settle()
    assert world.condition("Ready") == ("False", "Suspended")
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"suspend": False}})
    world.reconcile()
    world.run_pods()
    world.settle()
    assert world.condition("Ready") == ("True", "Connected")


def test_a_network_that_is_scaled_to_none_keeps_its_volumes_and_one_that_is_made_smaller_does_not() -> None:
    world = built({"nodes": 3, "storage": {"whenDeleted": "Delete"}})
    for nodes, kept in ((0, "Retain"), (2, "Delete")):
        world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"nodes": nodes}})
        world.reconcile()
        spec = world.body(STATEFUL_SETS, STATEFUL_SET)["spec"]
        assert (spec["replicas"], spec["persistentVolumeClaimRetentionPolicy"]["whenScaled"]) == (nodes, kept)


def test_a_network_without_nodes_says_so() -> None:
    assert built({"nodes": 0}).condition("Ready") == ("False", "NoNodes")


@pytest.mark.parametrize(
    "name", ["a public signet", "one port for both", "credentials", "a daemon", "an amount that is none"]
)
def test_under_a_definition_without_rules_the_controller_refuses_in_the_status(name: str) -> None:
    world = World(network_body(**REFUSED[name][0]), lenient=True)
    with pytest.raises(TerminalError):
        world.reconcile()
    assert world.condition("Ready") == ("False", "InvalidSpec")
    assert world.get(STATEFUL_SETS, STATEFUL_SET) is None


def test_volumes_that_come_too_late_keep_no_other_change_from_being_made() -> None:
    world = World(network_body(nodes=2), lenient=True)
    world.reconcile()
    world.run_pods()
    world.settle()
    before = world.body(STATEFUL_SETS, STATEFUL_SET)["spec"]["template"]["spec"]["volumes"]
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"storage": {"size": "1Gi"}, "nodes": 3}})
    world.reconcile()
    spec = world.body(STATEFUL_SETS, STATEFUL_SET)["spec"]
    assert (spec["replicas"], spec["template"]["spec"]["volumes"]) == (3, before)
    assert "volumeClaimTemplates" in world.message("Conflict")


def admitted(change: Callable[[list[dict[str, Any]]], None]) -> World:
    """A network with volumes; a webhook has changed the claims of its StatefulSet as that was made."""
    world = built({"nodes": 1, "storage": {"size": "1000Mi"}})
    body = world.body(STATEFUL_SETS, STATEFUL_SET)
    world.client.resource(STATEFUL_SETS).delete(STATEFUL_SET)
    body["metadata"].pop("resourceVersion")
    change(body["spec"]["volumeClaimTemplates"])
    world.client.resource(STATEFUL_SETS).create(body)
    world.reconcile()
    return world


CACHE = {
    "metadata": {"name": "cache"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}},
}


@pytest.mark.parametrize("place", [0, 1])
def test_a_claim_that_a_webhook_puts_beside_ours_is_nobodys_conflict(place: int) -> None:
    world = admitted(lambda claims: claims.insert(place, CACHE))
    assert world.condition("Conflict") == ("False", "NoConflict")
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"nodes": 2}})
    world.reconcile()
    assert world.body(STATEFUL_SETS, STATEFUL_SET)["spec"]["replicas"] == 2


def test_a_claim_that_a_webhook_changes_is_a_conflict_that_says_so() -> None:
    world = admitted(lambda claims: claims[0]["spec"].update(resources={"requests": {"storage": "5Gi"}}))
    assert world.condition("Conflict") == ("True", "ChildConflict")
    assert "if the new one differs as well, an admission webhook or policy changes it" in world.message("Conflict")


EXPOSED = ObjectKey(KEY.namespace, "net-rpc")


def test_an_exposed_network_has_one_more_service_and_only_as_long() -> None:
    world = built({"nodes": 1, "rpcPort": 18332, "expose": {"type": "NodePort", "annotations": {"a/b": "c"}}})
    body = world.body(SERVICES, EXPOSED)
    assert (body["spec"]["type"], body["spec"]["ports"][0]["port"]) == ("NodePort", 18332)
    assert body["metadata"]["annotations"]["a/b"] == "c"
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"expose": {"type": "LoadBalancer"}}})
    world.reconcile()
    assert world.body(SERVICES, EXPOSED)["spec"]["type"] == "LoadBalancer"
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"expose": None}})
    world.settle()
    assert world.get(SERVICES, EXPOSED) is None
    assert world.get(SERVICES, SERVICE) is not None


def test_a_service_that_is_asked_for_and_not_in_turns_is_no_dispute() -> None:
    world = built({"nodes": 1})
    for _ in range(6):
        world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"expose": {"type": "ClusterIP"}}})
        world.reconcile()
        assert world.get(SERVICES, EXPOSED) is not None
        assert world.condition("Contested") == ("False", "Uncontested")
        world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"expose": None}})
        world.reconcile()


def test_an_annotation_of_the_service_that_is_asked_for_no_longer_goes_and_those_of_others_stay() -> None:
    world = built({"nodes": 1, "expose": {"annotations": {"a/b": "c", "d": "e"}}})
    world.edit(SERVICES, EXPOSED, {"metadata": {"annotations": {"cloud/id": "7"}}})
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"expose": {"annotations": {"a/b": None, "d": "f"}}}})
    world.reconcile()
    annotations = world.body(SERVICES, EXPOSED)["metadata"]["annotations"]
    assert annotations | {FROM_SPEC: ""} == {"d": "f", "cloud/id": "7", FROM_SPEC: ""}
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"expose": {"annotations": None}}})
    world.settle()
    world.reconcile()
    assert "d" not in world.body(SERVICES, EXPOSED)["metadata"]["annotations"]
    assert world.writes() == []


def test_a_service_of_that_name_that_is_anothers_is_not_deleted() -> None:
    world = built({"nodes": 1})
    theirs = {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 1}]}}
    world.client.resource(SERVICES).create({**theirs, "metadata": {"name": "net-rpc", "namespace": KEY.namespace}})
    world.reconcile()
    assert world.get(SERVICES, EXPOSED) is not None
