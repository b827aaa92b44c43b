"""The rules of what containers ask for and may use. Source: validateResourceRequirements of kubernetes 1.36."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import duplicate, each_invalid, forbidden, invalid, required
from btcctl.apiserver.machinery.names import qualified_name_complaints
from btcctl.apiserver.machinery.quantities import parse_quantity

_OF_CONTAINERS = frozenset({"cpu", "memory", "ephemeral-storage"})
#: Those that containers do not have, but namespaces and claims.
_STANDARD = frozenset(
    {
        *(f"{what}.{of}" for what in ("limits", "requests") for of in _OF_CONTAINERS),
        "configmaps",
        "persistentvolumeclaims",
        "pods",
        "replicationcontrollers",
        "requests.storage",
        "resourcequotas",
        "secrets",
        "services",
        "services.loadbalancers",
        "services.nodeports",
        "storage",
    }
)
_HUGE = "hugepages-"


def check_resources(resources: Mapping[str, Any], field: str) -> list[Cause]:
    """What is wrong with requests and limits."""
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    causes: list[Cause] = []
    for what, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            causes += _check_resource(name, amount, f"{field}.{what}[{name}]")
    for name, amount in requests.items():
        causes += _check_request(name, amount, limits.get(name), field)
    names = {*limits, *requests}
    if any(name.startswith(_HUGE) for name in names) and not names & {"cpu", "memory"}:
        causes.append(forbidden(field, "HugePages require cpu or memory"))
    return causes


def check_claims(resources: Mapping[str, Any], known: set[str], field: str) -> Iterator[Cause]:
    """What is wrong with the devices it claims.

    Args:
        known: The claims of its pod.
    """
    seen = set()
    for index, claim in enumerate(resources.get("claims") or ()):
        here, name = f"{field}.claims[{index}]", claim.get("name")
        if not name:
            yield required(here)
            continue
        if name in seen:
            yield duplicate(here, name)
        seen.add(name)
        if name not in known:
            why = f"must be one of the names in pod.spec.resourceClaims{'' if known else ' which is empty'}"
            yield Cause("FieldValueNotFound", f'Not found: "{name}": {why}', here)


def _check_request(name: str, amount: str, limit: str | None, field: str) -> list[Cause]:
    may_differ = _is_native(name) and not name.startswith(_HUGE)
    if limit is None:
        why = "Limit must be set for non overcommitable resources"
        return [] if may_differ else [required(f"{field}.limits", why)]
    asked, most = parse_quantity(amount).amount, parse_quantity(limit).amount
    if asked != most and not may_differ:
        return [invalid(f"{field}.requests", amount, f"must be equal to {name} limit of {limit}")]
    if asked > most:
        return [invalid(f"{field}.requests", amount, f"must be less than or equal to {name} limit of {limit}")]
    return []


def _check_resource(name: str, amount: str, field: str) -> list[Cause]:
    causes = each_invalid(field, name, qualified_name_complaints(name))
    if not causes and "/" not in name and name not in _OF_CONTAINERS and not name.startswith(_HUGE):
        why = ["must be a standard resource for containers"]
        causes = each_invalid(
            field, name, why if name in _STANDARD else ["must be a standard resource type or fully qualified", *why]
        )
    number = parse_quantity(amount).amount
    if number < 0:
        causes.append(invalid(field, amount, "must be greater than or equal to 0"))
    if number % 1 and not _is_native(name):
        causes.append(invalid(field, amount, "must be an integer"))
    return causes


def _is_native(name: str) -> bool:
    return "/" not in name or "kubernetes.io/" in name
