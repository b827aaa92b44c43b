"""`btcctl types`: Python classes from CustomResourceDefinitions."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from btcctl.crds.files import definitions_in
from btcctl.crds.generating import source_of
from btcctl.errors import ConfigError


def add_parser(commands: Any, environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "types",
        help="Python classes from CustomResourceDefinitions",
        description=(
            "Print a Python module with a class for each served version of the CustomResourceDefinitions in a file: "
            "btcctl types crd.yaml > my_operator/types.py"
        ),
    )
    parser.add_argument("file", metavar="CRD.yaml", help="YAML or JSON; other objects in it are left out")
    parser.set_defaults(command=print_types)
    return parser


def print_types(args: argparse.Namespace) -> int:
    """Write the module to standard output."""
    definitions = definitions_in(Path(args.file))
    if not definitions:
        raise ConfigError(f"{args.file} holds no CustomResourceDefinition")
    sys.stdout.write(source_of(definitions))
    return 0
