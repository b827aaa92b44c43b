"""`btcctl crds`: the CustomResourceDefinitions of a module's classes, or whether a file still says the same."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from btcctl.crds.definition import to_yaml
from btcctl.crds.modules import crds_in, load_module
from btcctl.errors import ConfigError


def add_parser(commands: Any, environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "crds",
        help="CustomResourceDefinitions of the classes in a module",
        description=(
            "Print the CustomResourceDefinitions of the classes in a module, for: btcctl crds my_operator.types | "
            "kubectl apply -f -. With --check nothing is printed if FILE says the same; otherwise the difference, and "
            "the exit status is 1."
        ),
    )
    parser.add_argument("module", metavar="MODULE", help="its name, or its file: my_operator.types, types.py")
    parser.add_argument("--check", metavar="FILE", help="compare with the definitions in FILE")
    parser.set_defaults(command=print_crds)
    return parser


def print_crds(args: argparse.Namespace) -> int:
    """Write the definitions, as YAML, to standard output; or compare them."""
    made = crds_in(load_module(args.module))
    if args.check is None:
        sys.stdout.write(to_yaml(made))
        return 0
    written = definitions_in(Path(args.check))
    if written == made:
        return 0
    before, after = to_yaml(written).splitlines(), to_yaml(made).splitlines()
    for line in difflib.unified_diff(before, after, args.check, args.module, lineterm="", n=6):
        print(line)
    print(f"{args.check} is out of date: btcctl crds {args.module} > {args.check}", file=sys.stderr)
    return 1


def definitions_in(path: Path) -> list[dict[str, Any]]:
    """The CustomResourceDefinitions in a file of YAML, by name; raises as `objects_in`."""
    found = [each for each in objects_in(path) if each.get("kind") == "CustomResourceDefinition"]
    return sorted(found, key=lambda each: str((each.get("metadata") or {}).get("name")))


def objects_in(path: Path) -> list[dict[str, Any]]:
    """The objects in a file of YAML.

    Raises:
        ConfigError: It cannot be read, or is no YAML of objects.
    """
    try:
        documents = [*yaml.safe_load_all(path.read_text())]
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    if not all(each is None or isinstance(each, dict) for each in documents):
        raise ConfigError(f"{path} holds something else than objects")
    return [each for each in documents if each]
