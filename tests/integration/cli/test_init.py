"""A project that `btcctl init` makes is green as it is: tests, types, definition, rights; it works on both servers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from btcctl import CONFIG_MAPS, CUSTOM_RESOURCE_DEFINITIONS, NAMESPACES, Object, ObjectKey
from btcctl.cli.main import main


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "my-db", "--kind", "Database", "--group", "db.example.org"], {}) == 0
    return tmp_path / "my-db"


def run(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *command], cwd=project, capture_output=True, text=True, check=False)


def test_its_tests_pass(project: Path):
    done = run(project, "pytest", "-q", "-p", "btcctl.testing.pytest_plugin", "-p", "no:cacheprovider")
    assert "5 passed" in done.stdout, done.stdout + done.stderr


def test_its_types_are_strict(project: Path):
    done = run(project, "mypy")
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_files_are_what_they_say(project: Path):
    for path in [*project.glob("manifests/*.yaml"), *project.glob(".github/workflows/*.yaml")]:
        assert all(isinstance(each, dict) for each in yaml.safe_load_all(path.read_text())), path


def is_served(crd: Object | None) -> bool:
    conditions = [] if crd is None else (crd.body().get("status") or {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


def test_it_works_on_both_servers(project: Path, lasting_api_server: Any, tmp_path: Path):
    client = lasting_api_server.client()
    manifests = {path.stem: [*yaml.safe_load_all(path.read_text())] for path in project.glob("manifests/*.yaml")}
    for each in [*manifests["deployment"], *manifests["rbac"]]:
        client.resource(client.type_of(each["apiVersion"], each["kind"])).create(each)
    [crd] = manifests["crds"]
    definitions = client.resource(CUSTOM_RESOURCE_DEFINITIONS)
    key = definitions.create(crd).key
    definitions.wait_until(key, is_served, timeout=30.0)
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text(yaml.safe_dump(lasting_api_server.access().kubeconfig))
    command = [sys.executable, "-m", "my_db", "--kubeconfig", str(kubeconfig), "-n", lasting_api_server.namespace]
    process = subprocess.Popen(command, cwd=project)
    try:
        [example] = manifests["example"]
        example["metadata"]["namespace"] = lasting_api_server.namespace
        client.resource(client.type_of(example["apiVersion"], example["kind"])).create(example)
        wanted = ObjectKey(lasting_api_server.namespace, "example")
        found = client.resource(CONFIG_MAPS).wait_until(wanted, lambda obj: obj is not None, timeout=60.0)
        assert found.body()["data"] == {"text": "hello\nhello"}
    finally:
        process.terminate()
        assert process.wait(40) == 0
        definitions.delete(key)
        client.resource(NAMESPACES).delete(ObjectKey("", "my-db"))
        for each in manifests["rbac"][1:]:
            client.resource(client.type_of(each["apiVersion"], each["kind"])).delete(ObjectKey("", "my-db"))
