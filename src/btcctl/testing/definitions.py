"""Whether a manifest still defines what the classes of a module say."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from btcctl.crds.files import difference_from


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
