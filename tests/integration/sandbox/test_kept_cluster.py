"""A cluster that comes back: the same objects, the same way in, pods that count on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from btcctl.processes.run_directory import new_run_directory
from btcctl.resources import JOBS, PODS, SERVICE_ACCOUNTS
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.credentials import StaticCredentials
from btcctl.rest.transport.transport import Request
from btcctl.sandbox.cluster.cluster import Cluster, ClusterOptions
from btcctl.sandbox.cluster.state import State
from btcctl.sandbox.kubelet.images import Images, parse_mappings
from tests.integration.sandbox.test_cluster import Scene, ask, key
from tests.integration.sandbox.web import web_command, web_set
from tests.integration.support import eventually

JOB = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "work", "namespace": "default"},
    "spec": {
        "completionMode": "Indexed",
        "completions": 2,
        "template": {
            "spec": {
                "restartPolicy": "Never",
                "initContainers": [{"name": "first", "image": "sh", "args": ["-c", "echo $JOB_COMPLETION_INDEX > i"]}],
                "containers": [{"name": "c", "image": "sh", "args": ["-c", "echo index $JOB_COMPLETION_INDEX"]}],
            }
        },
    },
}


class Kept(Scene):
    """One run."""

    def wait_until_done(self) -> None:
        """The web servers are ready, and the job is over."""

        def is_done() -> bool:
            conditions = self.client.resource(JOBS, "default").get(key("work")).body()["status"].get("conditions") or ()
            return self.ready() == ["web-0", "web-1"] and any(each["type"] == "Complete" for each in conditions)

        eventually(is_done, 60)

    def previous_log(self, name: str) -> bytes:
        path = f"/api/v1/namespaces/default/pods/{name}/log"
        return self.client.call(Request("GET", path, {"previous": "true"})).body

    def account_token(self) -> str:
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        answer = self.client.resource(SERVICE_ACCOUNTS).subresource_post(key("default"), "token", body)
        return str(answer["status"]["token"])


def who_is(config: ClientConfig, token: str) -> str:
    with ApiClient.from_config(replace(config, credentials=StaticCredentials.bearer(token))) as client:
        review = client.post_json("/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
    return str(review["status"]["userInfo"]["username"])


@contextmanager
def running(directory: Path, runs: Path) -> Iterator[Kept]:
    options = ClusterOptions(images=Images(parse_mappings(["sh=/bin/sh"])), is_guarded=True)
    with (
        State(directory) as state,
        Cluster(new_run_directory(runs), web_command, options=replace(options, state=state)) as cluster,
    ):
        yield Kept(cluster)


def test_a_cluster_goes_on_from_where_it_was(tmp_path: Path) -> None:
    directory = tmp_path / "kept"
    with running(directory, tmp_path) as first:
        config = first.cluster.access.config
        first.sets.create(web_set("web", 2))
        first.client.resource(JOBS, "default").create(JOB)
        first.wait_until_done()
        token, names, uids, log = first.account_token(), first.names(), set(first.ready_uids()), first.log("web-0")

    with running(directory, tmp_path) as second, ApiClient.from_config(config) as client:
        eventually(lambda: set(second.ready_uids()) == uids)
        assert second.names() == names
        web = second.state("web-0")
        assert (web["restartCount"], web["lastState"]["terminated"]["reason"]) == (1, "Unknown")
        assert ask(second.pod("web-0").body()["status"]["podIP"])[0] == 200
        assert second.previous_log("web-0").startswith(log)
        done = next(name for name in names if name.startswith("work-1-"))
        assert second.log(done) == b"index 1\n"
        assert client.resource(PODS).get(key(done)).body()["status"]["phase"] == "Succeeded"
        assert who_is(config, token) == "system:serviceaccount:default:default"
