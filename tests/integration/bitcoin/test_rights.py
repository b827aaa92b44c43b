"""The rights that are shipped are those that are needed; without one the operator says what it lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from btcctl.bitcoin.operator import FIELD_MANAGER, build_operator
from btcctl.bitcoin.refusals import RefusalNotingTransport, Refusals
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.controller.manager import Manager
from btcctl.errors import AlreadyExists, Forbidden, NotFound
from btcctl.leaderelection.elector import Elector
from btcctl.leaderelection.fence import Fence
from btcctl.leaderelection.lease_lock import LeaseLock
from btcctl.objects import ObjectKey
from btcctl.resources import (
    CLUSTER_ROLES,
    LEASES,
    NAMESPACES,
    POD_DISRUPTION_BUDGETS,
    PODS,
    SERVICES,
    STATEFUL_SETS,
    ResourceType,
)
from btcctl.rest.client import ApiClient
from btcctl.rest.http import HttpTransport
from btcctl.rest.loading import load_config
from btcctl.testing.control_plane import ControlPlane, ControlPlaneOptions
from tests.integration.audit import AuditLog
from tests.integration.bitcoin.operated import KEY, MANIFESTS, OPTIONS, SEEDS, Operated, objects
from tests.integration.bitcoin.operated_for_real import operated_for_real
from tests.integration.bitcoin.test_operator import LEASE, SERVICE, STATEFUL_SET, has, tell_the_story
from tests.integration.support import eventually

pytestmark = pytest.mark.real_server

ROLE = ObjectKey("", "bitcoin-controller-role")
BUDGET = ObjectKey("default", "my-network-pdb")
EXPOSED = ObjectKey("default", "my-network-rpc")
POD = ObjectKey("default", "my-network-sts-0")
#: No request needs it: an admission plugin asks for it, see the last test.
BY_ADMISSION = {("update", "bitcoinnetworks/finalizers")}
Grants = set[tuple[str, str]]


@pytest.fixture
def cluster(lone_control_plane: ControlPlane, audit_log: AuditLog) -> Iterator[Operated]:
    """With the network of the seeds, and the rights of the manifests."""
    with operated_for_real(MANIFESTS, lone_control_plane, audit_log) as cluster:
        cluster.install(SEEDS / "secret.yaml", SEEDS / "testNetwork.yaml")
        yield cluster


def granted() -> Grants:
    """Verbs and resources of all rules of rbac.yaml."""
    rules = [rule for each in objects(MANIFESTS / "rbac.yaml") for rule in each.get("rules", ())]
    return {(verb, resource) for rule in rules for resource in rule["resources"] for verb in rule["verbs"]}


def used(cluster: Operated) -> Grants:
    found = {(each.verb, "/".join(filter(None, (each.resource, each.subresource)))) for each in cluster.asked()}
    return {(verb, resource) for verb, resource in found if resource and not resource.endswith("reviews")}


def test_every_verb_that_is_granted_is_used_and_every_one_that_is_used_is_granted(cluster: Operated) -> None:
    """So each of them is needed: without it one of these requests would be refused."""
    with cluster.operator():
        cluster.bring_up()
        spoil_the_children(cluster)
        expose_and_hide(cluster)
        swap_the_image_of_a_node(cluster)
        lack_a_pod(cluster)
        tell_the_story(cluster)
    hold_the_lease(cluster)
    assert cluster.refused() == set()
    assert used(cluster) | BY_ADMISSION == granted()


def spoil_the_children(cluster: Operated) -> None:
    """Change what the operator has set of each; it is put right."""
    cluster.patch(SERVICES, SERVICE, {"spec": {"publishNotReadyAddresses": False}})
    cluster.patch(POD_DISRUPTION_BUDGETS, BUDGET, {"spec": {"maxUnavailable": 3}})
    for expose, is_there in (({"type": "NodePort"}, True), ({"type": "ClusterIP"}, True), (None, False)):
        cluster.patch(BITCOIN_NETWORKS, KEY, {"spec": {"expose": expose}})
        eventually(lambda there=is_there: has(cluster, SERVICES, EXPOSED) == there)
        if expose is not None:
            eventually(
                lambda e=expose: cluster.admin.resource(SERVICES).get(EXPOSED).body()["spec"]["type"] == e["type"]
            )
    cluster.patch(BITCOIN_NETWORKS, KEY, {"spec": {"nodeOverrides": [{"ordinal": 0, "image": "another"}]}})
    eventually(lambda: cluster.admin.resource(PODS).get(POD).body()["spec"]["containers"][0]["image"] == "another")
    for type_, key, field, value in (
        (SERVICES, SERVICE, "publishNotReadyAddresses", True),
        (POD_DISRUPTION_BUDGETS, BUDGET, "maxUnavailable", 1),
    ):
        eventually(lambda t=type_, k=key, f=field, v=value: cluster.admin.resource(t).get(k).body()["spec"].get(f) == v)


def expose_and_hide(cluster: Operated) -> None:
    """The one child that is ever deleted."""
    exposed = ObjectKey("default", "my-network-rpc")
    cluster.patch(BITCOIN_NETWORKS, KEY, {"spec": {"expose": {"type": "ClusterIP"}}})
    eventually(lambda: has(cluster, SERVICES, exposed))
    cluster.patch(BITCOIN_NETWORKS, KEY, {"spec": {"expose": None}})
    eventually(lambda: not has(cluster, SERVICES, exposed))


def swap_the_image_of_a_node(cluster: Operated) -> None:
    cluster.patch(BITCOIN_NETWORKS, KEY, {"spec": {"nodeOverrides": [{"ordinal": 0, "image": "another:1"}]}})
    eventually(lambda: ("patch", "pods") in used(cluster))
    cluster.patch(BITCOIN_NETWORKS, KEY, {"spec": {"nodeOverrides": None}})


def lack_a_pod(cluster: Operated) -> None:
    """Until the operator has asked why: it does when it brings the status up to date, every ten seconds."""
    cluster.pods.delete(2)
    eventually(lambda: ("list", "events") in used(cluster))
    cluster.pods.run_all()


def hold_the_lease(cluster: Operated) -> None:
    with suppress(AlreadyExists):
        cluster.admin.resource(NAMESPACES).create({"metadata": {"name": LEASE.namespace}})
    with suppress(NotFound):  # of another test
        cluster.admin.resource(LEASES).delete(LEASE)
    elector = Elector(LeaseLock(cluster.controller, LEASE), Fence())
    elector.start()
    assert elector.leading.wait(60.0)
    eventually(lambda: ("update", "leases") in used(cluster))
    elector.stop()


@pytest.mark.parametrize(
    ("verb", "type_", "child"),
    [
        ("create", SERVICES, SERVICE),
        ("create", STATEFUL_SETS, STATEFUL_SET),
        ("create", POD_DISRUPTION_BUDGETS, BUDGET),
        ("update", STATEFUL_SETS, STATEFUL_SET),
    ],
    ids=str,
)
def test_a_missing_verb_is_said_by_the_network_and_by_readyz_until_it_is_granted(
    verb: str, type_: ResourceType, child: ObjectKey, cluster: Operated, lone_control_plane: ControlPlane
) -> None:
    what = type_.plural
    refusals = Refusals()
    with operating(cluster, lone_control_plane, refusals):
        if verb == "update":
            eventually(lambda: has(cluster, STATEFUL_SETS, STATEFUL_SET))
        with without(cluster, verb, what):
            eventually(lambda: is_forbidden(cluster, verb, type_, child), every=0.5)
            condition = cluster.status.condition("Forbidden")
            assert condition is not None
            assert f"{verb} {what}" in condition.message
            assert f"may not {verb} {what}" in refusals.problem()
        eventually(lambda: is_allowed_again(cluster, refusals, verb, type_, child), every=0.5)
        eventually(lambda: is_mended(cluster, type_, child))
        cluster.bring_up()
        eventually(lambda: cluster.reason("Forbidden") == "Allowed")


def is_forbidden(cluster: Operated, verb: str, type_: ResourceType, child: ObjectKey) -> bool:
    """Once the server has seen that the verb is gone: until then the operator has its way."""
    provoke(cluster, verb, type_, child)
    return cluster.reason("Forbidden") == "MissingRights"


def is_allowed_again(cluster: Operated, refusals: Refusals, verb: str, type_: ResourceType, child: ObjectKey) -> bool:
    """Once the server has seen that it is back: until then the operator is refused, and ever later tries again."""
    if refusals.problem() == "":
        return True
    provoke(cluster, verb, type_, child)
    return False


def is_mended(cluster: Operated, type_: ResourceType, child: ObjectKey) -> bool:
    """Whether the last provocation is, too."""
    replicas = cluster.admin.resource(type_).get(child).body()["spec"].get("replicas", cluster.nodes)
    return has(cluster, type_, child) and bool(replicas == cluster.nodes)


def provoke(cluster: Operated, verb: str, type_: ResourceType, child: ObjectKey) -> None:
    """Have the operator do it: it makes children that are gone, and scales."""
    if verb == "update":
        cluster.patch(type_, child, {"spec": {"replicas": 5}})
        return
    with suppress(NotFound):
        cluster.admin.resource(type_).delete(child)


@contextmanager
def without(cluster: Operated, verb: str, resource: str) -> Iterator[None]:
    """Take a verb out of the role, and put it back."""
    roles = cluster.admin.resource(CLUSTER_ROLES)
    whole = roles.get(ROLE).body()["rules"]
    rules = [
        {**rule, "verbs": [each for each in rule["verbs"] if resource not in rule["resources"] or each != verb]}
        for rule in whole
    ]
    roles.patch(ROLE, {"rules": [each for each in rules if each["verbs"]]})
    yield
    roles.patch(ROLE, {"rules": whole})


@contextmanager
def operating(cluster: Operated, plane: ControlPlane, refusals: Refusals) -> Iterator[Manager]:
    """As `btcctl run` builds it."""
    config = load_config(plane.service_account_kubeconfig("bitcoin-controller", "bitcoin-controller-sva"))
    transport = RefusalNotingTransport(HttpTransport(config), refusals)
    with ApiClient(transport, field_manager=FIELD_MANAGER) as client:
        manager = build_operator(client, OPTIONS, rpc_for=cluster.mesh.rpc_for, refusals=refusals)
        manager.start()
        try:
            yield manager
        finally:
            manager.stop()


def test_where_owner_references_are_checked_the_rule_for_finalizers_is_needed(audit_log: AuditLog) -> None:
    plugin = "--enable-admission-plugins=OwnerReferencesPermissionEnforcement"
    with (
        ControlPlane(ControlPlaneOptions(controllers=(), api_server_flags=(plugin,))) as plane,
        operated_for_real(MANIFESTS, plane, audit_log) as cluster,
    ):
        cluster.install(SEEDS / "secret.yaml")
        network = cluster.networks.create(objects(SEEDS / "testNetwork.yaml")[0])
        reference = {"apiVersion": network.api_version, "kind": network.kind, "name": KEY.name, "uid": network.uid}
        owner = {**reference, "controller": True, "blockOwnerDeletion": True}
        body = {"metadata": {"name": "a", "ownerReferences": [owner]}, "spec": {"ports": [{"port": 1}]}}
        services = cluster.controller.resource(SERVICES, KEY.namespace)
        with without(cluster, "update", "bitcoinnetworks/finalizers"):
            eventually(lambda: refuses(lambda: services.create(body)))
        eventually(lambda: not refuses(lambda: services.create(body)))


def refuses(call: Callable[[], object]) -> bool:
    """Whether the plugin does."""
    try:
        call()
    except AlreadyExists:
        return False
    except Forbidden as error:
        return "you can't set finalizers on" in str(error)  # not that it does not know the kind yet, for up to 10 s
    return False
