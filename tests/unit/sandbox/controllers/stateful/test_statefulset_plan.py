"""What a StatefulSet needs next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.apiserver.machinery.labels import matches_selector
from btcctl.objects import Object
from btcctl.sandbox.controllers.stateful.statefulset_plan import (
    CreatePod,
    DeletePod,
    PodState,
    SetSpec,
    build_pod,
    build_status,
    ordinal_of,
    plan,
    read_pod,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def spec(replicas: int, **fields: Any) -> SetSpec:
    return SetSpec(**{"replicas": replicas, "current_revision": "old", "update_revision": "new", **fields})


def pod(ordinal: int, **fields: Any) -> PodState:
    defaults = {"revision": "new", "phase": "Running", "ready": True, "available": True}
    return PodState(**{"name": f"net-{ordinal}", "uid": f"uid-{ordinal}", "ordinal": ordinal, **defaults, **fields})


def unready(ordinal: int, **fields: Any) -> PodState:
    return pod(ordinal, ready=False, available=False, **fields)


def create(ordinal: int, revision: str = "new") -> CreatePod:
    return CreatePod(ordinal, revision)


def delete(ordinal: int) -> DeletePod:
    return DeletePod(f"net-{ordinal}", f"uid-{ordinal}")


ORDERED = {
    "the first pod comes first": (spec(3), [], [create(0)]),
    "the next one waits for the one before": (spec(3), [unready(0)], []),
    "the next one comes when the one before is ready": (spec(3), [pod(0)], [create(1)]),
    "all there is nothing to do": (spec(2), [pod(0), pod(1)], []),
    "a gap is filled before anything above it": (spec(3), [pod(0), pod(2)], [create(1)]),
    "a pod that is not ready blocks scaling down": (spec(1), [unready(0), pod(1)], []),
    "a pod that goes blocks those above it": (spec(3), [pod(0, terminating=True), pod(1)], []),
    "the highest goes first": (spec(1), [pod(0), pod(1), pod(2)], [delete(2)]),
    "one goes at a time": (spec(0), [pod(0), pod(1), pod(2, terminating=True)], []),
    "one that was never ready goes too": (spec(1), [pod(0), pod(1), unready(2)], [delete(2)]),
    "a failed pod is replaced": (spec(2), [pod(0, phase="Failed"), pod(1)], [delete(0)]),
    "a failed pod that goes is waited for": (spec(2), [pod(0, phase="Failed", terminating=True), pod(1)], []),
    "ordinals may start higher": (spec(2, start=5), [pod(0)], [create(5)]),
    "pods below the start go": (spec(1, start=5), [pod(0), pod(5)], [delete(0)]),
    "an update starts at the top": (spec(2), [pod(0, revision="old"), pod(1, revision="old")], [delete(1)]),
    "an update waits for the new pod": (spec(2), [pod(0, revision="old"), unready(1)], []),
    "an update goes on below": (spec(2), [pod(0, revision="old"), pod(1)], [delete(0)]),
    "the partition is not updated": (spec(2, partition=1), [pod(0, revision="old"), pod(1)], []),
    "a pod of the partition comes back as it was": (spec(2, partition=1), [pod(1)], [create(0, "old")]),
    "a partition counts from the start": (spec(2, start=5, partition=1), [pod(6)], [create(5, "old")]),
    "a partition beyond the end updates nothing": (spec(1, partition=9), [pod(0, revision="old")], []),
    "OnDelete deletes nothing": (spec(1, rolling=False), [pod(0, revision="old")], []),
    "OnDelete creates what is new": (spec(1, rolling=False, partition=0), [], [create(0, "new")]),
    "scaling down comes before updating": (spec(1), [pod(0, revision="old"), pod(1)], [delete(1)]),
}


@pytest.mark.parametrize(("wanted", "pods", "actions"), ORDERED.values(), ids=ORDERED)
def test_in_order(wanted, pods, actions):
    assert plan(wanted, pods) == actions


PARALLEL = {
    "all come at once": (3, [], [create(0), create(1), create(2)]),
    "nobody waits for an unready one": (3, [unready(0)], [create(1), create(2)]),
    "all go at once": (1, [pod(0), pod(1), unready(2)], [delete(2), delete(1)]),
    "those that go are left alone": (0, [pod(0, terminating=True)], []),
    "updates still go one by one": (2, [pod(0, revision="old"), pod(1, revision="old")], [delete(1)]),
    "a failed pod is replaced": (1, [pod(0, phase="Failed")], [delete(0)]),
}


@pytest.mark.parametrize(("replicas", "pods", "actions"), PARALLEL.values(), ids=PARALLEL)
def test_in_parallel(replicas, pods, actions):
    assert plan(spec(replicas, ordered=False), pods) == actions


@st.composite
def situations(draw):
    wanted = spec(
        draw(st.integers(0, 5)),
        start=draw(st.integers(0, 2)),
        ordered=draw(st.booleans()),
        rolling=draw(st.booleans()),
        partition=draw(st.integers(0, 6)),
    )
    ordinals = draw(st.sets(st.integers(0, 8)))
    ready = draw(st.tuples(*(st.booleans() for _ in ordinals)))
    pods = [
        pod(
            ordinal,
            revision=draw(st.sampled_from(["old", "new", ""])),
            phase=draw(st.sampled_from(["Pending", "Running", "Running", "Failed", "Succeeded"])),
            ready=is_ready,
            available=is_ready and draw(st.booleans()),
            terminating=draw(st.booleans()),
        )
        for ordinal, is_ready in zip(ordinals, ready, strict=True)
    ]
    return wanted, pods


@given(situations())
def test_in_order_at_most_one_thing_happens_and_only_above_settled_pods(situation):
    wanted, pods = situation
    wanted = replace(wanted, ordered=True)
    actions = plan(wanted, pods)
    assert len(actions) <= 1
    settled = {each.ordinal for each in pods if each.settled}
    for action in actions:
        if isinstance(action, CreatePod):
            assert settled >= {each for each in wanted.ordinals if each < action.ordinal}


@given(situations())
def test_a_wanted_pod_is_deleted_only_if_it_has_ended_or_is_outdated(situation):
    wanted, pods = situation
    by_uid = {each.uid: each for each in pods}
    for action in plan(wanted, pods):
        if isinstance(action, DeletePod):
            gone = by_uid[action.uid]
            outdated = wanted.rolling and gone.revision != "new"
            assert not gone.terminating
            assert gone.ordinal not in wanted.ordinals or gone.finished or outdated


@given(situations())
def test_nothing_is_created_twice_nor_outside_the_wanted_ordinals(situation):
    wanted, pods = situation
    created = [action.ordinal for action in plan(wanted, pods) if isinstance(action, CreatePod)]
    assert len(set(created)) == len(created)
    assert set(created) <= set(wanted.ordinals) - {each.ordinal for each in pods}


def after(pods: list[PodState], actions: list[CreatePod | DeletePod]) -> list[PodState]:
    """Those that were told to go have gone, and those that came are ready."""
    deleted = {action.uid for action in actions if isinstance(action, DeletePod)}
    created = [pod(action.ordinal, revision=action.revision) for action in actions if isinstance(action, CreatePod)]
    return [each for each in pods if each.uid not in deleted] + created


@given(situations())
def test_a_set_whose_pods_behave_reaches_what_is_wanted_and_rests(situation):
    wanted, pods = situation
    pods = [
        each if each.finished else replace(each, phase="Running", ready=True, available=True)
        for each in pods
        if not each.terminating
    ]
    for _ in range(40):
        actions = plan(wanted, pods)
        if not actions:
            break
        pods = after(pods, actions)
    assert actions == []
    assert {each.ordinal for each in pods} == set(wanted.ordinals)
    updated = wanted.ordinals[wanted.partition :] if wanted.rolling else []
    assert all(each.revision == "new" for each in pods if each.ordinal in updated)


def test_zero_counters_are_absent_but_for_two():
    assert build_status(spec(3), [], generation=1) == {
        "observedGeneration": 1,
        "replicas": 0,
        "currentRevision": "old",
        "updateRevision": "new",
        "collisionCount": 0,
        "availableReplicas": 0,
    }


def test_a_pod_that_goes_counts_as_a_replica_but_not_as_one_of_its_revision():
    status = build_status(spec(2, current_revision="new"), [pod(0), pod(1, terminating=True)], generation=3)
    assert (status["replicas"], status["readyReplicas"], status["availableReplicas"]) == (2, 2, 2)
    assert (status["currentReplicas"], status["updatedReplicas"]) == (1, 1)


def test_the_update_becomes_current_when_every_pod_is_ready():
    assert build_status(spec(2), [pod(0), unready(1)], generation=1)["currentRevision"] == "old"
    status = build_status(spec(2), [pod(0), pod(1)], generation=1)
    assert (status["currentRevision"], status["currentReplicas"]) == ("new", 2)


def test_a_partitioned_update_stays_unfinished():
    status = build_status(spec(2, partition=1), [pod(0, revision="old"), pod(1)], generation=1)
    assert (status["currentRevision"], status["currentReplicas"], status["updatedReplicas"]) == ("old", 1, 1)


def test_the_spec_is_read_with_the_apis_defaults():
    assert SetSpec.of({"spec": {}}, current_revision="a", update_revision="b") == SetSpec(1, "a", "b")
    body = {
        "replicas": 4,
        "podManagementPolicy": "Parallel",
        "ordinals": {"start": 2},
        "updateStrategy": {"type": "OnDelete"},
    }
    expected = SetSpec(4, "a", "b", start=2, ordered=False, rolling=False)
    assert SetSpec.of({"spec": body}, current_revision="a", update_revision="b") == expected


def running(since: str | None) -> Object:
    conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": since}] if since else []
    metadata = {"name": "net-7", "uid": "u", "labels": {"controller-revision-hash": "new"}}
    return Object.from_body({"metadata": metadata, "status": {"phase": "Running", "conditions": conditions}})


def test_a_pod_is_available_once_it_was_ready_for_long_enough():
    ready = running("2025-12-31T23:59:55Z")
    assert read_pod(ready, min_ready_seconds=5, wall_time=NOW) == PodState(
        "net-7", "u", 7, "new", "Running", ready=True, available=True
    )
    assert not read_pod(ready, min_ready_seconds=6, wall_time=NOW).available
    assert not read_pod(running(None), wall_time=NOW).ready


@pytest.mark.parametrize(
    ("name", "ordinal"),
    [
        ("net-0", 0),
        ("net-12", 12),
        ("net-", None),
        ("net-01", None),
        ("net", None),
        ("other-1", None),
        ("a-net-1", None),
    ],
)
def test_the_ordinal_is_in_the_name(name, ordinal):
    assert ordinal_of("net", name) == ordinal


def test_a_pod_gets_its_identity():
    stateful_set = {"metadata": {"name": "net", "namespace": "ns", "uid": "u"}, "spec": {"serviceName": "svc"}}
    template = {"metadata": {"labels": {"app": "net"}, "annotations": {"a": "b"}}, "spec": {"containers": []}}
    built = build_pod(stateful_set, template, 3, "net-abc")
    assert built["metadata"]["labels"] == {
        "app": "net",
        "apps.kubernetes.io/pod-index": "3",
        "controller-revision-hash": "net-abc",
        "statefulset.kubernetes.io/pod-name": "net-3",
    }
    assert (built["metadata"]["name"], built["metadata"]["generateName"]) == ("net-3", "net-")
    assert built["metadata"]["annotations"] == {"a": "b"}
    assert built["spec"] == {"containers": [], "hostname": "net-3", "subdomain": "svc"}


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ({}, True),
        ({"matchLabels": {"app": "net"}}, True),
        ({"matchLabels": {"app": "other"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["net", "x"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["net"]}]}, False),
        ({"matchExpressions": [{"key": "gone", "operator": "NotIn", "values": ["net"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, False),
    ],
)
def test_selectors(selector, matches):
    assert matches_selector(selector, {"app": "net"}) is matches


def test_a_claim_takes_the_place_of_a_volume_of_its_name():
    claims = [{"metadata": {"name": "data"}}]
    stateful_set = {"metadata": {"name": "s", "namespace": "n"}, "spec": {"volumeClaimTemplates": claims}}
    template = {"spec": {"volumes": [{"name": "data", "emptyDir": {}}, {"name": "other", "emptyDir": {}}]}}
    volumes = build_pod(stateful_set, template, 0, "r")["spec"]["volumes"]
    assert [(each["name"], "persistentVolumeClaim" in each) for each in volumes] == [("data", True), ("other", False)]
