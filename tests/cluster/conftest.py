"""Scenes on a cluster that has the operator; BTCCTL_TEST_CLUSTER has its kubeconfig.

`make e2e` runs them on a real node, `hack/kind-e2e.sh` on a kind cluster. Those marked `alone` disturb others; those
that take `machine` need BTCCTL_TEST_MACHINE, see `machine.py`. What is not there is left out, and one line says so.
"""

from __future__ import annotations

import os
import shlex
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.machine import Machine
from tests.cluster.network import SECRET, Network
from tests.integration.kubectl import Kubectl
from tests.integration.programs import KUBECTL

CLUSTER = os.environ.get("BTCCTL_TEST_CLUSTER", "")
MACHINE = tuple(shlex.split(os.environ.get("BTCCTL_TEST_MACHINE", "")))
_HERE = Path(__file__).parent
_LEFT_OUT = pytest.StashKey[str]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a cluster these tests are left out, without its machine some of them."""
    ours = [item for item in items if _HERE in item.path.parents]
    if CLUSTER and KUBECTL:
        ours = [item for item in ours if not MACHINE and "machine" in getattr(item, "fixturenames", ())]
    if ours:
        items[:] = [item for item in items if item not in ours]
        config.hook.pytest_deselected(items=ours)
        missing = "BTCCTL_TEST_MACHINE" if CLUSTER and KUBECTL else "BTCCTL_TEST_CLUSTER"
        config.stash[_LEFT_OUT] = f"no {missing}: {len(ours)} tests of a cluster left out"


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    said = config.stash.get(_LEFT_OUT, "")
    return [said] if said and CLUSTER else []


@pytest.fixture(scope="session")
def machine() -> Machine:
    return Machine(MACHINE)


@pytest.fixture
def namespace() -> str:
    """Of the test's own; `kubectl` makes it."""
    return f"scene-{uuid.uuid4().hex[:6]}"


@pytest.fixture
def kubectl(tmp_path: Path, namespace: str) -> Iterator[Kubectl]:
    """An admin's, in the test's namespace."""
    assert KUBECTL
    kubectl = Kubectl(KUBECTL, tmp_path / "home")
    kubectl.kubeconfig.write_bytes(Path(CLUSTER).read_bytes())
    kubectl("create", "namespace", namespace)
    kubectl("config", "set-context", "--current", f"--namespace={namespace}")
    yield kubectl
    kubectl("delete", "namespace", namespace, "--wait=false", "--ignore-not-found")


@pytest.fixture
def secret(kubectl: Kubectl) -> str:
    """Credentials that networks may name."""
    values = ("--from-literal=BC_RPC_USER=ada", "--from-literal=BC_RPC_PASSWORD=first-password")
    kubectl("create", "secret", "generic", SECRET, *values)
    return SECRET


@pytest.fixture
def network(kubectl: Kubectl) -> Callable[..., Network]:
    """`network(3, …)` makes one with these fields of its spec, and waits until it is Ready and meshed."""

    def make(nodes: int, **spec: object) -> Network:
        made = Network(kubectl)
        made.create(nodes, **spec)
        made.wait_until_ready(nodes)
        return made

    return make
