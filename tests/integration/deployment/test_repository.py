"""The chart out of a repository, through its life: search, install, upgrade, rollback, uninstall, by the real helm."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml

from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.objects import ObjectKey
from btcctl.resources import (
    CLUSTER_ROLES,
    CUSTOM_RESOURCE_DEFINITIONS,
    DEPLOYMENTS,
    NAMESPACES,
    PODS,
    ROLE_BINDINGS,
    ROLES,
    SECRETS,
)
from btcctl.rest.client import ApiClient
from btcctl.testing.control_plane import ControlPlane, ControlPlaneOptions
from tests.chart.packaging import digest, package
from tests.integration.access import is_allowed
from tests.integration.deployment.charts import NAMESPACE, ROOT, helm
from tests.integration.support import eventually

pytestmark = [pytest.mark.real_server, pytest.mark.helm]

BEFORE = ROOT / "tests/integration/data/charts/btcctl-0.1.0.tgz"  #: the chart as it was before it had a schema
EXAMPLES = ("--set", "exampleNetwork.create=true", "--set", "defaultSecret.create=true")
CRD = ObjectKey("", "bitcoinnetworks.bitcoincontroller.christianb93.github.com")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Its address and its folder."""
    folder = tmp_path_factory.mktemp("repository")
    package(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", folder
    server.shutdown()
    thread.join()
    server.server_close()


class Helm:
    """With a home of its own, and a cluster."""

    def __init__(self, home: Path, kubeconfig: Path) -> None:
        self._env = {"HOME": str(home), "KUBECONFIG": str(kubeconfig), "PATH": "/usr/bin:/bin"}

    def __call__(self, *arguments: str | Path) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return helm(*arguments, env=self._env)


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """Of our own: releases are of a whole cluster."""
    with ControlPlane(ControlPlaneOptions(controllers=())) as plane:
        yield plane


@pytest.fixture
def client(plane: ControlPlane) -> ApiClient:
    return plane.client()


@pytest.fixture
def h(plane: ControlPlane, repository: tuple[str, Path], tmp_path: Path) -> Helm:
    helm = Helm(tmp_path, plane.kubeconfig())
    helm("repo", "add", "ours", repository[0])
    return helm


def test_the_index_names_the_archive_by_its_digest_and_both_are_made_alike_again(
    repository: tuple[str, Path], tmp_path: Path
) -> None:
    index = yaml.safe_load((repository[1] / "index.yaml").read_text(encoding="utf-8"))
    (entry,) = index["entries"]["btcctl"]
    archive = repository[1] / entry["urls"][0]
    assert entry["digest"] == digest(archive)
    assert package(tmp_path).read_bytes() == archive.read_bytes()
    assert (tmp_path / "index.yaml").read_bytes() == (repository[1] / "index.yaml").read_bytes()


def test_it_is_found_and_shows_its_readme_and_values(h: Helm) -> None:
    assert "ours/btcctl" in h("search", "repo", "bitcoin")
    assert "| `replicas` |" in h("show", "readme", "ours/btcctl")
    assert "BitcoinNetwork" in h("show", "all", "ours/btcctl")


def test_the_life_of_a_release_that_was_installed_from_the_chart_before(h: Helm, client: ApiClient) -> None:
    networks = client.resource(BITCOIN_NETWORKS, NAMESPACE)
    in_namespace = ("btcctl", "-n", NAMESPACE)
    h("install", in_namespace[0], BEFORE, *in_namespace[1:], "--create-namespace", *EXAMPLES)
    secret_key = ObjectKey(NAMESPACE, "bitcoin-default-secret")
    network, secret = networks.get(ObjectKey(NAMESPACE, "my-network")), client.resource(SECRETS).get(secret_key)
    mine = networks.create({"metadata": {"name": "mine"}, "spec": {"nodes": 1}})

    refused = h.run("upgrade", "btcctl", "ours/btcctl", *in_namespace[1:], "--reuse-values", "--set", "nodeImage=a")
    assert "nodeImage" in refused.stderr  # said by the schema, nothing is done
    assert h("history", *in_namespace).count("deployed") == 1

    upgrade = ("upgrade", "btcctl", "ours/btcctl", *in_namespace[1:], "--reset-values", "--take-ownership", *EXAMPLES)
    notes = h(*upgrade)
    assert "helm test btcctl" in notes
    assert "apply" not in notes  # there is a network of that name, and it has its Secret
    assert f"kubectl -n {NAMESPACE} describe bitcoinnetwork my-network" in notes
    assert [each.name for each in client.resource(DEPLOYMENTS, NAMESPACE).list()[0]] == ["btcctl"]
    definition = client.resource(CUSTOM_RESOURCE_DEFINITIONS).get(CRD)
    assert definition.labels["helm.sh/chart"] == "btcctl-0.2.0"
    spec = load_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    (served,) = definition.body()["spec"]["versions"]
    assert served["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"].keys() == spec.keys()
    assert networks.get(network.key).uid == network.uid
    assert client.resource(SECRETS).get(secret_key).body()["data"] == secret.body()["data"]

    h("rollback", "btcctl", "1", *in_namespace[1:])
    assert [each.name for each in client.resource(DEPLOYMENTS, NAMESPACE).list()[0]] == ["bitcoin-controller"]
    assert networks.get(network.key).uid == network.uid
    h(*upgrade)
    h("uninstall", *in_namespace)
    assert {each.uid for each in networks.list()[0]} == {network.uid, mine.uid}
    assert client.resource(SECRETS).get(secret_key).body()["data"] == secret.body()["data"]
    assert list(client.resource(DEPLOYMENTS, NAMESPACE).list()[0]) == []


def test_a_password_is_made_up_once_and_for_all(h: Helm, client: ApiClient) -> None:
    at = ("-n", "made-up", "--set", "crds.install=false", "--set", "defaultSecret.create=true")
    h("install", "one", "ours/btcctl", "--create-namespace", *at, "--set", "watchNamespaces={made-up}")
    secret = client.resource(SECRETS).get(ObjectKey("made-up", "bitcoin-default-secret")).body()["data"]
    h("upgrade", "one", "ours/btcctl", *at, "--set", "watchNamespaces={made-up}", "--set", "workers=3")
    assert client.resource(SECRETS).get(ObjectKey("made-up", "bitcoin-default-secret")).body()["data"] == secret
    assert secret["BC_RPC_PASSWORD"] not in h("get", "values", "one", "-n", "made-up", "--all")
    h("uninstall", "one", "-n", "made-up")


def test_a_secret_that_somebody_else_has_made_is_left_alone(h: Helm, client: ApiClient) -> None:
    client.resource(NAMESPACES).create({"metadata": {"name": "theirs"}})
    theirs = {
        "metadata": {"name": "bitcoin-default-secret"},
        "data": {"BC_RPC_USER": "YQ==", "BC_RPC_PASSWORD": "Yg=="},
    }
    client.resource(SECRETS, "theirs").create(theirs)
    at = ("-n", "theirs", "--set", "crds.install=false,defaultSecret.create=true,watchNamespaces={theirs}")
    h("install", "one", "ours/btcctl", *at)
    h("upgrade", "one", "ours/btcctl", *at)
    h("uninstall", "one", "-n", "theirs")
    there = client.resource(SECRETS).get(ObjectKey("theirs", "bitcoin-default-secret")).body()
    assert there["data"] == theirs["data"]
    assert "labels" not in there["metadata"]


def test_who_makes_the_roles_elsewhere_may_install_with_no_right_beyond_the_namespace(
    h: Helm, client: ApiClient
) -> None:
    client.resource(NAMESPACES).create({"metadata": {"name": "narrow"}})
    everything = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    client.resource(ROLES, "narrow").create({"metadata": {"name": "narrow"}, "rules": everything})
    client.resource(ROLE_BINDINGS, "narrow").create(
        {
            "metadata": {"name": "narrow"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "narrow"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "ada"}],
        }
    )
    eventually(lambda: is_allowed(client, "ada", everything[0], "narrow"))
    at = ("-n", "narrow", "--kube-as-user", "ada")
    h("install", "one", "ours/btcctl", *at, "--set", "crds.install=false,rbac.create=false")
    h("uninstall", "one", *at)


