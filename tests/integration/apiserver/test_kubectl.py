"""The real kubectl against the embedded server."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from btcctl.apiserver.api import Api
from btcctl.apiserver.http import EmbeddedServer
from btcctl.apiserver.network.kubeconfig import kubeconfig, write_kubeconfig
from btcctl.objects import ObjectKey
from tests.integration.kubectl import Kubectl
from tests.integration.support import eventually

pytestmark = pytest.mark.kubectl

CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: nets.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {plural: nets, singular: net, kind: Net, shortNames: [nt], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.nodes, statusReplicasPath: .status.nodes}
    additionalPrinterColumns:
    - {name: Nodes, type: integer, jsonPath: .spec.nodes, description: wanted nodes}
    - {name: Image, type: string, jsonPath: .spec.image, priority: 1}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            description: What is wanted.
            required: [nodes]
            properties:
              nodes: {type: integer, minimum: 1, maximum: 10, description: How many nodes there are to be.}
              image: {type: string, default: "core:1"}
          status:
            type: object
            properties:
              nodes: {type: integer}
              conditions:
                type: array
                items:
                  type: object
                  properties: {type: {type: string}, status: {type: string}}
"""


def net(nodes: int = 3, **spec: Any) -> str:
    body = {"apiVersion": "example.org/v1", "kind": "Net", "metadata": {"name": "a"}, "spec": {"nodes": nodes, **spec}}
    return yaml.safe_dump(body)


STATEFUL_SET = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: set, labels: {app: net}}
spec:
  replicas: 2
  serviceName: svc
  selector: {matchLabels: {app: net}}
  template:
    metadata: {labels: {app: net}}
    spec:
      containers:
      - {name: node, image: "core:1", ports: [{containerPort: 18443}]}
"""

POD = """
apiVersion: v1
kind: Pod
metadata: {name: pod}
spec:
  nodeName: node-0
  containers: [{name: node, image: "core:1"}]
