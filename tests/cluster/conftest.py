from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.kubectl import Kubectl
from tests.integration.programs import KUBECTL

CLUSTER = os.environ.get("BTCCTL_TEST_CLUSTER", "")
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a cluster these tests are left out."""
    ours = [item for item in items if _HERE in item.path.parents]
    if ours and not (CLUSTER and KUBECTL):
        items[:] = [item for item in items if item not in ours]
        config.hook.pytest_deselected(items=ours)


@pytest.fixture
def kubectl(tmp_path: Path) -> Iterator[Kubectl]:
    """In a namespace of the test's own."""
    assert KUBECTL
    kubectl = Kubectl(KUBECTL, tmp_path / "home")
    kubectl.kubeconfig.write_bytes(Path(CLUSTER).read_bytes())
    namespace = f"story-{uuid.uuid4().hex[:6]}"
    kubectl("create", "namespace", namespace)
    kubectl("config", "set-context", "--current", f"--namespace={namespace}")
    yield kubectl
    kubectl("delete", "namespace", namespace, "--wait=false")