def test_what_doctor_said_is_there_when_helm_asks_for_the_logs_of_a_test(h: Helm, client: ApiClient) -> None:
    at = ("one", "-n", "tested")
    values = ("--set", "crds.install=false", "--set-string", "secretNames={8}")
    notes = h("install", *at[:1], "ours/btcctl", *at[1:], "--create-namespace", *values)
    assert "helm test one -n tested --logs" in notes
    command = notes[notes.index("kubectl -n tested apply") : notes.index("kubectl -n tested get bitcoinnetworks")]
    copied = subprocess.run(
        ["bash", "-c", f"kubectl() {{ cat; }}; {command}"], capture_output=True, text=True, check=True
    )
    assert copied.stderr == ""  # bash says where a document lacks its end
    assert yaml.safe_load(copied.stdout)["spec"] == {"nodes": 3, "secret": "8"}
    with ThreadPoolExecutor(1) as beside:
        tested = beside.submit(h, "test", *at, "--logs", "--timeout=60s")
        pods, key = client.resource(PODS), ObjectKey("tested", "one-btcctl-doctor")
        eventually(lambda: client.resource(PODS, "tested").list()[0] or tested.done())
        pods.patch(key, {"status": {"phase": "Succeeded"}}, subresource="status")  # there is no kubelet
        assert "POD LOGS: one-btcctl-doctor" in tested.result()
    h("uninstall", *at)