"""


@pytest.fixture
def api() -> Api:
    return Api(pod_logs=lambda key, container, _query: f"{key} {container} says hello\n".encode())


@pytest.fixture
def server(api: Api, kubectl: Kubectl) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(api) as server:
        write_kubeconfig(kubectl.kubeconfig, kubeconfig(server.url))
        yield server


@pytest.fixture
def k(server: EmbeddedServer, kubectl: Kubectl) -> Kubectl:
    return kubectl


@pytest.fixture
def nets(k: Kubectl) -> Kubectl:
    """With a CRD."""
    k("apply", "-f", "-", stdin=CRD)
    return k


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return str(path)


def test_get_shows_tables(k: Kubectl) -> None:
    assert [row[:2] for row in k.rows("namespaces")] == [
        ["default", "Active"],
        ["kube-public", "Active"],
        ["kube-system", "Active"],
    ]
    k("create", "-f", "-", stdin=POD)
    assert k("get", "pods").split()[:5] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert k.rows("pods", "-o", "wide")[0][:3] == ["pod", "0/1", "Pending"]
    assert "node-0" in k.rows("pods", "-o", "wide")[0]
    assert k("get", "secrets", "-A").strip() == ""


def test_get_in_every_form(nets: Kubectl) -> None:
    nets("apply", "-f", "-", stdin=net())
    assert nets.rows("nt")[0][:2] == ["a", "3"]
    assert nets.rows("nets", "-o", "wide")[0][:3] == ["a", "3", "core:1"]
    assert nets.json("get", "net", "a")["spec"] == {"nodes": 3, "image": "core:1"}
    assert yaml.safe_load(nets("get", "net", "-o", "yaml"))["items"][0]["kind"] == "Net"
    assert nets("get", "net/a", "-o", "jsonpath={.spec.nodes}") == "3"
    assert nets("get", "nets.v1.example.org", "-o", "name").strip() == "net.example.org/a"
    assert nets("get", "all", "-o", "name").strip() == "net.example.org/a"
    assert nets("get", "net", "-o", "custom-columns=N:.metadata.name").split() == ["N", "a"]


def test_get_says_what_is_missing(k: Kubectl) -> None:
    assert 'pods "nope" not found' in k.run("get", "pod", "nope").stderr
    assert "doesn't have a resource type" in k.run("get", "nopes").stderr


def test_selectors_and_sorting(k: Kubectl) -> None:
    for name, label in (("b", "x"), ("a", "y"), ("c", "x")):
        k("create", "configmap", name)
        k("label", "configmap", name, f"l={label}")
    assert [row[0] for row in k.rows("cm", "-l", "l=x")] == ["b", "c"]
    assert [row[0] for row in k.rows("cm", "--field-selector", "metadata.name=a")] == ["a"]
    assert [row[0] for row in k.rows("cm", "--sort-by", "{.metadata.labels.l}")] == ["b", "c", "a"]


def test_watch_shows_changes_as_rows(nets: Kubectl) -> None:
    nets("apply", "-f", "-", stdin=net())
    with nets.started("get", "nets", "-w") as watch:
        assert watch.stdout is not None
        assert watch.stdout.readline().split() == ["NAME", "NODES", "AGE"]
        assert watch.stdout.readline().split()[:2] == ["a", "3"]
        nets("scale", "net/a", "--replicas", "4")
        assert watch.stdout.readline().split()[:2] == ["a", "4"]


def test_watch_of_one_object_as_json(nets: Kubectl) -> None:
    nets("apply", "-f", "-", stdin=net())
    with nets.started("get", "net", "a", "-w", "-o", "jsonpath={.spec.nodes}{'\\n'}") as watch:
        assert watch.stdout is not None
        assert watch.stdout.readline() == "3\n"
        nets("patch", "net", "a", "--type", "merge", "-p", '{"spec":{"nodes":5}}')
        assert watch.stdout.readline() == "5\n"


def test_apply_creates_then_changes_nothing_then_changes(nets: Kubectl) -> None:
    assert "created" in nets("apply", "-f", "-", stdin=net(3))
    version = nets("get", "net/a", "-o", "jsonpath={.metadata.resourceVersion}")
    assert "unchanged" in nets("apply", "-f", "-", stdin=net(3))
    assert nets("get", "net/a", "-o", "jsonpath={.metadata.resourceVersion}") == version
    assert "configured" in nets("apply", "-f", "-", stdin=net(4))
    assert nets.rows("nets")[0][1] == "4"


def test_apply_of_a_built_in_merges_lists_by_their_keys(k: Kubectl) -> None:
    k("apply", "-f", "-", stdin=STATEFUL_SET)
    k("apply", "-f", "-", stdin=STATEFUL_SET.replace("core:1", "core:2"))
    containers = k.json("get", "sts", "set")["spec"]["template"]["spec"]["containers"]
    assert [(each["name"], each["image"], len(each["ports"])) for each in containers] == [("node", "core:2", 1)]


def test_apply_on_the_server_s_side(nets: Kubectl) -> None:
    assert "serverside-applied" in nets("apply", "--server-side", "-f", "-", stdin=net(3))
    assert "serverside-applied" in nets("apply", "--server-side", "-f", "-", stdin=net(4))
    assert nets.rows("nets")[0][1] == "4"


def test_apply_refuses_what_the_schema_refuses(nets: Kubectl) -> None:
    too_many = nets.run("apply", "-f", "-", stdin=net(99))
    assert "spec.nodes in body should be less than or equal to 10" in too_many.stderr
    unknown = nets.run("apply", "-f", "-", stdin=net(3, bogus=1))
    assert 'unknown field "spec.bogus"' in unknown.stderr
    assert unknown.returncode != 0
    assert "created" in nets("apply", "--validate=false", "-f", "-", stdin=net(3, bogus=1))


def test_a_list_of_objects_is_applied_created_and_deleted(nets: Kubectl) -> None:
    both = nets("get", "net", "-o", "yaml")
    assert "kind: List" in both
    nets("apply", "-f", "-", stdin=net(3))
    nets("create", "configmap", "b", "--from-literal=x=y")
    both = nets("get", "net/a", "configmap/b", "-o", "yaml")
    nets("delete", "-f", "-", stdin=both)
    assert "created" in nets("apply", "-f", "-", stdin=both)
    unknown = nets.run("apply", "-f", "-", stdin=both.replace("nodes: 3", "nodes: 3\n    bogus: 1"))
    assert 'unknown field "spec.bogus"' in unknown.stderr  # each item is validated, by the server


def test_dry_runs_and_diff(nets: Kubectl) -> None:
    nets("apply", "-f", "-", stdin=net(3))
    nets("apply", "--dry-run=server", "-f", "-", stdin=net(5))
    assert nets.rows("nets")[0][1] == "3"
    assert "+  nodes: 5" in nets.run("diff", "-f", "-", stdin=net(5)).stdout


def test_edit(nets: Kubectl, tmp_path: Path) -> None:
    nets("apply", "-f", "-", stdin=net(3))
    editor = script(tmp_path / "editor", 'sed -i "s/nodes: 3/nodes: 7/" "$1"')
    assert "edited" in nets("edit", "net/a", env={"KUBE_EDITOR": editor})
    assert nets.rows("nets")[0][1] == "7"


def test_edit_of_a_built_in(k: Kubectl, tmp_path: Path) -> None:
    k("apply", "-f", "-", stdin=STATEFUL_SET)
    editor = script(tmp_path / "editor", 'sed -i "s/replicas: 2/replicas: 4/" "$1"')
    assert "edited" in k("edit", "sts/set", env={"KUBE_EDITOR": editor})
    assert k.rows("sts")[0][:2] == ["set", "0/4"]


def test_scale(nets: Kubectl) -> None:
    nets("apply", "-f", "-", stdin=net(3))
    assert "scaled" in nets("scale", "net/a", "--replicas=6")
    assert nets.rows("nets")[0][1] == "6"
    nets("apply", "-f", "-", stdin=STATEFUL_SET)
    assert "scaled" in nets("scale", "sts/set", "--replicas=5")
    assert nets.rows("sts")[0][1] == "0/5"
    assert "less than or equal to 10" in nets.run("scale", "net/a", "--replicas=11").stderr


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("merge", '{"spec":{"replicas":3}}'),
        ("strategic", '{"spec":{"replicas":3}}'),
        ("json", '[{"op":"replace","path":"/spec/replicas","value":3}]'),
    ],
)
def test_patch_of_each_kind(k: Kubectl, kind: str, patch: str) -> None:
    k("apply", "-f", "-", stdin=STATEFUL_SET)
    k("patch", "sts", "set", "--type", kind, "-p", patch)
    assert k.rows("sts")[0][1] == "0/3"


def test_patch_of_a_status(nets: Kubectl) -> None:
    nets("apply", "-f", "-", stdin=net(3))
    nets("patch", "net", "a", "--subresource=status", "--type=merge", "-p", '{"status":{"nodes":2}}')
    assert nets.json("get", "net", "a")["status"] == {"nodes": 2}


def test_label_and_annotate(k: Kubectl) -> None:
    k("create", "configmap", "c")
    k("label", "cm/c", "a=1")
    k("annotate", "cm/c", "note=hello there")
    metadata = k.json("get", "cm", "c")["metadata"]
    assert (metadata["labels"], metadata["annotations"]) == ({"a": "1"}, {"note": "hello there"})
    k("label", "cm/c", "a-")
    assert "labels" not in k.json("get", "cm", "c")["metadata"]


def test_create_namespace_secret_and_configmap(k: Kubectl) -> None:
    k("create", "namespace", "blue")
    k("create", "secret", "generic", "s", "-n", "blue", "--from-literal=key=value")
    k("create", "configmap", "c", "-n", "blue", "--from-literal=text=ö")
    k("create", "serviceaccount", "sa", "-n", "blue")
    assert k.json("get", "secret", "s", "-n", "blue")["data"] == {"key": base64.b64encode(b"value").decode()}
    assert k.rows("secrets", "-n", "blue")[0][:3] == ["s", "Opaque", "1"]
    assert k.json("get", "cm", "c", "-n", "blue")["data"] == {"text": "ö"}
    assert "already exists" in k.run("create", "namespace", "blue").stderr


def test_create_roles_and_bindings(k: Kubectl) -> None:
    k("create", "role", "r", "--verb=get,list", "--resource=pods,statefulsets.apps/scale", "--resource-name=a")
    k("create", "clusterrole", "cr", "--verb=get", "--non-resource-url=/metrics")
    k("create", "rolebinding", "rb", "--role=r", "--user=alice", "--serviceaccount=default:sa")
    k("create", "clusterrolebinding", "crb", "--clusterrole=cr", "--group=g")
    rule = {"verbs": ["get", "list"], "resourceNames": ["a"]}
    assert k.json("get", "role", "r")["rules"] == [
        {**rule, "apiGroups": [""], "resources": ["pods"]},
        {**rule, "apiGroups": ["apps"], "resources": ["statefulsets/scale"]},
    ]
    assert k.json("get", "clusterrole", "cr")["rules"] == [{"verbs": ["get"], "nonResourceURLs": ["/metrics"]}]
    assert k.rows("rolebindings", "-o", "wide")[0][:2] == ["rb", "Role/r"]
    assert {"alice", "default/sa"} <= set(k.rows("rolebindings", "-o", "wide")[0])
    assert k.rows("clusterrolebindings")[0][:2] == ["crb", "ClusterRole/cr"]


def test_create_of_workloads_services_and_budgets(k: Kubectl) -> None:
    k("create", "deployment", "d", "--image=a", "--replicas=2", "--port=80", "--", "sleep", "1")
    spec = k.json("get", "deployment", "d")["spec"]
    assert (spec["replicas"], spec["selector"]) == (2, {"matchLabels": {"app": "d"}})
    container = spec["template"]["spec"]["containers"][0]
    assert (container["command"], container["ports"]) == (["sleep", "1"], [{"containerPort": 80, "protocol": "TCP"}])
    k("create", "service", "clusterip", "s", "--tcp=80:8080", "--tcp=81:web")
    assert [each["targetPort"] for each in k.json("get", "service", "s")["spec"]["ports"]] == [8080, "web"]
    k("create", "poddisruptionbudget", "p", "--selector=a=b", "--max-unavailable=50%")
    assert k.json("get", "pdb", "p")["spec"] == {"maxUnavailable": "50%", "selector": {"matchLabels": {"a": "b"}}}


def test_describe_shows_events(nets: Kubectl, api: Api) -> None:
    nets("apply", "-f", "-", stdin=net(3))
    uid = nets("get", "net/a", "-o", "jsonpath={.metadata.uid}")
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "a.1"},
        "involvedObject": {
            "apiVersion": "example.org/v1", "kind": "Net", "name": "a", "namespace": "default", "uid": uid,
        },
        "type": "Normal", "reason": "Joined", "message": "node 0 joined", "count": 1,
        "source": {"component": "test"},
        "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    nets("create", "-f", "-", stdin=json.dumps(event))
    described = nets("describe", "net", "a")
    assert "Nodes:" in described
    assert "node 0 joined" in described
    assert "net/a" in nets("get", "events")
    assert "node 0 joined" in nets("events", "--for", "net/a")


@pytest.mark.parametrize("what", ["sts/set", "pod/pod", "namespace/default", "crd/nets.example.org"])
def test_describe_of_built_ins(nets: Kubectl, what: str) -> None:
    nets("apply", "-f", "-", stdin=STATEFUL_SET)
    nets("apply", "-f", "-", stdin=POD)
    assert what.partition("/")[2] in nets("describe", what)


def test_delete_waits_until_it_is_gone(nets: Kubectl) -> None:
    nets("apply", "-f", "-", stdin=net(3))
    assert 'net.example.org "a" deleted' in nets("delete", "net", "a")
    assert "not found" in nets.run("get", "net", "a").stderr


def test_delete_waits_for_a_finalizer(nets: Kubectl) -> None:
    nets("apply", "-f", "-", stdin=net(3))
    nets("patch", "net", "a", "--type=merge", "-p", '{"metadata":{"finalizers":["example.org/hold"]}}')
    with nets.started("delete", "net", "a") as delete:
        eventually(lambda: "deletionTimestamp" in nets.json("get", "net", "a")["metadata"])
        assert delete.poll() is None
        nets("patch", "net", "a", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
        assert delete.wait(60) == 0


def test_delete_of_an_owner_takes_its_dependents_along(k: Kubectl) -> None:
    k("create", "configmap", "owner")
    uid = k("get", "cm/owner", "-o", "jsonpath={.metadata.uid}")
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}
    k("create", "configmap", "owned")
    k("patch", "cm", "owned", "--type=merge", "-p", json.dumps({"metadata": {"ownerReferences": [owner]}}))
    k("delete", "cm", "owner")
    eventually(lambda: k.rows("cm") == [])


def test_delete_by_selector_and_file(k: Kubectl) -> None:
    for name in ("a", "b"):
        k("create", "configmap", name)
        k("label", "cm", name, "x=y")
    k("apply", "-f", "-", stdin=STATEFUL_SET)
    k("delete", "cm", "-l", "x=y")
    k("delete", "-f", "-", stdin=STATEFUL_SET)
    assert k.rows("cm,sts") == []


def test_delete_of_a_namespace_empties_it(k: Kubectl) -> None:
    k("create", "namespace", "blue")
    k("create", "configmap", "c", "-n", "blue")
    k("delete", "namespace", "blue")
    assert k.rows("cm", "-n", "blue") == []


def test_wait_for_a_condition(nets: Kubectl) -> None:
    nets("apply", "-f", "-", stdin=net(3))
    with nets.started("wait", "net/a", "--for=condition=Ready", "--timeout=60s") as wait:
        status = '{"status":{"conditions":[{"type":"Ready","status":"True"}]}}'
        nets("patch", "net", "a", "--subresource=status", "--type=merge", "-p", status)
        output, _ = wait.communicate(timeout=60)
        assert output.strip() == "net.example.org/a condition met"


def test_wait_for_a_value_and_for_deletion(nets: Kubectl) -> None:
    nets("apply", "-f", "-", stdin=net(3))
    assert "condition met" in nets("wait", "net/a", "--for=jsonpath={.spec.nodes}=3", "--timeout=60s")
    with nets.started("wait", "net/a", "--for=delete", "--timeout=60s") as wait:
        nets("delete", "net", "a")
        assert wait.wait(60) == 0


def test_rollout_status(k: Kubectl) -> None:
    k("apply", "-f", "-", stdin=STATEFUL_SET)
    with k.started("rollout", "status", "sts/set", "--timeout=60s") as rollout:
        revision = {"currentRevision": "r", "updateRevision": "r"}
        counts = {"replicas": 2, "readyReplicas": 2, "updatedReplicas": 2, "currentReplicas": 2}
        status = {"status": {"observedGeneration": 1, **revision, **counts}}
        k("patch", "sts", "set", "--subresource=status", "--type=merge", "-p", json.dumps(status))
        output, _ = rollout.communicate(timeout=60)
    assert "complete" in output


def test_logs(k: Kubectl, api: Api) -> None:
    k("create", "-f", "-", stdin=POD)
    assert k("logs", "pod") == "default/pod node says hello\n"
    assert api.store.get(("", "pods"), ObjectKey("default", "pod")) is not None


def test_explain_of_a_custom_kind(nets: Kubectl) -> None:
    assert "How many nodes there are to be." in nets("explain", "net.spec")
    assert "KIND:       Net" in nets("explain", "net.spec.nodes")


def test_api_resources_versions_and_cluster(nets: Kubectl) -> None:
    resources = nets("api-resources")
    assert "nets" in resources
    assert "statefulsets" in resources
    assert "example.org/v1" in nets("api-versions").split()
    assert json.loads(nets("version", "-o", "json"))["serverVersion"]["major"] == "1"
    assert nets("get", "--raw", "/readyz") == "ok"
    assert "is running at" in nets("cluster-info")


def test_a_changed_definition_is_in_force(nets: Kubectl) -> None:
    nets("apply", "-f", "-", stdin=CRD.replace("maximum: 10", "maximum: 100"))
    eventually(lambda: nets.run("apply", "-f", "-", stdin=net(99)).returncode == 0)


def test_a_deleted_definition_takes_its_objects_along(nets: Kubectl) -> None:
    nets("apply", "-f", "-", stdin=net(3))
    nets("delete", "crd", "nets.example.org")
    eventually(lambda: nets.run("get", "nets").returncode != 0)


def test_may_i(k: Kubectl) -> None:
    assert k("auth", "can-i", "create", "pods").strip() == "yes"
    assert "system:admin" in k("auth", "whoami")


def test_a_service_account_does_with_its_token_what_its_roles_allow(
    kubectl: Kubectl, tls_server: ssl.SSLContext, certificate: tuple[Path, Path]
) -> None:
    authority = certificate[0].read_bytes()
    with EmbeddedServer(Api(authorizer="rbac"), tls=tls_server, token="secret") as server:
        write_kubeconfig(kubectl.kubeconfig, kubeconfig(server.url, token="secret", authority=authority))
        kubectl("create", "role", "reader", "--verb=get,list", "--resource=configmaps")
        kubectl("create", "rolebinding", "reader", "--role=reader", "--serviceaccount=default:default")
        robot = "--as=system:serviceaccount:default:default"
        assert kubectl("auth", "can-i", "list", "configmaps", robot).strip() == "yes"
        assert "configmaps" in kubectl("auth", "can-i", "--list", robot)
        token = kubectl("create", "token", "default").strip()
        write_kubeconfig(kubectl.kubeconfig, kubeconfig(server.url, token=token, authority=authority))
        assert "system:serviceaccounts:default" in kubectl("auth", "whoami")
        assert kubectl.run("get", "configmaps").returncode == 0
        assert 'cannot list resource "secrets"' in kubectl.run("get", "secrets").stderr


def test_over_tls_the_token_is_sent_and_checked(
    kubectl: Kubectl, api: Api, tls_server: ssl.SSLContext, certificate: tuple[Path, Path]
) -> None:
    authority = certificate[0].read_bytes()
    with EmbeddedServer(api, tls=tls_server, token="secret") as server:
        write_kubeconfig(kubectl.kubeconfig, kubeconfig(server.url, token="secret", authority=authority))
        assert len(kubectl.rows("namespaces")) == 3
        with kubectl.started("get", "namespaces", "-w", "--no-headers") as watch:
            assert watch.stdout is not None
            assert watch.stdout.readline().split()[0] == "default"
        write_kubeconfig(kubectl.kubeconfig, kubeconfig(server.url, token="wrong", authority=authority))
        assert "must be logged in" in kubectl.run("get", "pods").stderr
