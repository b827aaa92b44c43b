"""The operator as users run it: with the roles they apply, over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from btcctl.bitcoin.operator import NotInstalled, build_operator
from btcctl.bitcoin.types import BITCOIN_NETWORKS, DOMAIN, decode_status
from btcctl.errors import AlreadyExists, Forbidden, NotFound
from btcctl.leaderelection.elector import Elector
from btcctl.leaderelection.fence import Fence
from btcctl.leaderelection.lease_lock import LeaseLock
from btcctl.objects import ObjectKey
from btcctl.resources import CUSTOM_RESOURCE_DEFINITIONS, NAMESPACES, SECRETS, SERVICES, STATEFUL_SETS
from btcctl.testing import capture_logs
from btcctl.testing.control_plane import ControlPlane
from tests.integration.bitcoin.operated import KEY, MANIFESTS, OPTIONS, SEEDS, Operated, objects, operated
from tests.integration.bitcoin.operated_for_real import operated_for_real
from tests.integration.support import eventually
from tests.unit.bitcoin.pod_runner import PodRunner

SERVICE, STATEFUL_SET = ObjectKey("default", "my-network-svc"), ObjectKey("default", "my-network-sts")
SECRET = ObjectKey("default", "bitcoin-default-secret")
LEASE = ObjectKey("bitcoin-controller", "bitcoin-controller")


Operate = Callable[[Path], AbstractContextManager[Operated]]


@pytest.fixture
def operate(request: pytest.FixtureRequest, real_one: ControlPlane | None) -> Operate:
    """Makes a cluster with the roles of a folder: on the embedded server, then on a real one."""
    if real_one is None:
        return operated
    return partial(operated_for_real, plane=real_one, audit_log=request.getfixturevalue("audit_log"))


@pytest.fixture(params=["seeds", "manifests"])
def cluster(request: pytest.FixtureRequest, operate: Operate) -> Iterator[Operated]:
    with operate(SEEDS if request.param == "seeds" else MANIFESTS) as cluster:
        yield cluster


@pytest.fixture
def ours(operate: Operate) -> Iterator[Operated]:
    with operate(MANIFESTS) as cluster:
        yield cluster


@pytest.fixture
def seeds(operate: Operate) -> Iterator[Operated]:
    with operate(SEEDS) as cluster:
        yield cluster


@pytest.fixture
def embedded() -> Iterator[Operated]:
    with operated(MANIFESTS) as cluster:
        yield cluster


def test_the_seeds_files_apply_unchanged_and_do_what_they_say(cluster: Operated) -> None:
    cluster.install(SEEDS / "secret.yaml", SEEDS / "testNetwork.yaml")
    with cluster.operator():
        cluster.bring_up()
        assert [node.ip for node in cluster.status.nodes] == [cluster.pods.address(each) for each in range(3)]
        assert all(len(entries) == 2 for entries in cluster.mesh.listed.values())
        expected = {"NetworkCreated", "ServiceCreated", "StatefulSetCreated", "NodeJoined"}
        eventually(lambda: expected <= cluster.event_reasons())


def test_a_settled_network_costs_no_write_and_no_call_per_reconcile_and_per_resync(ours: Operated) -> None:
    ours.install(SEEDS / "secret.yaml", SEEDS / "testNetwork.yaml")
    with ours.operator(replace(OPTIONS, resync_seconds=0.1)) as manager:
        ours.bring_up()
        assert manager.recorder is not None
        manager.recorder.flush(60.0)  # type: ignore[attr-defined]

        def is_left_alone_for_thirty_looks() -> bool:
            reads = len(ours.mesh.reads)
            ours.mesh.changes.clear()
            ours.forget_requests()
            before = ours.versions()
            eventually(lambda: len(ours.mesh.reads) >= reads + 30)
            return (ours.versions(), ours.writes(), ours.mesh.changes) == (before, [], [])

        eventually(is_left_alone_for_thirty_looks)  # how the nodes are may be written a while after they are ready


def test_the_whole_story_needs_no_more_than_our_role(ours: Operated) -> None:
    ours.install(SEEDS / "secret.yaml", SEEDS / "testNetwork.yaml")
    with ours.operator():
        ours.bring_up()
        eventually(lambda: "PodDisruptionBudgetCreated" in ours.event_reasons())
        tell_the_story(ours)
    assert ours.refused() == set()
    used = {(each.verb, each.resource, each.subresource) for each in ours.asked()}
    assert {("update", "bitcoinnetworks", "status"), ("patch", "events", ""), ("get", "secrets", "")} <= used


def test_the_whole_story_works_with_the_seeds_role_and_each_missing_verb_is_named_once(seeds: Operated) -> None:
    seeds.install(SEEDS / "secret.yaml", SEEDS / "testNetwork.yaml")
    with capture_logs() as logs, seeds.operator():
        seeds.bring_up()
        tell_the_story(seeds)
    assert seeds.refused() == {("patch", "events")}
    assert [each["verb"] for each in logs if each["event"] == "not allowed on events"] == ["patch"]


def test_our_role_is_enough_for_the_lease_and_for_no_other(ours: Operated) -> None:
    with suppress(AlreadyExists):
        ours.admin.resource(NAMESPACES).create({"metadata": {"name": LEASE.namespace}})
    fence = Fence()
    elector = Elector(LeaseLock(ours.controller, LEASE), fence)
    elector.start()
    assert elector.leading.wait(60.0)
    eventually(lambda: ("update", "leases") in {(each.verb, each.resource) for each in ours.asked()})
    elector.stop()
    assert ours.refused() == set()
    with pytest.raises(Forbidden):
        LeaseLock(ours.controller, ObjectKey(LEASE.namespace, "another")).get(5.0)


def test_a_namespace_that_is_deleted_with_its_networks_is_one_line(ours: Operated) -> None:
    ours.install()
    ours.admin.resource(NAMESPACES).create({"metadata": {"name": "going"}})
    networks, services = (ours.admin.resource(each, "going") for each in (BITCOIN_NETWORKS, SERVICES))
    with capture_logs() as logs, ours.operator():
        for name in "abc":
            networks.create({"metadata": {"name": name}, "spec": {"nodes": 1}})
        eventually(lambda: len(services.list()[0]) == 3)
        logs.clear()
        ours.admin.resource(NAMESPACES).delete(ObjectKey("", "going"))
        for each in services.list()[0]:  # as a namespace controller does; the embedded server has done it at once
            with suppress(NotFound):
                services.delete(each.key)
        eventually(lambda: lines_of("going", logs))
        for each in networks.list()[0]:
            with suppress(NotFound):
                networks.delete(each.key)
        eventually(lambda: networks.list()[0] == [])
    said = [each for each in logs if each["log_level"] in {"warning", "error"} or each in lines_of("going", logs)]
    assert said == lines_of("going", logs)[:1]


def lines_of(namespace: str, logs: list[dict[str, object]]) -> list[dict[str, object]]:
    return [each for each in logs if each.get("namespace") == namespace and each["log_level"] == "info"]


def test_a_definition_that_is_deleted_is_one_warning_and_once_it_is_back_all_goes_on(ours: Operated) -> None:
    ours.install(SEEDS / "secret.yaml", SEEDS / "testNetwork.yaml")
    with capture_logs() as logs, ours.operator():
        eventually(ours.pods.is_asked_for)
        ours.admin.resource(CUSTOM_RESOURCE_DEFINITIONS).delete(ObjectKey("", f"bitcoinnetworks.{DOMAIN}"))
        eventually(lambda: [(each.verb, each.status) for each in ours.asked()].count(("list", 404)) >= 2)
        caches = [each.name for each in threading.enumerate() if each.name.startswith("reflector-bitcoinnetworks")]
        eventually(lambda: len(warnings_in(logs)) >= len(caches))  # each finds it out by itself
        ours.install(SEEDS / "testNetwork.yaml")
        eventually(lambda: is_built_for_the_network_of_now(ours), 90)
    gone = [each for each in logs if each["event"] == "the last network of a namespace is gone"]
    assert [each["namespace"] for each in gone] == [KEY.namespace]
    assert len(warnings_in(logs)) == len(caches)  # on the real server a garbage collector of ours has one, too
    assert all("is the CRD installed" in str(each["error"]) for each in warnings_in(logs))


def test_two_networks_of_one_name_in_two_namespaces_know_nothing_of_each_other(embedded: Operated) -> None:
    other = ObjectKey("other", KEY.name)
    embedded.install(SEEDS / "secret.yaml", SEEDS / "testNetwork.yaml")
    embedded.admin.resource(NAMESPACES).create({"metadata": {"name": other.namespace}})
    for type_, file in ((SECRETS, "secret.yaml"), (BITCOIN_NETWORKS, "testNetwork.yaml")):
        for body in objects(SEEDS / file):
            metadata = {"name": body["metadata"]["name"], "namespace": other.namespace}
            embedded.admin.resource(type_).create({**body, "metadata": metadata})
    theirs = PodRunner(embedded.admin, embedded.mesh, other, first=500)
    with embedded.operator():
        eventually(theirs.is_asked_for)
        theirs.run_all()
        embedded.bring_up()
        embedded.mesh.stop(embedded.pods.address(0), quietly=True)  # and one of the two is in trouble
        eventually(lambda: len(decode_status(embedded.admin.resource(BITCOIN_NETWORKS).get(other)).nodes) == 3)
        addresses = [{runner.address(each) for each in range(3)} for runner in (embedded.pods, theirs)]
        eventually(lambda: all(embedded.mesh.peers_of(each) == addresses[1] - {each} for each in addresses[1]))
        assert all(embedded.mesh.peers_of(each) <= addresses[0] for each in addresses[0])


def is_built_for_the_network_of_now(ours: Operated) -> bool:
    """Its StatefulSet is no leftover of the one before: those are collected, by us where nobody else does it."""
    uid = ours.networks.get(KEY).uid
    children = [(type_, each) for type_ in (STATEFUL_SETS, SERVICES) for each in ours.admin.resource(type_).list()[0]]
    left = [(type_, each) for type_, each in children if each.controller is not None and each.controller.uid != uid]
    for type_, each in left:
        with suppress(NotFound):
            ours.admin.resource(type_).delete(each.key, uid=each.uid)
    return not left and has(ours, STATEFUL_SETS, STATEFUL_SET)


def warnings_in(logs: list[dict[str, object]]) -> list[dict[str, object]]:
    return [each for each in logs if each["log_level"] in {"warning", "error"}]


def tell_the_story(cluster: Operated) -> None:
    """Break the network in many ways; each heals."""
    cluster.patch(STATEFUL_SETS, STATEFUL_SET, {"spec": {"replicas": 5}})
    eventually(lambda: cluster.admin.resource(STATEFUL_SETS).get(STATEFUL_SET).body()["spec"]["replicas"] == 3)

    cluster.admin.resource(SERVICES).delete(SERVICE)
    eventually(lambda: has(cluster, SERVICES, SERVICE))

    for _ in range(2):  # the second time the same event is recorded again
        cluster.admin.resource(SERVICES).delete(SERVICE)
        eventually(lambda: has(cluster, SERVICES, SERVICE))

    gone = cluster.pods.delete(1, quietly=True)
    cluster.pods.run_all()
    eventually(lambda: all(gone not in (link.source, link.target) for link in list(cluster.mesh.links)))
    eventually(lambda: len(cluster.mesh.peers_of(cluster.pods.address(1))) == 2)

    cluster.mesh.restart(cluster.pods.address(2))
    eventually(lambda: len(cluster.mesh.peers_of(cluster.pods.address(2))) == 2)

    cluster.patch(BITCOIN_NETWORKS, KEY, {"spec": {"nodes": 4}})
    eventually(lambda: cluster.admin.resource(STATEFUL_SETS).get(STATEFUL_SET).body()["spec"]["replicas"] == 4)
    cluster.pods.run_all()
    eventually(cluster.is_ready)
    eventually(lambda: cluster.event_reasons() >= {"Scaled", "NodeLeft"})

    cluster.networks.delete(KEY)
    eventually(lambda: not has(cluster, SERVICES, SERVICE) and not has(cluster, STATEFUL_SETS, STATEFUL_SET))


def test_a_secret_that_the_role_does_not_name_is_said_and_nothing_else_is_tried(seeds: Operated) -> None:
    seeds.install(SEEDS / "testNetwork.yaml")
    seeds.patch(BITCOIN_NETWORKS, KEY, {"spec": {"secret": "another"}})
    with seeds.operator():
        eventually(lambda: seeds.reason("CredentialsReady") == "SecretForbidden")
        eventually(lambda: "SecretForbidden" in seeds.event_reasons())
        seeds.pods.run_all()
        eventually(lambda: seeds.status.ready_nodes == 3)
    assert seeds.mesh.reads == []


def test_a_secret_that_comes_late_is_used(ours: Operated) -> None:
    ours.install(SEEDS / "testNetwork.yaml")
    with ours.operator():
        eventually(lambda: ours.reason("Ready") == "SecretNotFound")
        ours.admin.resource(SECRETS, "default").create(objects(SEEDS / "secret.yaml")[0])
        ours.bring_up()
    assert ours.reason("CredentialsReady") == "SecretFound"


def test_a_foreign_stateful_set_is_never_touched_and_the_network_is_built_once_it_is_gone(ours: Operated) -> None:
    ours.install(SEEDS / "secret.yaml")
    labels = {"mine": "yes"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"serviceName": "x", "replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    meta = {"name": STATEFUL_SET.name}
    body = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta, "spec": spec}
    foreign = ours.admin.resource(STATEFUL_SETS, "default").create(body)
    with ours.operator():
        ours.networks.create(objects(SEEDS / "testNetwork.yaml")[0])
        eventually(lambda: ours.reason("Conflict") == "ChildConflict")
        eventually(lambda: "ChildConflict" in ours.event_reasons())
        assert ours.admin.resource(STATEFUL_SETS).get(STATEFUL_SET).resource_version == foreign.resource_version
        ours.admin.resource(STATEFUL_SETS).delete(STATEFUL_SET)
        eventually(lambda: ours.reason("Conflict") == "NoConflict")
        ours.bring_up()


def test_without_the_definition_the_way_to_install_it_is_named(embedded: Operated) -> None:
    with pytest.raises(NotInstalled, match=r"btcctl crd \| kubectl apply -f -"):
        build_operator(embedded.controller, OPTIONS)


def test_an_operator_that_was_never_started_leaves_nothing_open(embedded: Operated) -> None:
    embedded.install()
    build_operator(embedded.controller, OPTIONS).stop()


def has(cluster: Operated, type_: object, key: ObjectKey) -> bool:
    try:
        return cluster.admin.resource(type_).get(key).deletion_timestamp is None  # type: ignore[arg-type]
    except NotFound:
        return False
