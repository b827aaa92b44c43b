"""A project of `btcctl init` runs in the sandbox by its own manifests: nothing of it is built or pulled."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
import yaml

from btcctl import CONFIG_MAPS, ApiClient, Object, ObjectKey, load_config
from btcctl.cli.main import main
from btcctl.sandbox.session import SandboxOptions, Session


def order(path: Path) -> int:
    return ("crds.yaml", "deployment.yaml", "rbac.yaml", "example.yaml").index(path.name)


@pytest.mark.timeout(600)
def test_the_operator_of_a_new_project_works_in_a_pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert main(["init", "my-db", "--kind", "Database", "--group", "db.example.org"], {}) == 0
    project = tmp_path / "my-db"
    command = shlex.join(["env", f"PYTHONPATH={project}", sys.executable, "-m", "my_db"])
    options = SandboxOptions(
        nodes=0,
        simulated=True,
        operator=False,
        run=(f"my-db={command}",),
        manifests=tuple(sorted((project / "manifests").glob("*.yaml"), key=order)),
        kubeconfig_out=tmp_path / "kubeconfig",
    )
    with Session(options, say=lambda _: None), ApiClient.from_config(load_config(tmp_path / "kubeconfig")) as client:

        def is_ready(found: Object | None) -> bool:
            return found is not None and (found.body().get("status") or {}).get("phase") == "Ready"

        [example] = yaml.safe_load_all((project / "manifests" / "example.yaml").read_text())
        key = ObjectKey("default", "example")
        client.resource(client.type_of(example["apiVersion"], example["kind"])).wait_until(key, is_ready, timeout=120.0)
        assert client.resource(CONFIG_MAPS).get(key).body()["data"] == {"text": "hello\nhello"}
