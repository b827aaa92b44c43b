"""The kubelet, over a store without sockets and processes that are not there."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from btcctl.errors import ConfigError, InternalError
from btcctl.objects import Object, ObjectKey
from btcctl.resources import PERSISTENT_VOLUME_CLAIMS, PODS
from btcctl.sandbox.kubelet.kubelet import (
    ADMISSION_RETRY_SECONDS,
    CLAIM_RETRY_SECONDS,
    STALE_RETRY_SECONDS,
    Kubelet,
    KubeletOptions,
    unsupported,
)
from btcctl.sandbox.kubelet.pods.checks import Answer
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import FakeClient
from btcctl.threads import Runner
from tests.unit.sandbox.fakes import FakeCommand, FakeProcesses, FakeRecorder, LiveLister

KEY = ObjectKey("default", "p")
PROBE = {"httpGet": {"port": "web"}, "periodSeconds": 1, "failureThreshold": 1}


def pod(name: str = "p", *, node: str = "here", **container: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"nodeName": node, "containers": [{"name": "c", "image": "x", **container}]},
    }


class FakeAddresses:
    """Counts up, until there are no more."""

    def __init__(self) -> None:
        self.ports: list[list[int]] = []
        self.taken = False

    def allocate(self, ports: list[int]) -> str:
        if self.taken:
            raise ConfigError("port 8080 is taken")
        self.ports.append(ports)
        return f"127.9.0.{len(self.ports) + 1}"


class Scene:
    """A kubelet and all it meets."""

    def __init__(self, directory: Path, *objects: dict[str, Any]) -> None:
        self.clock = FakeClock()
        self.client = FakeClient(*objects, clock=self.clock)
        self.pods = self.client.resource(PODS)
        self.cache = LiveLister(self.pods)
        self.processes, self.addresses, self.recorder = FakeProcesses(), FakeAddresses(), FakeRecorder()
        self.answer = Answer(True)
        self.commands: list[dict[str, str]] = []
        self.data_dirs: list[Path] = []
        self.directory = directory / "pods"
        self.kubelet = Kubelet(
            client=self.client,
            pods=self.cache,
            processes=self.processes,
            addresses=self.addresses,
            recorder=self.recorder,
            options=KubeletOptions(
                "here", self.directory, directory / "volumes", self.command_for, check=lambda *_: self.answer
            ),
            clock=self.clock,
        )
        self.processes.on_exit = self.kubelet.exits.ended

    def command_for(self, pod: Any, container: Any, env: dict[str, str], ip: str, data_dir: Path) -> FakeCommand:
        self.commands.append({**env, "ip": ip})
        self.data_dirs.append(data_dir)
        return FakeCommand(("run", container["name"]))

    def reconcile(self, key: ObjectKey = KEY) -> float | None:
        return self.kubelet.reconcile(key).requeue_after

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.reconcile()

    def pod(self) -> Object:
        return self.pods.get(KEY)

    def status(self) -> dict[str, Any]:
        return self.pod().body()["status"]

    def conditions(self) -> dict[str, str]:
        return {each["type"]: each["status"] for each in self.status()["conditions"]}


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path, pod())


@pytest.fixture
def probed(tmp_path: Path) -> Scene:
    return Scene(tmp_path, pod(readinessProbe=PROBE, ports=[{"name": "web", "containerPort": 8080}]))


@pytest.fixture
def running(scene: Scene) -> Scene:
    scene.reconcile()
    return scene


def test_a_pod_becomes_a_process_with_an_address_of_its_own(scene):
    assert scene.reconcile() is None
    status = scene.status()
    assert (status["phase"], status["podIP"], status["hostIP"]) == ("Running", "127.9.0.2", "127.0.0.1")
    assert set(scene.conditions().values()) == {"True"}
    assert scene.processes.running == {100: ["run", "c"]}
    assert scene.commands == [{"HOSTNAME": "p", "ip": "127.9.0.2"}]


def test_the_ports_of_the_containers_must_be_free(probed):
    probed.reconcile()
    assert probed.addresses.ports == [[8080]]


def test_a_pod_waits_for_an_address_and_says_so(scene):
    scene.addresses.taken = True
    assert scene.reconcile() == ADMISSION_RETRY_SECONDS
    assert scene.recorder.events == [("Warning", "FailedCreatePodSandBox", "port 8080 is taken")]
    scene.addresses.taken = False
    scene.reconcile()
    assert scene.status()["phase"] == "Running"


@pytest.mark.parametrize("node", ["", "elsewhere"])
def test_pods_of_no_node_or_another_are_left_alone(tmp_path, node):
    scene = Scene(tmp_path, pod(node=node))
    scene.reconcile()
    assert scene.processes.running == {}


def test_a_settled_pod_is_not_written_again(probed):
    probed.reconcile()
    probed.pass_time(0.5)
    probed.client.clear_actions()
    probed.pass_time(1.0)
    assert probed.client.writes == []


def test_readiness_follows_the_probe(probed):
    probed.answer = Answer(False, "statuscode: 503")
    assert probed.reconcile() == 0.5
    probed.pass_time(0.5)
    assert (probed.conditions()["Ready"], probed.conditions()["Initialized"]) == ("False", "True")
    probed.answer = Answer(True)
    probed.pass_time(1.0)
    assert probed.conditions()["Ready"] == "True"
    assert probed.recorder.reasons == ["Started", "Unhealthy"]


def test_a_process_that_ends_is_replaced_and_counted(running):
    running.processes.end(100, 1)
    assert running.kubelet.controller.queue.get() == KEY
    running.reconcile()
    (container,) = running.status()["containerStatuses"]
    assert (container["restartCount"], container["lastState"]["terminated"]["exitCode"]) == (1, 1)
    assert running.status()["podIP"] == "127.9.0.2"


def test_a_missing_secret_is_said_and_waited_for(tmp_path):
    reference = {"secretKeyRef": {"name": "login", "key": "user"}}
    scene = Scene(tmp_path, pod(env=[{"name": "USER", "valueFrom": reference}]))
    assert scene.reconcile() == 2.0
    (container,) = scene.status()["containerStatuses"]
    waiting = {"reason": "CreateContainerConfigError", "message": 'secret "login" not found'}
    assert (scene.status()["phase"], container["state"]["waiting"]) == ("Pending", waiting)
    scene.client.add(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}, "data": {"user": "YWxpY2U="}}
    )
    scene.pass_time(2.0)
    assert scene.commands == [{"HOSTNAME": "p", "USER": "alice", "ip": "127.9.0.2"}]


def test_a_pod_that_is_over_does_not_run_again_but_its_logs_are_there(tmp_path):
    ended = {
        "name": "c",
        "image": "x",
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "containerID": "process://u/c/0",
    }
    ended["state"] = {"terminated": {"exitCode": 0}}
    scene = Scene(tmp_path, pod())
    body = scene.pod().body()
    scene.pods.update_status({**body, "status": {"phase": "Succeeded", "containerStatuses": [ended]}})
    (log,) = [tmp_path / "pods" / f"default_p_{scene.pod().uid}" / "c" / "0.log"]
    log.parent.mkdir(parents=True)
    log.write_text("done\n")
    assert scene.reconcile() is None
    scene.reconcile()
    assert (scene.processes.running, scene.addresses.ports, scene.status()["phase"]) == ({}, [], "Succeeded")
    assert scene.kubelet.access.logs(KEY, "", {}) == b"done\n"


def test_a_deleted_pod_ends_with_grace_and_only_then_goes(running):
    running.processes.stubborn = True
    running.pods.delete(KEY, grace_period_seconds=5)
    assert running.reconcile() == 5.0
    assert running.processes.signals == [(100, signal.SIGTERM)]
    assert running.pod().deletion_timestamp is not None
    running.pass_time(5.0)
    running.reconcile()
    assert running.processes.signals[-1] == (100, signal.SIGKILL)
    assert [*running.pods.list()[0], *running.directory.glob("*")] == []
    assert running.recorder.reasons[-1] == "Killing"


def test_a_pod_that_goes_before_it_was_started_is_let_go(scene):
    scene.pods.delete(KEY)
    scene.reconcile()
    assert (scene.pods.list()[0], scene.processes.running) == ([], {})


def test_a_pod_that_went_without_waiting_is_killed(running):
    running.pods.delete(KEY, grace_period_seconds=0)
    running.reconcile()
    assert running.processes.signals == [(100, signal.SIGKILL)]
    running.reconcile()
    assert running.kubelet.address(KEY) is None


def test_a_new_pod_of_the_same_name_starts_after_the_old_one_has_ended(running):
    running.processes.signal = lambda pid, sig: None
    running.pods.delete(KEY, grace_period_seconds=0)
    running.client.add(pod())
    running.reconcile()
    assert [*running.processes.running] == [100]
    running.processes.end(100, -9)
    running.reconcile()
    assert [*running.processes.running] == [101]
    assert running.status()["podIP"] == "127.9.0.3"


def test_an_old_copy_of_the_pod_is_looked_at_again_soon(scene):
    scene.cache.freeze()
    scene.pods.patch(KEY, {"metadata": {"labels": {"a": "b"}}})
    assert scene.reconcile() == STALE_RETRY_SECONDS
    scene.cache.thaw()
    assert scene.reconcile() is None
    assert scene.status()["phase"] == "Running"


def test_an_api_server_that_is_ill_holds_up_no_process(scene):
    def refuse(action: Any) -> None:
        if action.verb == "update":
            raise InternalError(500, "InternalError", "not now")

    scene.client.reactors.append(refuse)
    assert scene.reconcile() == 1.0
    assert scene.processes.running == {100: ["run", "c"]}
    scene.client.reactors.clear()
    scene.reconcile()
    assert scene.status()["phase"] == "Running"


def test_a_quiet_restart_shows_nowhere(probed):
    probed.reconcile()
    probed.pass_time(0.5)
    before = probed.pod().resource_version
    with Runner("asker", lambda _: probed.kubelet.restart_quietly(KEY)):
        assert probed.kubelet.controller.queue.get() == KEY
        probed.reconcile()
        probed.reconcile()
        probed.pass_time(0.1)
    assert [*probed.processes.running] == [101]
    assert probed.pod().resource_version == before


def test_a_quiet_restart_that_does_not_come_to_an_end_is_said(running):
    failures: list[BaseException] = []

    def ask(_: Any) -> None:
        try:
            running.kubelet.restart_quietly(KEY, timeout=5.0)
        except TimeoutError as error:
            failures.append(error)

    with Runner("asker", ask):
        running.clock.wait_until_blocked()
        running.clock.advance(5.0)
    assert "default/p has not answered within 5 s" in str(failures)


def test_what_does_not_run_cannot_be_restarted(scene):
    with pytest.raises(ConfigError, match="default/p does not run on here"):
        scene.kubelet.restart_quietly(KEY)


def test_logs_are_those_of_the_last_run_or_the_one_before(running):
    first = running.processes.logs[0]
    first.parent.mkdir(parents=True, exist_ok=True)
    first.write_text("one\n")
    running.processes.end(100, 1)
    running.reconcile()
    running.processes.logs[1].write_text("two\n")
    assert running.kubelet.access.logs(KEY, "", {}) == b"two\n"
    assert running.kubelet.access.logs(KEY, "c", {"previous": ["true"]}) == b"one\n"
    assert b"kubectl exec" in running.kubelet.access.logs(KEY, "added-to-debug", {})
    assert running.kubelet.access.logs(ObjectKey("default", "none"), "", {}) is None


def test_what_has_no_effect_is_said():
    spec = {"volumes": [{"name": "config", "hostPath": {}}, {"name": "scratch", "emptyDir": {}}]}
    assert unsupported({"spec": spec}) == ["the volume config: nothing is mounted"]
    assert unsupported({"spec": {}}) == []


def claimed(name: str = "v") -> dict[str, Any]:
    body = pod(volumeMounts=[{"name": "v", "mountPath": "/data"}])
    body["spec"]["volumes"] = [{"name": name, "persistentVolumeClaim": {"claimName": "c"}}]
    return body


def claim() -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    metadata = {"name": "c", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


def test_a_pod_waits_for_its_claim_and_then_has_its_directory(tmp_path):
    scene = Scene(tmp_path, claimed())
    claims = scene.client.resource(PERSISTENT_VOLUME_CLAIMS)
    assert (scene.reconcile(), scene.processes.running) == (CLAIM_RETRY_SECONDS, {})
    assert scene.recorder.events == [("Warning", "FailedMount", 'persistentvolumeclaim "c" not found')]
    made = claims.create(claim()).body()
    assert (scene.reconcile(), scene.processes.running) == (CLAIM_RETRY_SECONDS, {})
    claims.update_status({**made, "status": {"phase": "Bound"}})
    scene.reconcile()
    assert (tmp_path / "volumes" / "default" / "c").is_dir()
    assert scene.data_dirs == [tmp_path / "volumes" / "default" / "c"]


def test_the_directory_of_a_claim_outlives_the_pod(tmp_path):
    scene = Scene(tmp_path, claimed())
    made = scene.client.resource(PERSISTENT_VOLUME_CLAIMS).create(claim()).body()
    scene.client.resource(PERSISTENT_VOLUME_CLAIMS).update_status({**made, "status": {"phase": "Bound"}})
    scene.reconcile()
    scene.pods.delete(KEY, grace_period_seconds=0)
    scene.reconcile()
    scene.reconcile()
    assert (tmp_path / "volumes" / "default" / "c").is_dir()
    assert [*(tmp_path / "pods").iterdir()] == []
