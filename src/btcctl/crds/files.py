"""Definitions in files of YAML, and how they differ from those of a module."""

from __future__ import annotations

import difflib
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from btcctl.crds.definition import to_yaml
from btcctl.crds.modules import crds_in
from btcctl.errors import ConfigError
from btcctl.named_files import read_once, shown_name


class _Loader(yaml.SafeLoader):
    """As kubectl reads: times stay texts, and so does `=`, of which YAML 1.1 says what nobody has ever used."""


_Loader.yaml_implicit_resolvers = {
    character: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] not in {"timestamp", "value"}]
    for character, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def difference_from(path: Path, module: ModuleType, name: str) -> str:
    """How a file's definitions differ from those of a module's classes, as a diff; "" if they are the same.

    Args:
        name: Of the module, as whoever made the file has called it.

    Raises:
        ConfigError: One of them cannot be read, or has no definitions.
    """
    made, written = crds_in(module), definitions_in(path)
    if written == made:
        return ""
    before, after = to_yaml(written).splitlines(), to_yaml(made).splitlines()
    return "\n".join(difflib.unified_diff(before, after, str(path), name, lineterm="", n=6))


def definitions_in(path: Path) -> list[dict[str, Any]]:
    """The CustomResourceDefinitions in a file of YAML, by name; raises as `objects_in`."""
    found = [each for each in objects_in(path) if each.get("kind") == "CustomResourceDefinition"]
    return sorted(found, key=lambda each: str((each.get("metadata") or {}).get("name")))


def objects_in(path: Path) -> list[dict[str, Any]]:
    """The objects in a file of YAML, also those in a List, as `kubectl get` prints several.

    Raises:
        ConfigError: It cannot be read, or is no YAML of objects.
    """
    try:
        documents = [*yaml.load_all(read_once(path).decode(), _Loader)]
    except OSError as error:
        raise ConfigError(f"{shown_name(path)} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    found = [inner for each in documents for inner in _items_of(each)]
    if not all(each is None or isinstance(each, dict) for each in found):
        raise ConfigError(f"{path} holds something else than objects")
    return [each for each in found if each]


def _items_of(document: Any) -> list[Any]:
    if isinstance(document, dict) and str(document.get("kind")).endswith("List"):
        items = document.get("items")
        return items if isinstance(items, list) else [document]
    return [document]
