"""What of a StatefulSet's template, and of a Service's annotations, comes from `spec`, and goes when that goes.

Pure.

What the operator never set is not its business: people and other controllers put fields of their own into a template.
What comes from `spec` is: there it is compared whole, so that a field that is taken out of an affinity is taken out
of the template. Which those are is written beside it, in an annotation of the child, so that the next look, by
whichever version of the controller, takes out what is asked for no longer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

from btcctl.bitcoin.spec.pod_parts import CONTAINER_FIELDS, POD_FIELDS, pruned
from btcctl.bitcoin.spec.quantities import is_same_quantity

FROM_SPEC: Final = "bitcoincontroller.christianb93.github.com/from-spec"
OWN_ANNOTATION: Final = "own-annotation/"  #: before the key of an annotation of the child itself
_METADATA: Final = {"label/": "labels", "annotation/": "annotations"}


_Place = tuple[dict[str, Any], dict[str, Any], str, str]


def settle(desired: Mapping[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Take out of `body` what is not to be kept, and spell `desired` as the API server has it there.

    What was from `spec` and is no longer, and what is from `spec` and differs, is taken out of `body`: then `desired`
    can be set as if it had not been there.

    Args:
        desired: From `btcctl.bitcoin.children`; not changed.
        body: The child's body; changed in place. Without a spec it is about to be made.

    Returns:
        What to set.
    """
    if "spec" not in body:
        return dict(desired)
    names, former = _names(desired), _names(body)
    if not names and not former and not desired["spec"].get("volumeClaimTemplates"):
        return dict(desired)
    wanted = deepcopy(dict(desired))
    if former and not names:
        wanted["metadata"]["annotations"] = {**(wanted["metadata"].get("annotations") or {}), FROM_SPEC: ""}
    for ours, theirs, field, name in _places(wanted, body):
        if name in names and is_same_part(ours.get(field), theirs.get(field), field):
            _take_over(ours, theirs, field)
        elif name in names | former:
            theirs.pop(field, None)
    there = {claim["metadata"]["name"]: claim for claim in body["spec"].get("volumeClaimTemplates") or []}
    for claim in wanted["spec"].get("volumeClaimTemplates") or []:
        if claim["metadata"]["name"] in there:
            _spell_size(claim["spec"], there[claim["metadata"]["name"]]["spec"])
    return wanted


def _spell_size(ours: dict[str, Any], theirs: Mapping[str, Any]) -> None:
    if is_same_part(ours["resources"], theirs.get("resources")):
        ours["resources"] = theirs["resources"]


def is_same_part(one: Any, other: Any, field: str = "") -> bool:
    """Whether two parts of a pod's spec mean the same, however the API server spells them.

    Args:
        field: The name under which both stand.
    """
    return _is_same(_meant(one, field), _meant(other, field), field)


def _meant(part: Any, field: str) -> Any:
    kept = pruned(part, field)
    return None if kept in ([], {}) else kept


def _take_over(ours: dict[str, Any], theirs: Mapping[str, Any], field: str) -> None:
    if field in theirs:
        ours[field] = theirs[field]
    else:
        ours.pop(field, None)  # empty, so the API server has left it out


def _is_same(one: Any, other: Any, field: str) -> bool:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        in_quantities = field in {"requests", "limits"}
        return one.keys() == other.keys() and all(
            is_same_quantity(one[key], other[key]) if in_quantities else _is_same(one[key], other[key], key)
            for key in one
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_is_same(a, b, field) for a, b in zip(one, other, strict=True))
    return type(one) is type(other) and bool(one == other)


def _names(body: Mapping[str, Any]) -> frozenset[str]:
    annotations = body["metadata"].get("annotations") or {}
    return frozenset(filter(None, str(annotations.get(FROM_SPEC) or "").split(",")))


def _places(desired: dict[str, Any], body: dict[str, Any]) -> Iterator[_Place]:
    """Where what may come from `spec` stands: both sides' mappings, the field, and its name in the annotation."""
    ours, theirs = (each["spec"].get("template") or {} for each in (desired, body))
    our_pod, their_pod = ours.get("spec") or {}, theirs.get("spec") or {}
    for field in POD_FIELDS:
        yield our_pod, their_pod, field, field
    for our_container, their_container in zip(
        our_pod.get("containers") or [], their_pod.get("containers") or [], strict=False
    ):
        for name, field in CONTAINER_FIELDS.items():
            yield our_container, their_container, field, name
    for name in sorted(_names(desired) | _names(body)):
        for prefix, place in _METADATA.items():
            if name.startswith(prefix):
                mine, found = ((side.get("metadata") or {}).get(place) or {} for side in (ours, theirs))
                yield mine, found, name.removeprefix(prefix), name
        if name.startswith(OWN_ANNOTATION):
            mine, found = (side["metadata"].get("annotations") or {} for side in (desired, body))
            yield mine, found, name.removeprefix(OWN_ANNOTATION), name
