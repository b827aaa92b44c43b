"""Whether the CustomResourceDefinition in the cluster is the one of this version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.doctor.diagnosis import ERROR, OK, SKIPPED, WARNING, Diagnosis
from btcctl.bitcoin.operator import require_definition
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.errors import Forbidden, NotFound
from btcctl.objects import ObjectKey
from btcctl.resources import CUSTOM_RESOURCE_DEFINITIONS
from btcctl.rest.client import ApiClient

CURE: Final = "btcctl crd | kubectl apply --server-side --force-conflicts -f -"
_SHOWN = 5


def check_definition(client: ApiClient, namespace: str) -> Iterator[Diagnosis]:
    """
    Args:
        namespace: One in which networks may be listed, or "".
    """
    with suppress(Forbidden):  # then it is there, and the rights are another check
        require_definition(client, namespace)
    served = _schema_in_cluster(client)
    if served is None:
        yield Diagnosis("definition", SKIPPED, "it is there; we may not look which version of it")
        return
    ours, theirs = fields_of(_schema_of(load_crd())), fields_of(served)
    if ours - theirs:
        named = _enumerate(ours - theirs)
        yield Diagnosis("definition", ERROR, f"the cluster has an older one, without {named}", CURE)
    elif theirs - ours:
        yield Diagnosis("definition", WARNING, f"the cluster has a newer one, with {_enumerate(theirs - ours)}")
    else:
        yield Diagnosis("definition", OK, "it has the fields that this version knows")


def fields_of(schema: Mapping[str, Any], prefix: str = "") -> frozenset[str]:
    """The paths of all fields of a structural schema: "spec.storage.size", "status.nodes[].ip"."""
    found: set[str] = set()
    for name, inner in (schema.get("properties") or {}).items():
        if prefix or name in {"spec", "status"}:  # the rest is the server's own
            path = f"{prefix}{name}"
            found |= {path, *fields_of(inner, f"{path}."), *fields_of(inner.get("items") or {}, f"{path}[].")}
    return frozenset(found)


def _schema_in_cluster(client: ApiClient) -> Mapping[str, Any] | None:
    """As the definition has it, or else, since only few may read that, as the server documents it."""
    name = f"{BITCOIN_NETWORKS.plural}.{BITCOIN_NETWORKS.group}"
    with suppress(Forbidden):
        return _schema_of(client.resource(CUSTOM_RESOURCE_DEFINITIONS).get(ObjectKey("", name)).body())
    try:
        documented = client.get_json(f"/openapi/v3/apis/{BITCOIN_NETWORKS.api_version}")
    except (Forbidden, NotFound):
        return None
    schemas = (documented.get("components") or {}).get("schemas") or {}
    return next((each for key, each in schemas.items() if key.endswith(f".{BITCOIN_NETWORKS.kind}")), None)


def _schema_of(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    versions: list[Mapping[str, Any]] = definition["spec"]["versions"]
    served = next((each for each in versions if each["name"] == BITCOIN_NETWORKS.version), {})
    schema: Mapping[str, Any] = (served.get("schema") or {}).get("openAPIV3Schema") or {}
    return schema


def _enumerate(fields: frozenset[str]) -> str:
    # A section that is missing as a whole is named once.
    tops = sorted(each for each in fields if each.rpartition(".")[0].removesuffix("[]") not in fields)
    more = len(tops) - _SHOWN
    return ", ".join(tops[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
