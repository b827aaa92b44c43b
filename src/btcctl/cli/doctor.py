"""`btcctl doctor`: looks for what keeps an operator from its work, and says how to mend it."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from btcctl.bitcoin.doctor.definition import check_definition
from btcctl.bitcoin.doctor.diagnosis import ERROR, Check, Diagnosis, run_checks
from btcctl.bitcoin.doctor.lease import check_lease
from btcctl.bitcoin.doctor.nodes import check_images, check_reach, check_secrets
from btcctl.bitcoin.doctor.rights import check_rights
from btcctl.bitcoin.doctor.server import check_namespaces, check_server
from btcctl.bitcoin.operator import FIELD_MANAGER
from btcctl.cli.flags import Flags, cluster_config, parse_namespace, parse_object_name
from btcctl.cli.leading import IN_CLUSTER, LEASE, NAMESPACE
from btcctl.clock import SYSTEM_CLOCK
from btcctl.objects import ObjectKey
from btcctl.rest.client import ApiClient

_MARKS = {"ok": "[ok]", "warning": "[!!]", "error": "[XX]", "skipped": "[--]"}


def add_parser(commands: Any, environ: Mapping[str, str]) -> argparse.ArgumentParser:
    """Add the command to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "doctor",
        help="what keeps an operator from its work, and how to mend it",
        description=(
            "Look at the API server, the CustomResourceDefinition, our rights, the Lease, and the Secrets, images and "
            "addresses of the nodes; print what is wrong with the rule or command that mends it. Writes nothing. Ends "
            "with 1 if something is wrong. Beside a cluster, look with the controller's rights: "
            "--as system:serviceaccount:bitcoin-controller:bitcoin-controller-sva"
        ),
    )
    flags = Flags(parser, environ)
    flags.cluster()
    flags.names("--namespace", "-n", parse=parse_namespace, metavar="NAME", about="look at this namespace only")
    flags.value(
        "--leader-elect-resource-name", parse=parse_object_name, metavar="NAME", default=LEASE, about="the Lease"
    )
    flags.value(
        "--leader-elect-resource-namespace",
        parse=parse_namespace,
        metavar="NAME",
        default="",
        about=f"where it is; in a cluster the pod's own namespace, else {NAMESPACE}",
    )
    flags.value("--output", "-o", choices=("text", "json"), default="text", about="for people, or for programs")
    parser.set_defaults(command=diagnose)
    return parser


def diagnose(args: argparse.Namespace) -> int:
    """Print what each check finds, as it does; 1 if something is wrong."""
    config = cluster_config(args)
    is_inside = config.source == IN_CLUSTER
    namespace = args.leader_elect_resource_namespace or (config.namespace if is_inside else NAMESPACE)
    lease = ObjectKey(namespace, args.leader_elect_resource_name)
    found: list[Diagnosis] = []
    with contextlib.closing(ApiClient.from_config(config, field_manager=FIELD_MANAGER)) as client:
        for each in run_checks(_checks(client, config.host, tuple(args.namespace), lease)):
            found.append(each)
            if args.output == "text":
                print(_line(each), flush=True)
    if args.output == "json":
        print(json.dumps([asdict(each) for each in found], indent=1))
    return 1 if any(each.verdict == ERROR for each in found) else 0


def _checks(client: ApiClient, host: str, namespaces: tuple[str, ...], lease: ObjectKey) -> dict[str, Check]:
    account = f"{lease.namespace}:{NAMESPACE}-sva"
    return {
        "server": partial(check_server, client, host),
        "namespaces": partial(check_namespaces, client, namespaces),
        "definition": partial(check_definition, client, next(iter(namespaces), "")),
        "rights": partial(check_rights, client, namespaces, lease.namespace, lease.name),
        "lease": partial(check_lease, client, lease, SYSTEM_CLOCK.wall_time()),
        "secrets": partial(check_secrets, client, namespaces, account),
        "images": partial(check_images, client, namespaces),
        "reach": partial(check_reach, client, namespaces),
    }


def _line(found: Diagnosis) -> str:
    cure = "".join(f"\n       {line}" for line in found.cure.splitlines())
    return f"{_MARKS[found.verdict]} {found.check}: {found.message}{cure}"
