"""Pods whose images stand for programs of this machine, as kubectl sees them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from btcctl.apiserver.network.kubeconfig import write_kubeconfig
from btcctl.processes.run_directory import new_run_directory
from btcctl.sandbox.cluster.cluster import Cluster, ClusterOptions
from btcctl.sandbox.kubelet.images import Images, parse_mappings
from btcctl.sandbox.kubelet.pods.runtime import Command, ImageMissing
from tests.integration.kubectl import Kubectl
from tests.integration.programs import KUBECTL
from tests.integration.support import eventually

pytestmark = pytest.mark.kubectl

TELL = """
import json, os, pathlib, sys
root = pathlib.Path(os.environ["BTCCTL_SANDBOX_ROOT"])
print(json.dumps({"argv": sys.argv[1:], "name": os.environ["NAME"], "level": os.environ["LEVEL"],
    "config": (root / "etc/op/config.yaml").read_text(), "password": pathlib.Path(sys.argv[1]).read_text()}))
"""


def nothing_else(
    pod: Mapping[str, Any], container: Mapping[str, Any], env: dict[str, str], ip: str, data_dir: Path
) -> Command:
    raise ImageMissing(f"nothing stands for {container['image']}")


@pytest.fixture
def k(tmp_path: Path, kubectl: Kubectl) -> Iterator[Kubectl]:
    options = ClusterOptions(images=Images(parse_mappings([f"teller={sys.executable} -S -c '{TELL}'"])))
    with Cluster(new_run_directory(tmp_path), nothing_else, options=options) as cluster:
        write_kubeconfig(kubectl.kubeconfig, cluster.access.kubeconfig)
        yield kubectl


def pod(name: str, image: str, spec: Mapping[str, Any] | None = None, **container: Any) -> str:
    containers = [{"name": "c", "image": image, **container}]
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}}
    return json.dumps({**body, "spec": {"restartPolicy": "Never", "containers": containers, **(spec or {})}})


def done(k: Kubectl, name: str) -> str:
    k("wait", f"pod/{name}", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")
    return k("logs", name)


def test_a_program_has_what_its_pod_says(k: Kubectl) -> None:
    k("create", "configmap", "config", "--from-literal=config.yaml=a: 1", "--from-literal=LEVEL=debug")
    k("create", "secret", "generic", "login", "--from-literal=password=hush")
    volumes = [
        {"name": "config", "configMap": {"name": "config", "items": [{"key": "config.yaml", "path": "config.yaml"}]}},
        {"name": "login", "secret": {"secretName": "login"}},
    ]
    env = [
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "LEVEL", "valueFrom": {"configMapKeyRef": {"name": "config", "key": "LEVEL"}}},
    ]
    mounts = [{"name": "config", "mountPath": "/etc/op"}, {"name": "login", "mountPath": "/login"}]
    args = ["/login/password", "--name=$(NAME)"]
    k("apply", "-f", "-", stdin=pod("told", "teller:1", {"volumes": volumes}, env=env, args=args, volumeMounts=mounts))
    said = json.loads(done(k, "told"))
    assert said.pop("argv")[1:] == ["--name=told"]
    assert said == {"name": "told", "level": "debug", "config": "a: 1", "password": "hush"}


def test_a_program_is_its_service_account(k: Kubectl) -> None:
    k("create", "serviceaccount", "robot")
    spec = {"serviceAccountName": "robot"}
    args = ["auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"]
    k("apply", "-f", "-", stdin=pod("who", f"exec:{KUBECTL}", spec, args=args))
    assert done(k, "who") == "system:serviceaccount:default:robot"


def test_an_image_that_stands_for_nothing_is_not_pulled(k: Kubectl) -> None:
    k("apply", "-f", "-", stdin=pod("lost", "nginx"))
    eventually(lambda: "ErrImagePull" in k("get", "pod", "lost"))
    eventually(lambda: "nothing stands for nginx" in k("describe", "pod", "lost"))
