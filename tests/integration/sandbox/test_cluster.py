"""A StatefulSet of small web servers on a whole local cluster."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from btcctl.errors import ConfigError
from btcctl.objects import Object, ObjectKey
from btcctl.processes.run_directory import new_run_directory
from btcctl.resources import EVENTS, NODES, PODS, SECRETS, STATEFUL_SETS
from btcctl.rest.client import ApiClient
from btcctl.rest.transport.transport import Request
from btcctl.sandbox.cluster.cluster import Cluster, ClusterOptions
from tests.integration.sandbox.web import PORT, web_command, web_set
from tests.integration.support import eventually

NAMESPACE = "default"


class Scene:
    """A cluster and its client."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.client: ApiClient = cluster.client()
        self.pods, self.sets = self.client.resource(PODS, NAMESPACE), self.client.resource(STATEFUL_SETS, NAMESPACE)

    def pod(self, name: str) -> Object:
        return self.pods.get(key(name))

    def names(self) -> list[str]:
        return sorted(each.name for each in self.pods.list()[0])

    def ready(self) -> list[str]:
        return sorted(each.name for each in self.pods.list()[0] if is_ready(each))

    def ready_uids(self) -> list[str]:
        return [each.uid for each in self.pods.list()[0] if is_ready(each)]

    def wait_ready(self, *names: str) -> None:
        eventually(lambda: self.ready() == self.names() == [*names])

    def state(self, name: str) -> dict[str, Any]:
        """Of the pod's container, as the kubelet reports it; AssertionError if it has not yet."""
        statuses = self.pod(name).body()["status"].get("containerStatuses")
        assert statuses
        return statuses[0]

    def log(self, name: str) -> bytes:
        return self.client.call(Request("GET", f"/api/v1/namespaces/{NAMESPACE}/pods/{name}/log")).body

    def revision(self) -> str:
        """What every pod of the set is made from."""
        return self.sets.get(key("web")).body()["status"]["currentRevision"]

    def reasons(self) -> set[str]:
        return {each.body()["reason"] for each in self.client.resource(EVENTS, NAMESPACE).list()[0]}


def key(name: str) -> ObjectKey:
    return ObjectKey(NAMESPACE, name)


def is_ready(pod: Object) -> bool:
    conditions = pod.body().get("status", {}).get("conditions", [])
    return any((each["type"], each["status"]) == ("Ready", "True") for each in conditions)


def ask(address: str | None, path: str = "/") -> tuple[int, bytes]:
    assert address
    connection = http.client.HTTPConnection(address, PORT, timeout=30)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with Cluster(new_run_directory(tmp_path), web_command) as cluster:
        yield Scene(cluster)


def test_a_set_becomes_processes_and_grows_and_shrinks(scene):
    scene.sets.create(web_set("web", 2))
    scene.wait_ready("web-0", "web-1")
    addresses = [scene.cluster.pod_address(key(name)) for name in ("web-0", "web-1")]
    assert [ask(each)[0] for each in addresses] == [200, 200]
    assert addresses[0] == scene.pod("web-0").body()["status"]["podIP"]
    scene.sets.patch(key("web"), {"spec": {"replicas": 3}})
    scene.wait_ready("web-0", "web-1", "web-2")
    scene.sets.patch(key("web"), {"spec": {"replicas": 1}})
    scene.wait_ready("web-0")
    with pytest.raises(ConnectionRefusedError):
        ask(addresses[1])
    expected = {"Scheduled", "Started", "SuccessfulCreate", "SuccessfulDelete", "Killing"}
    eventually(lambda: expected <= scene.reasons())  # Events are written a while after


