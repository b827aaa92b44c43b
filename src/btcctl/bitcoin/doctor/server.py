"""Whether the API server is one of those that this version was tested with, and has the namespaces that are meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

from btcctl.bitcoin.doctor.diagnosis import ERROR, OK, WARNING, Diagnosis
from btcctl.errors import Forbidden, NotFound
from btcctl.objects import ObjectKey
from btcctl.resources import NAMESPACES
from btcctl.rest.client import ApiClient

TESTED: Final = ((1, 33), (1, 36))  #: the oldest and the newest Kubernetes; see docs/support.md


def check_server(client: ApiClient, address: str) -> Iterator[Diagnosis]:
    """
    Args:
        address: Where it is, for people.
    """
    said = str(client.server_version().get("gitVersion", "unknown"))
    match = re.match(r"v(\d+)\.(\d+)", said)
    oldest, newest = (f"{major}.{minor}" for major, minor in TESTED)
    if match is None or not TESTED[0] <= (int(match[1]), int(match[2])) <= TESTED[1]:
        yield Diagnosis("server", WARNING, f"{address} is {said}; tested with are {oldest} to {newest}")
    else:
        yield Diagnosis("server", OK, f"{address} is {said}")


def check_namespaces(client: ApiClient, namespaces: Sequence[str]) -> Iterator[Diagnosis]:
    """Those that are not there, as far as we may look: in such a one all else would be found good."""
    for name in namespaces:
        with suppress(Forbidden):
            try:
                client.resource(NAMESPACES).get(ObjectKey("", name))
            except NotFound:
                cure = f"kubectl create namespace {name}; or correct --namespace, the chart's watchNamespaces"
                yield Diagnosis("namespaces", ERROR, f"there is no namespace {name}", cure)
