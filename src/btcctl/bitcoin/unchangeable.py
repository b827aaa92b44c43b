"""What of a child cannot be set any more once it exists. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from btcctl.controller.writing.fields import has_fields

_CLAIMS = "volumeClaimTemplates"
# The API server refuses a change of these (apps/v1 validation of StatefulSet updates).
_IMMUTABLE = {
    "StatefulSet": ("selector", "serviceName", "podManagementPolicy", _CLAIMS),
    "Service": ("clusterIP",),
}


class Settable(NamedTuple):
    """What to do about a child.

    Attributes:
        desired: What can be set of what is wanted.
        immutable: Fields of the spec that differ and that the API never lets change.
    """

    desired: dict[str, Any]
    immutable: tuple[str, ...]


def settable(desired: Mapping[str, Any], observed: Mapping[str, Any]) -> Settable:
    """Leave out what cannot be changed.

    Args:
        desired: From `btcctl.bitcoin.children`.
        observed: The child's body; without a spec it is about to be made.
    """
    if "spec" not in observed:
        return Settable({**desired}, ())
    there = observed["spec"] or {}
    fixed = tuple(
        field
        for field in _IMMUTABLE.get(desired["kind"], ())
        if field in desired["spec"] and not _has(there.get(field), desired["spec"][field], field)
    )
    # Claims that admission has put beside ours are no change, and setting ours alone would be one.
    left_out = {*fixed, _CLAIMS}
    spec = {field: value for field, value in desired["spec"].items() if field not in left_out}
    if "selector" in fixed and "template" in spec:
        spec["template"] = _selected_by(there.get("selector") or {}, spec["template"])
    if _CLAIMS in fixed and "template" in spec:
        spec["template"] = _mounting(there, desired["spec"][_CLAIMS], spec["template"])
    return Settable({**desired, "spec": spec}, fixed)


def _has(there: Any, desired: Any, field: str) -> bool:
    if field != _CLAIMS:
        return has_fields(there, desired, field)
    claims = _by_name(there or [])
    return all(has_fields(claims.get(name), claim) for name, claim in _by_name(desired).items())


def _by_name(claims: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Claim templates, in whatever order they stand."""
    return {claim["metadata"]["name"]: claim for claim in claims}


def _selected_by(old_selector: Mapping[str, Any], template: Mapping[str, Any]) -> dict[str, Any]:
    """The template with the labels that a selector we cannot change asks for."""
    template_labels = {**template["metadata"]["labels"], **(old_selector.get("matchLabels") or {})}
    return {**template, "metadata": {**template["metadata"], "labels": template_labels}}


def _mounting(
    there: Mapping[str, Any], claims: Iterable[Mapping[str, Any]], template: Mapping[str, Any]
) -> dict[str, Any]:
    """The template with the volumes that stand where claims cannot be put any more: containers mount them by name."""
    names = {claim["metadata"]["name"] for claim in claims}
    volumes = ((there.get("template") or {}).get("spec") or {}).get("volumes") or []
    kept = [volume for volume in volumes if volume.get("name") in names]
    return {**template, "spec": {**template["spec"], "volumes": [*kept, *template["spec"].get("volumes", [])]}}
