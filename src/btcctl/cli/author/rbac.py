"""`btcctl rbac`: the least ClusterRole for what an audit log saw, or how a manifest differs from it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from btcctl.crds.files import objects_in
from btcctl.errors import ConfigError
from btcctl.named_files import read_once, shown_name
from btcctl.rbac.audit import uses_in
from btcctl.rbac.rights import cluster_role, difference, rules_in

_MOST_BYTES = 1 << 30  # of an audit log


def add_parser(commands: Any, environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "rbac",
        help="the least rights for what an operator does",
        description=(
            "Print the least ClusterRole for what a user has asked an API server for, by its audit log (one JSON "
            "event a line, level Metadata or more). With --check nothing is printed if the Roles and ClusterRoles in "
            "MANIFEST grant exactly that; otherwise what is missing and superfluous, and the exit status is 1."
        ),
    )
    parser.add_argument("--from-audit", metavar="FILE", required=True, help="the audit log")
    parser.add_argument(
        "--user", default="", help="whose: system:serviceaccount:NAMESPACE:NAME; of all users if missing"
    )
    parser.add_argument("--name", default="operator", help="of the ClusterRole")
    parser.add_argument("--check", metavar="MANIFEST", help="compare with the roles in MANIFEST")
    parser.set_defaults(command=print_role)
    return parser


def print_role(args: argparse.Namespace) -> int:
    """Write the role, as YAML, to standard output; or compare."""
    path = Path(args.from_audit)
    try:
        uses = uses_in(read_once(path, _MOST_BYTES).decode().splitlines(), str(path), args.user)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise ConfigError(f"{shown_name(path)} cannot be read: {why}") from error
    if args.check is None:
        role = cluster_role(args.name, (each.right for each in uses))
        yaml.safe_dump(role, sys.stdout, sort_keys=False)
        return 0
    found = difference(uses, rules_in(objects_in(Path(args.check))))
    if found:
        print(f"{args.check}: {found}")
    return 1 if found else 0
