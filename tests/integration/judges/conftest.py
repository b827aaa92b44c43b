"""A real and an embedded server that the judges look at; no controller makes pods on either."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from btcctl.testing.control_plane import ControlPlane, ControlPlaneOptions
from btcctl.testing.control_plane.binaries import find_binary
from tests.integration.conformance import servers
from tests.integration.conformance.servers import Server
from tests.integration.kubectl import Kubectl

#: Those that the embedded server has too.
CONTROLLERS = ("garbage-collector-controller", "namespace-controller", "serviceaccount-controller")


@pytest.fixture(scope="session")
def judged_control_plane() -> Iterator[ControlPlane]:
    with ControlPlane(ControlPlaneOptions(controllers=CONTROLLERS)) as running:
        yield running


@pytest.fixture(scope="session")
def both(judged_control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """The real server and the embedded one."""
    with servers.embedded(tmp_path_factory.mktemp("embedded")) as embedded:
        yield [servers.of(judged_control_plane), embedded]


@pytest.fixture(scope="session")
def kubectl_program() -> str:
    found = os.environ.get("BTCCTL_TEST_KUBECTL") or find_binary("kubectl") or shutil.which("kubectl")
    assert found, "no kubectl: `make controlplane` builds one"
    return str(found)


def kubectl_at(server: Server, program: str, folder: Path, namespace: str) -> Kubectl:
    """A kubectl of the admin's, in a namespace."""
    kubectl = Kubectl(program, folder / server.name)
    config = json.loads(json.dumps(server.kubeconfigs["admin"]))
    config["contexts"][0]["context"]["namespace"] = namespace
    kubectl.kubeconfig.write_text(json.dumps(config))
    return kubectl
