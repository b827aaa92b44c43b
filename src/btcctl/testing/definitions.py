"""What a server is told of kinds, and whether a manifest still says it."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from btcctl.crds.files import difference_from
from btcctl.crds.modules import crd_of_versions
from btcctl.resources import ResourceType
from btcctl.typed.kinds import AnyKind, type_of
from btcctl.typed.typed_object import TypedObject


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


def definitions_for(kinds: Iterable[AnyKind | Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The CustomResourceDefinitions of kinds, in their order; classes of one kind are its versions.

    Of classes they are what `btcctl crds` makes, of bare types such as take any object. Not to be changed.
    """
    kinds = [*kinds]
    classes = [each for each in kinds if isinstance(each, type)]
    made: dict[str | int, Mapping[str, Any]] = {}
    for number, kind in enumerate(kinds):
        if isinstance(kind, Mapping):
            made[number] = kind
        elif not isinstance(kind, type):
            made[number] = _free_definition(type_of(kind))
        elif (name := type_of(kind).group_resource) not in made:
            made[name] = _versions(*(each for each in classes if type_of(each).group_resource == name))
    return [*made.values()]


@functools.lru_cache(maxsize=64)  # a suite has the same few for each test
def _versions(*models: type[TypedObject]) -> Mapping[str, Any]:
    return crd_of_versions(models)


def _free_definition(type_: ResourceType) -> Mapping[str, Any]:
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
