"""Jobs, over a store without sockets; the test is their kubelet."""

from __future__ import annotations

from typing import Any

import pytest

from btcctl.clock import rfc3339
from btcctl.objects import ObjectKey
from btcctl.resources import JOBS, PODS
from btcctl.sandbox.controllers.claims import by_controller
from btcctl.sandbox.controllers.jobs.indexes import INDEX, format_indexes, parse_indexes
from btcctl.sandbox.controllers.jobs.job import CONTROLLER_INDEX, JobReconciler
from btcctl.sandbox.controllers.jobs.job_plan import judge
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import FakeClient
from tests.unit.sandbox.fakes import FakeRecorder, LiveLister

KEY = ObjectKey("default", "work")


def job(**spec: Any) -> dict[str, Any]:
    pod = {"restartPolicy": "Never", "nodeName": "n", "containers": [{"name": "c", "image": "i"}]}
    head = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "work", "namespace": "default"}}
    return {**head, "spec": {"template": {"spec": pod}, **spec}}


class Scene:
    def __init__(self, **spec: Any) -> None:
        self.clock = FakeClock()
        self.client = FakeClient(clock=self.clock)
        self.jobs, self.pods = self.client.resource(JOBS, "default"), self.client.resource(PODS, "default")
        self.jobs.create(job(**spec))
        self.cache = LiveLister(self.pods, **{CONTROLLER_INDEX: by_controller})
        self.recorder = FakeRecorder()
        self.reconciler = JobReconciler(self.client, LiveLister(self.jobs), self.cache, self.recorder, clock=self.clock)

    def turn(self, turns: int = 3) -> float | None:
        after = None
        for _ in range(turns):
            after = self.reconciler.reconcile(KEY).requeue_after
        return after

    def active(self) -> list[str]:
        return [
            pod.name
            for pod in self.pods.list()[0]
            if (pod.body().get("status") or {}).get("phase") in {None, "Pending", "Running"}
        ]

    def end(self, name: str, phase: str) -> None:
        now = rfc3339(self.clock.wall_time())
        terminated = {"exitCode": 0 if phase == "Succeeded" else 1, "finishedAt": now}
        status = {"name": "c", "image": "i", "imageID": "", "ready": False, "restartCount": 0}
        change = {"phase": phase, "containerStatuses": [{**status, "state": {"terminated": terminated}}]}
        self.pods.patch(ObjectKey("default", name), {"status": change}, subresource="status")

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.jobs.get(KEY).body()["status"]
        return found

    def conditions(self) -> dict[str, str]:
        return {each["type"]: each.get("reason", "") for each in self.status().get("conditions") or []}


def test_a_job_runs_one_pod_to_its_end():
    scene = Scene()
    scene.turn()
    (name,) = scene.active()
    assert scene.status()["active"] == 1
    scene.end(name, "Succeeded")
    scene.turn()
    assert scene.status()["succeeded"] == 1
    assert list(scene.conditions()) == ["SuccessCriteriaMet", "Complete"]
    assert scene.pods.get(ObjectKey("default", name)).body()["metadata"].get("finalizers") is None
    assert "Completed" in scene.recorder.reasons


def test_as_many_run_at_once_as_may_and_no_more_than_are_wanted():
    scene = Scene(completions=3, parallelism=2)
    scene.turn()
    assert len(scene.active()) == 2
    for name in scene.active():
        scene.end(name, "Succeeded")
    scene.turn()
    assert len(scene.active()) == 1
    scene.end(scene.active()[0], "Succeeded")
    scene.turn()
    assert (scene.status()["succeeded"], "Complete" in scene.conditions()) == (3, True)


def test_a_pod_that_fails_is_replaced_after_a_while_until_there_were_too_many():
    scene = Scene(backoffLimit=1)
    scene.turn()
    scene.end(scene.active()[0], "Failed")
    wait = scene.turn()
    assert scene.active() == []
    assert wait is not None
    scene.clock.advance(wait + 1)
    scene.turn()
    scene.end(scene.active()[0], "Failed")
    scene.turn()
    assert scene.conditions() == {"FailureTarget": "BackoffLimitExceeded", "Failed": "BackoffLimitExceeded"}
    assert scene.status()["failed"] == 2


def test_a_pod_is_counted_once_although_somebody_deletes_it():
    scene = Scene(completions=2, parallelism=1)
    scene.turn()
    (name,) = scene.active()
    scene.end(name, "Succeeded")
    scene.pods.delete(ObjectKey("default", name), grace_period_seconds=0)
    scene.turn(5)
    assert scene.status()["succeeded"] == 1
    assert name not in [pod.name for pod in scene.pods.list()[0]]


def test_a_suspended_job_runs_nothing():
    scene = Scene(suspend=True)
    scene.turn()
    assert scene.active() == []
    assert "Suspended" in scene.conditions()
    scene.jobs.patch(KEY, {"spec": {"suspend": False}})
    scene.turn()
    assert len(scene.active()) == 1
    assert scene.conditions()["Suspended"] == "JobResumed"


