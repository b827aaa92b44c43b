"""`btcctl crds`: the CustomResourceDefinitions of a module's classes, or whether a file still says the same."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from btcctl.crds.definition import to_yaml
from btcctl.crds.files import difference_from
from btcctl.crds.modules import crds_in, load_module


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
    module = load_module(args.module)
    if args.check is None:
        sys.stdout.write(to_yaml(crds_in(module)))
        return 0
    found = difference_from(Path(args.check), module, args.module)
    if not found:
        return 0
    print(found)
    print(f"{args.check} is out of date: btcctl crds {args.module} > {args.check}", file=sys.stderr)
    return 1
