"""What may change of a pod."""

from __future__ import annotations

import pytest

from btcctl.apiserver.kinds.pods.pod_updates import check_pod_update


def pod(**spec):
    return {"spec": {"containers": [{"name": "c", "image": "i"}], **spec}}


def fields(new, old):
    return [cause.field for cause in check_pod_update(new, old)]


@pytest.mark.parametrize(
    ("new", "old"),
    [
        (pod(), pod()),
        (pod(containers=[{"name": "c", "image": "j"}]), pod()),
        (pod(activeDeadlineSeconds=5), pod()),
        (pod(activeDeadlineSeconds=5), pod(activeDeadlineSeconds=9)),
        (pod(tolerations=[{"key": "a", "tolerationSeconds": 1}, {"key": "b"}]), pod(tolerations=[{"key": "a"}])),
        (pod(terminationGracePeriodSeconds=1), pod(terminationGracePeriodSeconds=-1)),
        (pod(), pod(schedulingGates=[{"name": "g"}])),
        (pod(nodeSelector={"a": "b"}, schedulingGates=[{"name": "g"}]), pod(schedulingGates=[{"name": "g"}])),
    ],
)
def test_little_may(new, old):
    assert check_pod_update(new, old) == []


@pytest.mark.parametrize(
    ("new", "old", "field"),
    [
        (pod(hostname="h"), pod(), "spec"),
        (pod(nodeSelector={"a": "b"}), pod(), "spec"),
        (pod(terminationGracePeriodSeconds=1), pod(terminationGracePeriodSeconds=5), "spec"),
        (pod(containers=[]), pod(), "spec.containers"),
        (pod(initContainers=[{"name": "d"}]), pod(), "spec.initContainers"),
        (pod(containers=[{"name": "c", "image": ""}]), pod(), "spec.containers[0].image"),
        (pod(containers=[{"name": "c", "image": " i"}]), pod(), "spec.containers[0].image"),
        (pod(activeDeadlineSeconds=9), pod(activeDeadlineSeconds=5), "spec.activeDeadlineSeconds"),
        (pod(), pod(activeDeadlineSeconds=5), "spec.activeDeadlineSeconds"),
        (pod(tolerations=[{"key": "b"}]), pod(tolerations=[{"key": "a"}]), "spec.tolerations"),
        (pod(schedulingGates=[{"name": "g"}]), pod(), "spec.schedulingGates[0].name"),
    ],
)
def test_most_may_not(new, old, field):
    assert fields(new, old) == [field]


def test_a_pod_that_may_not_be_scheduled_yet_keeps_the_nodes_it_asked_for():
    gated = {"schedulingGates": [{"name": "g"}]}
    old = pod(nodeSelector={"a": "b"}, **gated)
    assert fields(pod(nodeSelector={"a": "c"}, **gated), old) == ["spec.nodeSelector"]


def test_it_is_said_what_else_would_have_changed():
    (cause,) = check_pod_update(pod(hostname="h", containers=[{"name": "c", "image": "j"}]), pod())
    lines = [line.strip() for line in cause.message.splitlines() if line[:1] in "+-"]
    assert lines == ['- "Hostname": "",', '+ "Hostname": "h",']


def test_a_pod_that_waits_may_change_nodes_but_not_neighbours():
    gate, nodes = [{"name": "g"}], {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}
    assert fields(pod(affinity=nodes, schedulingGates=gate), pod(schedulingGates=gate)) == []
    assert fields(pod(affinity={**nodes, "podAffinity": {}}, schedulingGates=gate), pod(schedulingGates=gate)) == [
        "spec"
    ]