def test_a_job_that_takes_too_long_has_failed():
    scene = Scene(activeDeadlineSeconds=60)
    assert scene.turn() == pytest.approx(60, abs=1)
    scene.clock.advance(61)
    scene.turn(2)
    for pod in scene.pods.list()[0]:
        scene.pods.delete(pod.key, grace_period_seconds=0)
    scene.turn(4)
    assert scene.conditions()["Failed"] == "DeadlineExceeded"


def test_a_finished_job_is_forgotten_when_it_says_so():
    scene = Scene(ttlSecondsAfterFinished=10)
    scene.turn()
    scene.end(scene.active()[0], "Succeeded")
    assert scene.turn() == pytest.approx(10, abs=1)
    scene.clock.advance(11)
    scene.turn(1)
    assert scene.jobs.list()[0] == []


def test_pods_of_a_job_that_is_gone_do_not_wait_to_be_counted():
    scene = Scene()
    scene.turn()
    (name,) = scene.active()
    scene.jobs.delete(KEY, propagation_policy="Background")
    scene.turn(1)
    assert scene.pods.get(ObjectKey("default", name)).body()["metadata"].get("finalizers") is None


def test_a_pod_that_is_not_shown_yet_is_not_made_once_more():
    scene = Scene()
    scene.cache.freeze()
    scene.turn()
    assert len(scene.pods.list()[0]) == 1


class TestAnIndexedJob:
    @pytest.fixture
    def scene(self):
        scene = Scene(completionMode="Indexed", completions=3, parallelism=2)
        scene.turn()
        return scene

    def indexes(self, scene):
        return {(pod := scene.pods.get(ObjectKey("default", name))).labels[INDEX]: pod.name for name in scene.active()}

    def test_has_a_pod_for_each_index_the_lowest_first(self, scene):
        found = self.indexes(scene)
        assert sorted(found) == ["0", "1"]
        assert all(name.startswith(f"work-{index}-") for index, name in found.items())
        spec = scene.pods.get(ObjectKey("default", found["1"])).body()["spec"]
        assert spec["hostname"] == "work-1"
        assert spec["containers"][0]["env"][0]["name"] == "JOB_COMPLETION_INDEX"

    def test_goes_on_with_the_next_index_and_is_complete_when_all_have_succeeded(self, scene):
        scene.end(self.indexes(scene)["1"], "Succeeded")
        scene.turn()
        assert sorted(self.indexes(scene)) == ["0", "2"]
        assert (scene.status()["completedIndexes"], scene.status()["succeeded"]) == ("1", 1)
        for name in scene.active():
            scene.end(name, "Succeeded")
        scene.turn()
        assert (scene.status()["completedIndexes"], scene.status()["succeeded"]) == ("0-2", 3)
        assert "Complete" in scene.conditions()
        assert not any("finalizers" in pod.body()["metadata"] for pod in scene.pods.list()[0])

    def test_tries_an_index_again_that_failed(self, scene):
        scene.end(self.indexes(scene)["0"], "Failed")
        wait = scene.turn()
        assert sorted(self.indexes(scene)) == ["1"]
        scene.clock.advance(wait + 1)
        scene.turn()
        assert sorted(self.indexes(scene)) == ["0", "1"]


@pytest.mark.parametrize(
    ("indexes", "text"), [((), ""), ((0,), "0"), ((0, 1), "0,1"), ((0, 1, 2), "0-2"), ((5, 1, 3, 2), "1-3,5")]
)
def test_indexes_are_written_as_a_status_has_them(indexes, text):
    assert format_indexes(indexes) == text
    assert parse_indexes(text) == set(indexes)


def test_containers_that_are_started_again_in_place_count_as_failures():
    scene = Scene(backoffLimit=2)
    scene.jobs.delete(KEY)
    body = job(backoffLimit=2)
    body["spec"]["template"]["spec"]["restartPolicy"] = "OnFailure"
    scene.jobs.create(body)
    scene.turn()
    (name,) = scene.active()
    status = {"name": "c", "image": "i", "imageID": "", "ready": False, "restartCount": 2}
    change = {"phase": "Running", "containerStatuses": [status]}
    scene.pods.patch(ObjectKey("default", name), {"status": change}, subresource="status")
    scene.turn(1)
    assert scene.conditions()["FailureTarget"] == "BackoffLimitExceeded"


def test_what_is_not_done_is_said():
    scene = Scene(successPolicy={"rules": [{"succeededCount": 1}]}, completionMode="Indexed", completions=1)
    scene.turn(1)
    assert scene.recorder.events[0][2] == "the sandbox takes no notice of successPolicy"


def test_a_settled_job_is_not_written():
    scene = Scene()
    scene.turn()
    scene.client.clear_actions()
    scene.turn(1)
    assert scene.client.writes == []


def test_a_pod_that_is_named_already_is_not_named_twice():
    scene = Scene()
    scene.turn()
    (name,) = scene.active()
    scene.end(name, "Succeeded")
    pods = [pod.body() for pod in scene.pods.list()[0]]
    named = judge(scene.jobs.get(KEY).body(), pods, scene.clock.wall_time())
    again = judge({**scene.jobs.get(KEY).body(), "status": named.status}, pods, scene.clock.wall_time())
    assert again.status["uncountedTerminatedPods"] == {"succeeded": [pods[0]["metadata"]["uid"]]}
