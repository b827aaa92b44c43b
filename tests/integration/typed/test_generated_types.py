"""Classes from definitions of well-known shapes: type checkers agree, and both API servers take what they make."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

from btcctl import CUSTOM_RESOURCE_DEFINITIONS, CustomResource, ObjectKey, crd_for
from btcctl.crds.generating import source_of
from btcctl.typed.kinds import definition_of
from tests.integration.api_servers import ApiServer
from tests.integration.typed.test_shapes_on_both_servers import install, wait_until_served
from tests.known_crds import KNOWN


def written(folder: Path) -> Path:
    path = folder / "generated_types.py"
    path.write_text(source_of([definition for definition, _ in KNOWN.values()]))
    return path


def models_of(path: Path) -> dict[str, Any]:
    """The class of the stored version of each kind."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    found = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, CustomResource)]
    stored = {
        definition["metadata"]["name"]: definition["spec"]["versions"][0]["name"] for definition, _ in KNOWN.values()
    }
    types = {each: definition_of(each).type for each in found if each is not CustomResource}
    return {
        type_.group_resource: each for each, type_ in types.items() if stored[type_.group_resource] == type_.version
    }


def test_the_classes_are_strictly_typed(tmp_path: Path):
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file=",
        f"--cache-dir={tmp_path}",
        str(written(tmp_path)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout


def test_both_servers_take_the_definitions_and_what_the_classes_make_of_their_objects(
    api_server: ApiServer, tmp_path: Path
):
    client = api_server.client()
    models = models_of(written(tmp_path))
    assert len(models) == len(KNOWN) >= 12
    try:
        for definition, _ in KNOWN.values():
            install(client, definition)
        for definition, spec in KNOWN.values():
            wait_until_served(client, definition)
            model = models[definition["metadata"]["name"]]
            namespace = api_server.namespace if definition_of(model).type.namespaced else ""
            resource = client.resource(model, namespace)
            resource.untyped.create({"metadata": {"name": "a"}, "spec": spec})
            read = resource.get(ObjectKey(namespace, "a"))
            made = resource.create(model(metadata=type(read.metadata)(name="b"), spec=read.spec))
            assert made.spec == read.spec
            resource.delete(made)
            resource.delete(read)
    finally:
        client.resource(CUSTOM_RESOURCE_DEFINITIONS).delete_collection()


def test_both_servers_take_the_definitions_that_the_classes_make(api_server: ApiServer, tmp_path: Path):
    client = api_server.client()
    try:
        for model in models_of(written(tmp_path)).values():
            install(client, crd_for(model))
    finally:
        client.resource(CUSTOM_RESOURCE_DEFINITIONS).delete_collection()
