"""How many pods each ReplicaSet of a Deployment has next."""

from __future__ import annotations

from typing import Any

import pytest

from btcctl.sandbox.controllers.replicas.deployment_plan import (
    DESIRED,
    HISTORY,
    MAXIMUM,
    REVISION,
    Rollout,
    annotations_of_new,
    find_new,
    forgotten,
    is_scaling,
    scaled_sizes,
    size_of_new,
    smaller_old,
)


def deployment(replicas: int = 4, **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "new"}]}}
    return {"metadata": {"name": "d"}, "spec": {"replicas": replicas, "template": template, **spec}}


def rolling(surge: int | str, unavailable: int | str) -> dict[str, Any]:
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}


def replica_set(name: str, size: int, available: int | None = None, **annotations: str) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": name}]}}
    there = size if available is None else available
    return {
        "metadata": {"name": name, "creationTimestamp": f"2026-01-01T00:00:0{name[-1]}Z", "annotations": annotations},
        "spec": {"replicas": size, "template": template},
        "status": {"replicas": size, "availableReplicas": there},
    }


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "most", "least"),
    [
        (4, "25%", "25%", 5, 3),
        (10, "25%", "25%", 13, 8),
        (1, "25%", "25%", 2, 1),
        (3, 0, 0, 3, 2),
        (3, 2, 1, 5, 2),
        (2, 0, 5, 2, 0),
        (0, "25%", "25%", 0, 0),
    ],
)
def test_shares_are_rounded_in_favour_of_running_pods(replicas, surge, unavailable, most, least):
    rollout = Rollout.of(deployment(replicas, strategy=rolling(surge, unavailable)))
    assert (rollout.most, rollout.least_available) == (most, least)


@pytest.mark.parametrize(("new", "others", "wanted"), [(0, 4, 1), (1, 4, 1), (1, 3, 2), (0, 0, 4), (6, 0, 4)])
def test_the_new_set_grows_into_the_room_there_is(new, others, wanted):
    assert size_of_new(Rollout.of(deployment()), new, others) == wanted


def test_with_recreate_the_new_set_is_whole_at_once():
    assert size_of_new(Rollout.of(deployment(strategy={"type": "Recreate"})), 0, 0) == 4


def test_old_pods_go_as_new_ones_become_available():
    rollout = Rollout.of(deployment())
    assert smaller_old(rollout, replica_set("s2", 1, 0), [replica_set("s1", 4)]) == {"s1": 3}
    assert smaller_old(rollout, replica_set("s2", 2, 0), [replica_set("s1", 3)]) == {}
    assert smaller_old(rollout, replica_set("s2", 2, 2), [replica_set("s1", 3)]) == {"s1": 1}


def test_old_pods_that_do_not_work_go_first():
    rollout = Rollout.of(deployment(strategy=rolling(1, 0)))
    assert smaller_old(rollout, replica_set("s3", 1, 1), [replica_set("s1", 2), replica_set("s2", 2, 0)]) == {"s2": 1}


def test_pods_that_do_not_work_are_not_more_than_may_go():
    rollout = Rollout.of(deployment(strategy=rolling(0, 1)))
    assert smaller_old(rollout, replica_set("s2", 0), [replica_set("s1", 4, 0)]) == {"s1": 3}


def test_new_pods_that_are_not_available_make_no_room_for_old_ones_to_go():
    assert smaller_old(Rollout.of(deployment()), replica_set("s2", 1, 0), [replica_set("s1", 4, 2)]) == {"s1": 3}


def test_a_deployment_of_another_size_scales_its_only_set():
    sets = replica_set("s1", 2, **{DESIRED: "2"})
    assert is_scaling(deployment(5), [sets])
    assert not is_scaling(deployment(2), [sets])
    assert scaled_sizes(deployment(5), sets, []) == {"s1": 5}


def test_sets_scale_in_proportion_in_the_middle_of_a_rollout():
    strategy = rolling(3, 2)
    old = replica_set("s1", 8, **{MAXIMUM: "13"})
    new = replica_set("s2", 5, 0, **{MAXIMUM: "13"})
    assert scaled_sizes(deployment(15, strategy=strategy), new, [old]) == {"s1": 11, "s2": 7}
    assert scaled_sizes(deployment(5, strategy=strategy), new, [old]) == {"s1": 5, "s2": 3}


def test_old_sets_vanish_once_the_new_one_is_whole():
    new = replica_set("s2", 4, 4, **{DESIRED: "4"})
    assert scaled_sizes(deployment(4), new, [replica_set("s1", 1)]) == {"s1": 0}


def test_the_set_of_the_template_is_found_whatever_labels_it_was_given():
    new, old = replica_set("new", 1), replica_set("s1", 1)
    new["metadata"]["creationTimestamp"] = "2026-01-02T00:00:00Z"
    new["spec"]["template"]["metadata"]["labels"]["pod-template-hash"] = "xyz"
    assert find_new(deployment(), [old, new]) is new
    assert find_new(deployment(), [old]) is None


def test_a_set_that_becomes_new_again_has_the_highest_revision_and_remembers_its_own():
    old = [replica_set("s2", 0, **{REVISION: "2"}), replica_set("s3", 1, **{REVISION: "3"})]
    body = deployment()
    body["metadata"]["annotations"] = {"kubernetes.io/change-cause": "why", REVISION: "3"}
    found = annotations_of_new(body, replica_set("s1", 0, **{REVISION: "1"}), old)
    assert found == {REVISION: "4", HISTORY: "1", "kubernetes.io/change-cause": "why"}


def test_the_oldest_sets_are_forgotten_unless_they_have_pods():
    old = [replica_set(f"s{number}", 1 if number == 2 else 0, **{REVISION: str(number)}) for number in (3, 1, 2, 4)]
    gone = forgotten(deployment(revisionHistoryLimit=1), old)
    assert [each["metadata"]["name"] for each in gone] == ["s1", "s3"]
