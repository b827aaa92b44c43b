"""`metrics.secure`: whom the operator lets see its metrics, with exactly the rights that the chart gives it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3

from btcctl.bitcoin.crd import load_crd
from btcctl.objects import ObjectKey
from btcctl.resources import CLUSTER_ROLES
from btcctl.rest.loading import load_config
from btcctl.sandbox.demonstration.manifests import Applier
from btcctl.testing.control_plane import ControlPlane
from tests.integration.deployment.charts import NAMESPACE, rendered
from tests.integration.support import eventually

pytestmark = [
    pytest.mark.real_server,
    pytest.mark.helm,
    pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning"),
]

READER = {"name": "prometheus", "namespace": "monitoring"}
ROLE = ObjectKey("", "bitcoin-controller-btcctl-metrics-auth")


class Scene:
    """An operator of the chart, at work on a real server.

    Attributes:
        port: Where its metrics are.
    """

    def __init__(self, plane: ControlPlane, home: Path) -> None:
        self.plane = plane
        self.port = 0
        self.admin = plane.client()
        applier = Applier(self.admin)
        applier.apply(load_crd())
        for name in (NAMESPACE, READER["namespace"]):
            applier.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        for name in (READER["name"], "stranger"):
            applier.apply(account(name))
        for each in rendered(values={"metrics": {"secure": {"enabled": True, "readers": [READER]}}}):
            if each["kind"] in {"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}:
                applier.apply(each)
        self._log = home / "log"

    @contextmanager
    def operator(self) -> Iterator[None]:
        """`btcctl run --metrics-secure`, as the chart's account."""
        kubeconfig = self.plane.service_account_kubeconfig(NAMESPACE, "btcctl-sva")
        flags = ["--leader-elect", f"--leader-elect-resource-namespace={NAMESPACE}", "--metrics-secure"]
        flags += ["--metrics-bind-address=127.0.0.1:0", "--log-format=json", f"--kubeconfig={kubeconfig}"]
        with self._log.open("w") as log:
            process = subprocess.Popen([sys.executable, "-m", "btcctl", "run", *flags], stderr=log, stdout=log)
        try:
            self.port = eventually(self._announced, 60.0)
            yield
        finally:
            process.terminate()
            assert process.wait(60.0) == 0

    def get(self, path: str, name: str) -> int:
        """What an account of the reader's namespace is answered."""
        config = load_config(self.plane.service_account_kubeconfig(READER["namespace"], name))
        return self.get_with(path, config.credentials.authorization())

    def get_with(self, path: str, authorization: str) -> int:
        address = f"https://127.0.0.1:{self.port}{path}"
        # A request has 5 s there, TLS included: a busy machine may need another one.
        retries = urllib3.Retry(5, respect_retry_after_header=False)
        with urllib3.PoolManager(retries=retries, timeout=30.0, cert_reqs="CERT_NONE") as pools:
            return pools.request("GET", address, headers={"Authorization": authorization}).status

    def log(self) -> str:
        return self._log.read_text()

    def _announced(self) -> int:
        *lines, _ = self.log().split("\n")  # what comes after the last newline is still being written
        entries = [json.loads(line) for line in lines if line.startswith("{")]
        return next((each["port"] for each in entries if "/metrics" in each.get("paths", ())), 0)


def account(name: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": READER["namespace"]}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


@pytest.fixture
def scene(lone_control_plane: ControlPlane, tmp_path: Path) -> Scene:
    return Scene(lone_control_plane, tmp_path)


def test_those_whom_the_chart_names_get_the_metrics_and_nobody_else_does(scene: Scene) -> None:
    with scene.operator():
        eventually(lambda: scene.get("/metrics", READER["name"]) == 200)
        assert scene.get("/metrics", "stranger") == 403
        assert scene.get("/other", READER["name"]) == 403
        assert scene.get_with("/metrics", "Bearer nonsense") == 401
        assert scene.get_with("/metrics", "") == 401
        assert scene.get_with("/healthz", "") == 200
        assert "nonsense" not in scene.log()


@pytest.mark.parametrize("resource", ["tokenreviews", "subjectaccessreviews"])
def test_each_of_the_two_rights_is_needed_and_a_missing_one_is_said(resource: str, scene: Scene) -> None:
    roles = scene.admin.resource(CLUSTER_ROLES)
    whole = roles.get(ROLE).body()["rules"]
    assert [(rule["resources"], rule["verbs"]) for rule in whole] == [
        (["tokenreviews"], ["create"]),
        (["subjectaccessreviews"], ["create"]),
    ]
    roles.patch(ROLE, {"rules": [rule for rule in whole if rule["resources"] != [resource]]})
    with scene.operator():
        eventually(lambda: scene.get("/metrics", READER["name"]) == 503)
        eventually(lambda: f'cannot create resource \\"{resource}\\"' in scene.log())
        roles.patch(ROLE, {"rules": whole})
        eventually(lambda: scene.get("/metrics", READER["name"]) == 200)