def test_a_changed_template_rolls_through_the_set(scene):
    scene.sets.create(web_set("web", 2, env=[{"name": "GREETING", "value": "old"}]))
    scene.wait_ready("web-0", "web-1")
    before = scene.revision()
    changed = web_set("web", 2, env=[{"name": "GREETING", "value": "new"}])
    scene.sets.patch(key("web"), {"spec": {"template": changed["spec"]["template"]}})
    eventually(lambda: scene.revision() != before)
    scene.wait_ready("web-0", "web-1")
    assert {ask(scene.cluster.pod_address(key(name)))[1] for name in ("web-0", "web-1")} == {b"new"}


def test_a_deleted_pod_comes_back_at_another_address(scene):
    scene.sets.create(web_set("web", 1))
    scene.wait_ready("web-0")
    before, address = scene.pod("web-0").uid, scene.cluster.pod_address(key("web-0"))
    scene.pods.delete(key("web-0"))
    eventually(lambda: scene.ready_uids() not in ([], [before]))
    assert scene.cluster.pod_address(key("web-0")) != address


def test_a_process_that_dies_is_started_again_at_the_same_address(scene):
    scene.sets.create(web_set("web", 1))
    scene.wait_ready("web-0")
    address = scene.cluster.pod_address(key("web-0"))
    with pytest.raises(http.client.RemoteDisconnected):
        ask(address, "/die")
    eventually(lambda: scene.state("web-0")["restartCount"] == 1 and is_ready(scene.pod("web-0")))
    assert scene.state("web-0")["lastState"]["terminated"]["exitCode"] == 3
    assert scene.cluster.pod_address(key("web-0")) == address


def test_a_pod_that_fails_its_probe_is_not_ready_until_it_answers_again(scene):
    scene.sets.create(web_set("web", 1))
    scene.wait_ready("web-0")
    (sick,) = [each / "sick" for each in scene.cluster.run_dir.glob("pods/*/web/data")]
    sick.touch()
    eventually(lambda: scene.ready() == [])
    assert scene.state("web-0")["restartCount"] == 0
    sick.unlink()
    scene.wait_ready("web-0")
    eventually(lambda: "Unhealthy" in scene.reasons())


def test_a_quiet_restart_shows_nowhere_in_the_api(scene):
    scene.sets.create(web_set("web", 1))
    scene.wait_ready("web-0")
    before = scene.pod("web-0").resource_version
    first_log = scene.log("web-0")
    scene.cluster.restart_quietly(key("web-0"))
    assert ask(scene.cluster.pod_address(key("web-0")))[0] == 200
    assert scene.pod("web-0").resource_version == before
    assert len(scene.log("web-0")) > len(first_log)


def test_what_does_not_run_cannot_be_restarted(scene):
    with pytest.raises(ConfigError, match="default/none does not run"):
        scene.cluster.restart_quietly(key("none"))


def test_a_pod_waits_for_its_secret(scene):
    reference = {"secretKeyRef": {"name": "greeting", "key": "text"}}
    scene.sets.create(web_set("web", 1, env=[{"name": "GREETING", "valueFrom": reference}]))
    waiting = {"reason": "CreateContainerConfigError", "message": 'secret "greeting" not found'}
    eventually(lambda: scene.state("web-0")["state"]["waiting"] == waiting)
    secret = {"metadata": {"name": "greeting", "namespace": NAMESPACE}, "stringData": {"text": "hello"}}
    scene.client.resource(SECRETS).create(secret)
    scene.wait_ready("web-0")
    assert ask(scene.cluster.pod_address(key("web-0")))[1] == b"hello"


def test_a_pod_that_keeps_crashing_backs_off(scene):
    scene.sets.create(web_set("web", 1, image="crash"))
    eventually(lambda: scene.state("web-0")["state"]["waiting"]["reason"] == "CrashLoopBackOff")
    assert scene.state("web-0")["lastState"]["terminated"]["exitCode"] == 1


def test_the_logs_of_a_pod_are_served(scene):
    scene.sets.create(web_set("web", 1))
    scene.wait_ready("web-0")
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/web-0/log"
    log = scene.client.call(Request("GET", path, {"tailLines": "1"})).body
    assert log.count(b"\n") == 1
    assert b"GET / HTTP/1.1" in log or b"started as" in log


