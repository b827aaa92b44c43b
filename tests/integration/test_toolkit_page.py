"""The blocks of docs/toolkit.md are one program, with what they take for granted in between: it runs, and has types."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from btcctl.apiserver.api import Api
from btcctl.apiserver.http import EmbeddedServer
from btcctl.apiserver.network.kubeconfig import kubeconfig, write_kubeconfig
from btcctl.resources import CUSTOM_RESOURCE_DEFINITIONS, NAMESPACES, ResourceType
from btcctl.rest.client import ApiClient
from btcctl.rest.loading import load_config
from tests.types_of import mypy

PAGE = Path(__file__).parents[2] / "docs" / "toolkit.md"
# What stands before each block.
BEFORE = (
    "",
    """
import msgspec
from btcctl import SharedInformer
from btcctl.resources import PODS

class Widget(msgspec.Struct):
    spec: dict[str, int]

pods = SharedInformer(client.resource(PODS).lister_watcher(), name="pods")
""",
    "",
    """
from btcctl import Controller, Object, Result, generation_changed
from btcctl.resources import DEPLOYMENTS, SECRETS

FOOS = ResourceType("samplecontroller.k8s.io", "v1alpha1", "foos", "Foo")

def foos_that_use(secret: Object) -> list[ObjectKey]:
    return [secret.key]

def reconcile(key: ObjectKey) -> Result:
    return Result()
""",
    """
from typing import Any

from btcctl import Contention, create_or_update, set_controller, set_fields

settings, lister = client.resource(CONFIG_MAPS), factory.informer(CONFIG_MAPS).lister
contention = Contention(client.field_manager)
""",
    """
from btcctl import Elector, Fence, HttpTransport, LeaseLock, Manager

config = load_config()
""",
    """
from btcctl import EventRecorder, ObjectReference, log_event

widget = client.resource(WIDGETS).get(ObjectKey("default", "a"))
""",
    "",
    """
from collections.abc import Mapping
from typing import Any, NoReturn

import pytest
from btcctl import Conflict, ObjectKey, ResourceType
from btcctl.rest.collection.resource import Resource
from btcctl.testing import FakeClient

WIDGETS = ResourceType("example.org", "v1", "widgets", "Widget")
widget = {"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "a", "namespace": "default"}}

def refuse() -> NoReturn:
    raise Conflict(409, "Conflict")

def grow(widgets: Resource, name: str) -> None:
    body = widgets.get(ObjectKey("default", name)).body()
    widgets.update({**body, "spec": {"size": 2}})
""",
)
AFTER = """
from btcctl.resources import EVENTS

manager.start()
assert manager.elector is not None and manager.elector.leading.wait(60.0)
factory.require_sync(10.0)
recorder.start()
recorder.stop()
assert [event.body()["reason"] for event in client.resource(EVENTS, "default").list()[0]] == ["Created"]
manager.stop()
"""


def programs() -> list[str]:
    """Two: tests are written without a server."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == len(BEFORE)
    *parts, tests = [f"{before}\n{block}" for before, block in zip(BEFORE, blocks, strict=True)]
    return ["\n".join([*parts, AFTER]), tests]


def free_definition(type_: ResourceType) -> dict[str, Any]:
    """A CustomResourceDefinition that takes any object."""
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": type_.version, "served": True, "storage": True, "schema": {"openAPIV3Schema": free}}
    names = {"plural": type_.plural, "kind": type_.kind}
    spec = {"group": type_.group, "scope": "Namespaced", "names": names, "versions": [version]}
    approved = {"api-approved.kubernetes.io": "unapproved, a test"}  # of a group of Kubernetes' own, as one of them is
    return {"metadata": {"name": type_.group_resource, "annotations": approved}, "spec": spec}


def prepare(client: ApiClient) -> None:
    for name in ("team-a", "team-b"):
        client.resource(NAMESPACES).create({"metadata": {"name": name}})
    for type_ in (
        ResourceType("example.org", "v1", "widgets", "Widget"),
        ResourceType("samplecontroller.k8s.io", "v1alpha1", "foos", "Foo"),
    ):
        client.resource(CUSTOM_RESOURCE_DEFINITIONS).create(free_definition(type_))


def test_the_blocks_of_the_toolkit_page_run(tmp_path: Path) -> None:
    config = tmp_path / "kubeconfig"
    with EmbeddedServer(Api()) as server:
        write_kubeconfig(config, kubeconfig(server.url))
        with ApiClient.from_config(load_config(config)) as client:
            prepare(client)
        for program in programs():
            env = {"KUBECONFIG": str(config), "PATH": "/usr/bin:/bin"}
            done = subprocess.run(
                [sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=60, check=False
            )
            assert done.returncode == 0, done.stderr


@pytest.mark.timeout(600)
def test_the_blocks_of_the_toolkit_page_and_the_readme_have_types(tmp_path: Path) -> None:
    [readme] = re.findall(r"```python\n(.*?)```", (PAGE.parents[1] / "README.md").read_text(), re.DOTALL)
    for number, program in enumerate([readme, *programs()]):
        (tmp_path / f"program_{number}.py").write_text(program)
    done = mypy(tmp_path, "--strict", "--config-file=", ".")
    assert done.returncode == 0, done.stdout
