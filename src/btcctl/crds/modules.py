"""The kinds that a module declares."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from btcctl.crds.definition import crd_for, priority_of
from btcctl.errors import ConfigError, describe_error
from btcctl.typed.definition import Definition
from btcctl.typed.kinds import definition_of
from btcctl.typed.typed_object import CustomResource, TypedObject


def load_module(name: str) -> ModuleType:
    """A module by its name, as `import` takes it with the working directory first, or by its file.

    Raises:
        ConfigError: There is none, or it cannot be imported; says why.
    """
    try:
        if name.endswith(".py"):
            return _load_file(Path(name))
        if "" not in sys.path:
            sys.path.insert(0, "")
        return importlib.import_module(name)
    except ConfigError:
        raise
    except Exception as error:  # a module may raise anything
        raise ConfigError(f"module {name} cannot be imported: {describe_error(error)}{_place_of(error)}") from error


def _place_of(error: Exception) -> str:
    """Where it was raised, if not by the import itself or by a library."""
    frames = [each for each in traceback.extract_tb(error.__traceback__) if not each.filename.startswith("<")]
    theirs = [each for each in frames if not _is_installed(each.filename)]
    return f", in {theirs[-1].filename}, line {theirs[-1].lineno}" if theirs else ""


def _is_installed(filename: str) -> bool:
    return filename.startswith((str(Path(__file__).parents[1]), sys.prefix, sys.base_prefix))


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ConfigError(f"there is no file {path}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def crds_in(module: ModuleType) -> list[dict[str, Any]]:
    """The CustomResourceDefinitions of all classes of custom resources in a module, by name.

    Classes of one kind are its versions; the newest that is served is the one in which objects are stored.

    Raises:
        ConfigError: There are none; or one cannot be made.
    """
    kinds: dict[str, list[type[TypedObject]]] = {}
    for each in vars(module).values():
        if isinstance(each, type) and issubclass(each, CustomResource) and _definition(each) is not None:
            models = kinds.setdefault(definition_of(each).type.group_resource, [])
            if each not in models:
                models.append(each)
    if not kinds:
        raise ConfigError(
            f"module {module.__name__} has no class that says which kind it is: "
            "class Database(CustomResource[Spec, Status], group=…, version=…, plural=…)"
        )
    try:
        return [crd_of_versions(kinds[name]) for name in sorted(kinds)]
    except (TypeError, ValueError) as error:
        raise ConfigError(f"module {module.__name__}: {error}") from error


def _definition(model: type[Any]) -> Definition | None:
    return getattr(model, "__definition__", None)


def crd_of_versions(models: Sequence[type[TypedObject]]) -> dict[str, Any]:
    """The definition of one kind; the newest version that is served is stored. Raises as `crd_for`."""
    newest_first = sorted(models, key=lambda each: priority_of(definition_of(each).type.version))
    stored = next((each for each in newest_first if definition_of(each).served), newest_first[0])
    return crd_for(stored, *(each for each in newest_first if each is not stored))