def test_deleting_the_set_leaves_nothing(scene):
    scene.sets.create(web_set("web", 2, podManagementPolicy="Parallel"))
    scene.wait_ready("web-0", "web-1")
    address = scene.cluster.pod_address(key("web-0"))
    scene.sets.delete(key("web"))
    eventually(lambda: scene.names() == [])
    with pytest.raises(ConnectionRefusedError):
        ask(address)
    eventually(lambda: [*scene.cluster.run_dir.glob("pods/*")] == [])


def test_a_settled_cluster_writes_nothing(tmp_path):
    writes: list[Any] = []

    def observe(attributes: Any, status: int) -> None:
        if attributes.verb not in {"get", "list", "watch"}:
            writes.append((attributes, status))

    options = ClusterOptions(observer=observe)
    with Cluster(new_run_directory(tmp_path), web_command, options=options) as cluster:
        scene = Scene(cluster)
        scene.sets.create(web_set("web", 2))
        scene.wait_ready("web-0", "web-1")
        eventually(lambda: scene.sets.get(key("web")).body()["status"].get("readyReplicas") == 2)

        def is_quiet() -> bool:
            probes, count = log_lines(cluster), len(writes)
            eventually(lambda: log_lines(cluster) >= probes + 4)
            return all(each.resource == "events" for each, _ in writes[count:])

        eventually(is_quiet)  # what has come up may still be written down when all is ready


def log_lines(cluster: Cluster) -> int:
    """Each probe is a line in a log."""
    return sum(each.read_bytes().count(b"\n") for each in cluster.run_dir.glob("pods/*/web/*.log"))


def test_stopping_leaves_no_process_no_port_and_no_file(tmp_path):
    directory = new_run_directory(tmp_path)
    with ExitStack() as stack:
        scene = Scene(stack.enter_context(Cluster(directory, web_command)))
        scene.sets.create(web_set("web", 2, podManagementPolicy="Parallel"))
        scene.wait_ready("web-0", "web-1")
        address = scene.cluster.pod_address(key("web-0"))
        process = int(directory.glob("pods/*_web-0_*/web/0.log").__next__().read_text().split()[2])
    assert not directory.exists()
    assert not Path(f"/proc/{process}").exists()
    with pytest.raises(ConnectionRefusedError):
        ask(address)
    assert [*tmp_path.iterdir()] == []


def test_a_kubeconfig_leads_to_the_cluster(scene):
    config = scene.cluster.access.kubeconfig
    assert config["clusters"][0]["cluster"]["server"] == scene.cluster.url
    assert config["current-context"] == config["contexts"][0]["name"]
    assert (
        scene.client.resource(NODES).get(ObjectKey("", "sandbox")).body()["status"]["conditions"][0]["type"] == "Ready"
    )


def test_two_clusters_do_not_get_in_each_others_way(tmp_path, scene):
    with Cluster(new_run_directory(tmp_path), web_command) as other:
        second = Scene(other)
        for each in (scene, second):
            each.sets.create(web_set("web", 1))
        for each in (scene, second):
            each.wait_ready("web-0")
        assert scene.cluster.pod_address(key("web-0")) != other.pod_address(key("web-0"))


def test_the_api_server_may_be_somebody_elses(tmp_path, scene):
    options = ClusterOptions(node_name="second", server=scene.cluster.access)
    with Cluster(new_run_directory(tmp_path), web_command, options=options) as other:
        assert other.url == scene.cluster.url
        assert scene.client.resource(NODES).get(ObjectKey("", "second"))


def test_a_cluster_that_was_not_started_says_so(tmp_path):
    cluster = Cluster(tmp_path, web_command)
    with pytest.raises(ConfigError, match="not started"):
        _ = cluster.access
    cluster.stop()
