"""What a server is told of kinds, and whether a manifest still says it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from btcctl.crds.definition import crd_for
from btcctl.crds.files import difference_from
from btcctl.typed.kinds import AnyKind, type_of


def assert_crds(manifest: str | Path, module: ModuleType) -> None:
    """The CustomResourceDefinitions in a file of YAML are those of the module's classes: `btcctl crds MODULE` made it.

    Args:
        manifest: The file.
        module: With the classes, and no other kinds of yours: `my_operator.types`.

    Raises:
        AssertionError: They are not; shows the difference, and the command that makes the file anew.
        ConfigError: The file cannot be read, or the module has no classes of custom resources.
    """
    name = module.__name__
    if found := difference_from(Path(manifest), module, name):
        raise AssertionError(f"{manifest} is out of date: btcctl crds {name} > {manifest}\n{found}")


@functools.lru_cache(maxsize=64)  # a suite has the same few for each test
def definition_for(kind: AnyKind) -> Mapping[str, Any]:
    """The CustomResourceDefinition of a class; of other kinds one that takes any object. Not to be changed."""
    if isinstance(kind, type):
        return crd_for(kind)
    type_ = type_of(kind)
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": type_.version, "served": True, "storage": True, "schema": {"openAPIV3Schema": free}}
    names = {"plural": type_.plural, "kind": type_.kind}
    scope = "Namespaced" if type_.namespaced else "Cluster"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": type_.group_resource},
        "spec": {
            "group": type_.group,
            "scope": scope,
            "names": names,
            "versions": [{**version, "subresources": {"status": {}}}],
        },
    }
