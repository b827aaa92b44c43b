"""A project that `btcctl init` makes is green as it is: tests, types, definition, rights; it works on both servers."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from btcctl import CONFIG_MAPS, CUSTOM_RESOURCE_DEFINITIONS, NAMESPACES, ObjectKey
from btcctl.cli.main import main
from btcctl.rest.served import wait_until_served
from tests.integration.programs import HELM
from tests.types_of import mypy

LIKES = ["", "kopf", "sample-controller"]


def make(like: str) -> int:
    options = ["--like", like] if like else []
    return main(["init", "my-db", "--kind", "Database", "--group", "db.example.org", *options], {})


@pytest.fixture(params=LIKES, ids=["plain", "kopf", "sample-controller"])
def any_project(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert make(request.param) == 0
    return tmp_path / "my-db"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert make("") == 0
    return tmp_path / "my-db"


def run(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *command], cwd=project, capture_output=True, text=True, check=False)


def pytest_of(project: Path, *options: str) -> str:
    return run(project, "pytest", "-q", "-p", "btcctl.testing.pytest_plugin", "-p", "no:cacheprovider", *options).stdout


@pytest.mark.timeout(600)
def test_its_tests_pass_and_have_written_its_rights(any_project: Path):
    rights = (any_project / "manifests" / "rbac.yaml").read_text()
    (any_project / "manifests" / "rbac.yaml").write_text(rights.replace("  - list\n", "  - escalate\n"))
    assert "escalate databases.db.example.org" in pytest_of(any_project, "-k", "granted")
    assert "1 passed" in pytest_of(any_project, "-k", "granted", "--write-rbac")
    assert (any_project / "manifests" / "rbac.yaml").read_text() == rights
    said = pytest_of(any_project)
    assert re.search(r"^\d+ passed", said, re.MULTILINE), said


@pytest.mark.timeout(600)
def test_its_types_are_strict(any_project: Path):
    done = mypy(any_project)
    assert done.returncode == 0, done.stdout + done.stderr
    pytest.importorskip("pyright")
    (any_project / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict", "include": ["my_db", "tests"]}')
    done = run(any_project, "pyright", "--pythonpath", sys.executable)
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_files_are_what_they_say(any_project: Path):
    paths = [*any_project.glob("manifests/*.yaml"), *any_project.glob(".github/workflows/*.yaml")]
    for path in [*paths, *any_project.glob("chart/*.yaml"), *any_project.glob("chart/files/*.yaml")]:
        assert all(isinstance(each, dict) for each in yaml.safe_load_all(path.read_text())), path
    for path in any_project.rglob("*"):
        assert path.is_dir() or not re.search(r"\$[{$]", path.read_text()), path


def helm(*arguments: str) -> str:
    assert HELM
    done = subprocess.run([HELM, *arguments], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else f"refused: {done.stdout}{done.stderr}"


def objects_of(chart: Path, *values: str) -> dict[str, dict[str, Any]]:
    options = [option for value in values for option in ("--set-json", value)]
    text = helm("template", "my-db", str(chart), "-n", "my-db", "--kube-version", "1.36.0", *options)
    return {f"{each['kind']} {each['metadata']['name']}": each for each in yaml.safe_load_all(text) if each}


@pytest.mark.helm
def test_its_chart_is_right_and_makes_what_the_manifests_say(project: Path):
    chart = project / "chart"
    assert "0 chart(s) failed" in helm("lint", "--strict", str(chart))
    made = objects_of(chart)
    written = [each for path in project.glob("manifests/*.yaml") for each in yaml.safe_load_all(path.read_text())]
    there = {f"{each['kind']} {each['metadata']['name']}" for each in written}
    assert {*made} == there - {"Namespace my-db", "Database example"}
    [role] = [each for each in written if each["kind"] == "ClusterRole"]
    assert made["ClusterRole my-db"]["rules"] == role["rules"]
    [crd] = [each for each in written if each["kind"] == "CustomResourceDefinition"]
    assert made["CustomResourceDefinition databases.db.example.org"]["spec"] == crd["spec"]


@pytest.mark.helm
def test_its_chart_can_be_narrowed_to_namespaces_and_refuses_what_it_does_not_know(project: Path):
    chart = project / "chart"
    narrow = objects_of(chart, 'namespaces=["team-a"]', 'crds={"install": false}')
    assert sorted(narrow) == ["ClusterRole my-db", "Deployment my-db", "RoleBinding my-db", "ServiceAccount my-db"]
    [container] = narrow["Deployment my-db"]["spec"]["template"]["spec"]["containers"]
    assert "--namespace=team-a" in container["args"]
    assert "additional properties 'replica' not allowed" in helm("template", str(chart), "--set", "replica=2")


def test_it_works_on_both_servers(project: Path, lasting_api_server: Any, tmp_path: Path):
    client = lasting_api_server.client()
    manifests = {path.stem: [*yaml.safe_load_all(path.read_text())] for path in project.glob("manifests/*.yaml")}
    for each in [*manifests["deployment"], *manifests["rbac"]]:
        client.resource(client.type_of(each["apiVersion"], each["kind"])).create(each)
    [crd] = manifests["crds"]
    definitions = client.resource(CUSTOM_RESOURCE_DEFINITIONS)
    key = definitions.create(crd).key
    wait_until_served(client, crd["spec"])
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
        assert process.wait(60) == 0
        definitions.delete(key)
        client.resource(NAMESPACES).delete(ObjectKey("", "my-db"))
        for each in manifests["rbac"][1:]:
            client.resource(client.type_of(each["apiVersion"], each["kind"])).delete(ObjectKey("", "my-db"))