def test_two_releases_stand_side_by_side_where_each_has_its_namespaces(h: Helm, client: ApiClient) -> None:
    for name in ("team-a", "team-b"):
        client.resource(NAMESPACES).create({"metadata": {"name": name}})
        scope = (
            "--set",
            "rbac.scope=namespaces",
            "--set",
            f"watchNamespaces={{{name}}}",
            "--set",
            "crds.install=false",
        )
        h("install", "btcctl", "ours/btcctl", "-n", name, *scope)
    roles = [each.name for each in client.resource(CLUSTER_ROLES).list()[0] if "team-" in each.name]
    assert roles == []
    for name in ("team-a", "team-b"):
        h("uninstall", "btcctl", "-n", name)


def test_two_releases_for_all_namespaces_are_refused(h: Helm, client: ApiClient) -> None:
    h("install", "first", "ours/btcctl", "-n", "all-a", "--create-namespace", "--set", "crds.install=false")
    second = ("install", "second", "ours/btcctl", "-n", "all-b", "--create-namespace", "--set", "crds.install=false")
    eventually(lambda: h.run(*second).returncode != 0)
    assert "release first in namespace all-a looks after all namespaces already" in h.run(*second).stderr
    h("uninstall", "first", "-n", "all-a")


CLUSTER_WIDE = ("--set", "watchNamespaces={a-b}", "--set", "crds.install=false")


@pytest.mark.parametrize(
    ("namespace", "release", "values", "taken"),
    [
        ("a", "b-c", CLUSTER_WIDE, "ClusterRole a-b-c-btcctl-role"),
        ("a", "b-c", ("--set", "rbac.scope=namespaces", *CLUSTER_WIDE), "Role a-b-c-btcctl-role in namespace a-b"),
    ],
)
def test_names_outside_of_a_namespace_that_another_release_has_are_said_with_what_to_do(
    namespace: str, release: str, values: tuple[str, ...], taken: str, h: Helm
) -> None:
    h("install", "c", "ours/btcctl", "-n", "a-b", "--create-namespace", *values)
    second = ("install", release, "ours/btcctl", "-n", namespace, "--create-namespace", *values)
    said = h.run(*second).stderr
    h("upgrade", "c", "ours/btcctl", "-n", "a-b", *values)
    h(*second, "--set", "fullnameOverride=other")
    for name, where in (("c", "a-b"), (release, namespace)):
        h("uninstall", name, "-n", where)
    assert f"{taken} is of release c in namespace a-b: set fullnameOverride to another name" in said
