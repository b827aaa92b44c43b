"""What people do with kubectl beside get and apply, at a sandbox: events, diff, prune, top, create job."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from btcctl.apiserver.network.kubeconfig import write_kubeconfig
from btcctl.clock import SYSTEM_CLOCK
from btcctl.processes.run_directory import new_run_directory
from btcctl.sandbox.cluster.cluster import Cluster, ClusterOptions
from btcctl.sandbox.kubelet.images import Images, parse_mappings
from tests.integration.kubectl import Kubectl
from tests.integration.sandbox.web import web_command
from tests.integration.support import eventually

pytestmark = pytest.mark.kubectl


def config_map(name: str, value: str = "1") -> str:
    labels = "{app: a}"
    return (
        f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, labels: {labels}}}\ndata: {{a: '{value}'}}\n"
    )


@pytest.fixture
def k(tmp_path: Path, kubectl: Kubectl) -> Iterator[Kubectl]:
    options = ClusterOptions(images=Images(parse_mappings(["sh=/bin/sh"])))
    with Cluster(new_run_directory(tmp_path), web_command, options=options) as cluster:
        write_kubeconfig(kubectl.kubeconfig, cluster.access.kubeconfig)
        yield kubectl


def test_events_tell_what_became_of_a_deployment(k: Kubectl) -> None:
    k("create", "deployment", "web", "--image=web", "--replicas=1")
    k("rollout", "status", "deployment/web", "--timeout=60s")
    eventually(lambda: "ScalingReplicaSet" in k("events", "--for", "deployment/web"))
    eventually(lambda: "Started container" in k("events"))


def test_diff_shows_what_an_apply_would_change(k: Kubectl) -> None:
    k("apply", "-f", "-", stdin=config_map("one"))
    assert k("diff", "-f", "-", stdin=config_map("one")) == ""
    found = k.run("diff", "-f", "-", stdin=config_map("one", "2"))
    assert found.returncode == 1
    assert '+  a: "2"' in found.stdout


def test_apply_prunes_what_is_not_there_any_more(k: Kubectl) -> None:
    k("apply", "-f", "-", "--prune", "-l", "app=a", stdin=config_map("one") + config_map("two"))
    said = k("apply", "-f", "-", "--prune", "-l", "app=a", stdin=config_map("one"))
    assert "configmap/two pruned" in said
    assert k("get", "configmaps", "-l", "app=a", "-o", "name") == "configmap/one\n"


def test_what_was_read_can_be_applied(k: Kubectl) -> None:
    k("apply", "-f", "-", stdin=config_map("one") + config_map("two"))
    listed = k("get", "configmaps", "-l", "app=a", "-o", "yaml")
    assert "kind: List" in listed
    assert k("apply", "-f", "-", stdin=listed).split()[::2] == ["configmap/one", "configmap/two"]


def test_what_nothing_here_looks_after_is_refused(k: Kubectl) -> None:
    assert k("get", "daemonsets,cronjobs,ingresses", "-o", "name") == ""
    found = k.run("create", "cronjob", "c", "--image=web", "--schedule=@daily")
    assert (found.returncode, "does not allow this method" in found.stderr) == (1, True), found.stderr


def test_a_job_runs_to_its_end(k: Kubectl) -> None:
    k("create", "job", "work", "--image=sh", "--", "/bin/sh", "-c", "echo done")
    k("wait", "job/work", "--for=condition=complete", "--timeout=60s")
    assert k("logs", "job/work") == "done\n"
    assert k("get", "jobs", "--no-headers").split()[:3] == ["work", "Complete", "1/1"]
    k("delete", "job", "work", "--timeout=60s")
    eventually(lambda: k("get", "pods", "-o", "name") == "")


def test_logs_say_when_and_since_when(k: Kubectl) -> None:
    loop = "echo one; sleep 4; echo two; sleep 600"
    k("run", "talker", "--image=sh", "--", "-c", loop)
    eventually(lambda: "two" in k("logs", "talker"))
    first, second = k("logs", "talker", "--timestamps").splitlines()
    said_at = datetime.fromisoformat(first.split()[0])
    took = datetime.fromisoformat(second.split()[0]) - said_at
    assert timedelta(seconds=2) < took < timedelta(seconds=60)

    def since_just_after_the_first() -> str:
        """To the second, and as late as kubectl is asked; it may be much later when the pod's log is read."""
        return k("logs", "talker", f"--since={int((SYSTEM_CLOCK.wall_time() - said_at).total_seconds())}s")

    eventually(lambda: since_just_after_the_first() == "two\n")
    assert k("logs", "talker", f"--since-time={second.split()[0]}") == "two\n"


def test_there_are_no_metrics_and_kubectl_says_so(k: Kubectl) -> None:
    found = k.run("top", "pods")
    assert (found.returncode, "Metrics API not available" in found.stderr) == (1, True)


def test_a_service_has_the_addresses_of_its_pods(k: Kubectl) -> None:
    k("create", "deployment", "web", "--image=web", "--replicas=2", "--port=8080")
    k("expose", "deployment", "web", "--port=80", "--target-port=8080")
    k("rollout", "status", "deployment/web", "--timeout=60s")
    shown = ("get", "endpointslices", "-l", "kubernetes.io/service-name=web", "--no-headers")
    eventually(lambda: k(*shown).count("127.") == 2)
    assert "127." in k("describe", "service", "web")
