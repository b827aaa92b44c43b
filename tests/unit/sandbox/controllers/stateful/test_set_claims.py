"""The claims of a StatefulSet's pods: made before them, and owned as the retention policy says."""

from __future__ import annotations

from typing import Any

import pytest

from btcctl.objects import Object, ObjectKey
from btcctl.sandbox.controllers.stateful.set_claims import wanted_owners
from btcctl.sandbox.controllers.stateful.statefulset_plan import PodState
from tests.unit.sandbox.controllers.stateful.test_statefulset import Scene, stateful_set

CLAIM = {
    "metadata": {"name": "data", "labels": {"of": "template"}},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


def scene(replicas: int = 2, **policy: str) -> Scene:
    more: dict[str, Any] = {"persistentVolumeClaimRetentionPolicy": policy} if policy else {}
    made = Scene(stateful_set(replicas, volumeClaimTemplates=[CLAIM], podManagementPolicy="Parallel", **more))
    made.reconcile()
    return made


def claim(made: Scene, ordinal: int = 0) -> Object:
    return made.claims.get(ObjectKey("default", f"data-net-{ordinal}"))


def owners(made: Scene, ordinal: int = 0) -> list[tuple[str, str]]:
    return [(each.kind, each.name) for each in claim(made, ordinal).owner_references]


def test_each_pod_has_a_claim_of_its_own_as_a_volume():
    made = scene()
    assert sorted(each.name for each in made.claims.list()[0]) == ["data-net-0", "data-net-1"]
    volumes = made.pods.get(ObjectKey("default", "net-1")).body()["spec"]["volumes"]
    assert volumes[0] == {"name": "data", "persistentVolumeClaim": {"claimName": "data-net-1"}}
    assert claim(made).labels == {"of": "template", "app": "net"}


def test_a_claims_volume_takes_the_place_of_the_templates():
    template = {"metadata": {"labels": {"app": "net"}}, "spec": {"containers": [{"name": "c", "image": "one"}]}}
    template["spec"]["volumes"] = [{"name": "data", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}]
    made = Scene(stateful_set(1, volumeClaimTemplates=[CLAIM], template=template))
    made.reconcile()
    volumes = made.pods.get(ObjectKey("default", "net-0")).body()["spec"]["volumes"]
    assert [(each["name"], "emptyDir" in each) for each in volumes] == [("data", False), ("tmp", True)]


def test_a_pod_that_comes_again_has_the_claim_it_had():
    made = scene()
    before = claim(made).uid
    made.pods.delete(ObjectKey("default", "net-0"), grace_period_seconds=0)
    made.settle(3)
    assert (claim(made).uid, made.names()) == (before, ["net-0", "net-1"])


@pytest.mark.parametrize(
    ("policy", "kept", "scaled_away"),
    [
        ({}, [], []),
        ({"whenDeleted": "Retain", "whenScaled": "Retain"}, [], []),
        ({"whenDeleted": "Delete", "whenScaled": "Retain"}, [("StatefulSet", "net")], [("StatefulSet", "net")]),
        ({"whenDeleted": "Retain", "whenScaled": "Delete"}, [], [("Pod", "net-1")]),
        ({"whenDeleted": "Delete", "whenScaled": "Delete"}, [("StatefulSet", "net")], [("Pod", "net-1")]),
    ],
)
def test_a_claim_belongs_to_whoever_takes_it_along(policy, kept, scaled_away):
    made = scene(**policy)
    made.settle(2)
    assert owners(made, 1) == kept
    made.change(replicas=1)
    made.reconcile()
    assert (owners(made, 0), owners(made, 1)) == (kept, scaled_away)


def test_another_policy_gives_claims_other_owners():
    made = scene(whenDeleted="Delete", whenScaled="Delete")
    made.settle(2)
    made.change(persistentVolumeClaimRetentionPolicy={"whenDeleted": "Retain", "whenScaled": "Retain"})
    made.reconcile()
    assert owners(made) == []


def test_what_others_own_of_a_claim_stays_theirs():
    foreign = {"apiVersion": "v1", "kind": "ConfigMap", "name": "other", "uid": "x"}
    set_ = {"metadata": {"name": "net", "uid": "s"}, "spec": {}}
    pod = PodState("net-1", "p", 1, "r")
    known = [
        foreign,
        {"kind": "StatefulSet", "name": "net", "uid": "s"},
        {"kind": "Pod", "name": "net-1", "uid": "old"},
    ]
    assert wanted_owners(set_, Object.from_body(set_), pod, known, is_surplus=True) == [foreign]


def test_no_pod_is_made_on_a_claim_that_is_going():
    made = scene()
    made.settle(2)
    made.claims.delete(claim(made, 1).key)
    made.pods.delete(ObjectKey("default", "net-1"), grace_period_seconds=0)
    made.reconcile()
    assert made.names() == ["net-0"]
    made.claims.patch(claim(made, 1).key, {"metadata": {"finalizers": None}})
    made.reconcile()
    assert (made.names(), claim(made, 1).deletion_timestamp) == (["net-0", "net-1"], None)


def test_a_settled_set_leaves_its_claims_alone():
    made = scene(whenDeleted="Delete", whenScaled="Delete")
    made.settle()
    made.client.clear_actions()
    made.reconcile()
    assert made.client.writes == []


def test_a_claim_leads_to_the_set_that_uses_it():
    made = scene()
    assert made.reconciler.keys_of_claim(claim(made, 1)) == [ObjectKey("default", "net")]
