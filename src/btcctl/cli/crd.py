"""`btcctl crd`: print the CustomResourceDefinition."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from btcctl.bitcoin.crd import crd_yaml


def add_parser(commands: Any, environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "crd",
        help="print the CustomResourceDefinition",
        description="Print the CustomResourceDefinition of BitcoinNetwork, for: btcctl crd | kubectl apply -f -",
    )
    parser.set_defaults(command=print_crd)
    return parser


def print_crd(args: argparse.Namespace) -> int:
    """Write the CRD, as YAML, to standard output."""
    sys.stdout.write(crd_yaml())
    return 0
