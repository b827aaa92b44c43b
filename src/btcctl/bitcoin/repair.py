"""How a child differs from what it should be, and who made it so. Pure.

Only what the operator sets is compared: the API server fills in defaults, and users add labels and
annotations of their own. Never compared are `kind` and `apiVersion`, which the items of a list do not have,
and the owner references: without ours a child is not this network's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# The API server refuses a change of these (apps/v1 validation of StatefulSet updates).
_IMMUTABLE = {
    "StatefulSet": ("selector", "serviceName", "podManagementPolicy", "volumeClaimTemplates"),
    "Service": ("clusterIP",),
}


@dataclass(frozen=True, slots=True)
class Repair:
    """What to do about a child.

    Attributes:
        body: What to write, or None: nothing that can be mended differs.
        immutable: Fields of the spec that differ and that the API never lets change.
        fields: The paths that `body` sets back, for example `spec.replicas`.
    """

    body: dict[str, Any] | None
    immutable: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


def plan_repair(desired: Mapping[str, Any], observed: Mapping[str, Any]) -> Repair:
    """Compare a child with what it should be.

    Args:
        desired: From `btcctl.bitcoin.children`.
        observed: The child's body; it is not changed.
    """
    immutable = _immutable_differences(desired, observed)
    wanted = _compared(desired, observed, immutable)
    if covers(wanted, observed):
        return Repair(None, immutable)
    body = {**_overlay(wanted, observed), "apiVersion": desired["apiVersion"], "kind": desired["kind"]}
    return Repair(body, immutable, tuple(differences(wanted, observed)))


def _immutable_differences(desired: Mapping[str, Any], observed: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        field
        for field in _IMMUTABLE.get(desired["kind"], ())
        if field in desired["spec"] and not covers(desired["spec"][field], observed["spec"].get(field), field)
    )


def _compared(desired: Mapping[str, Any], observed: Mapping[str, Any], immutable: Sequence[str]) -> dict[str, Any]:
    """What of `desired` is kept as it should be."""
    metadata = {key: value for key, value in desired["metadata"].items() if key != "ownerReferences"}
    spec = {key: value for key, value in desired["spec"].items() if key not in immutable}
    if "selector" in immutable and "template" in spec:
        spec["template"] = _selected_by(observed["spec"]["selector"], spec["template"])
    return {"metadata": metadata, "spec": spec}


def _selected_by(old_selector: Mapping[str, Any], template: Mapping[str, Any]) -> dict[str, Any]:
    """The template with the labels that a selector we cannot change asks for."""
    template_labels = {**template["metadata"]["labels"], **(old_selector.get("matchLabels") or {})}
    return {**template, "metadata": {**template["metadata"], "labels": template_labels}}


def covers(desired: Any, observed: Any, field: str = "") -> bool:
    """Whether everything in `desired` stands in `observed`, which may hold more.

    Args:
        field: The name under which both stand: a selector is compared whole.
    """
    if isinstance(desired, Mapping):
        if not isinstance(observed, Mapping) or (field == "selector" and desired.keys() != observed.keys()):
            return False
        return all(key in observed and covers(value, observed[key], key) for key, value in desired.items())
    if isinstance(desired, list):
        return (
            isinstance(observed, list)
            and len(desired) == len(observed)
            and all(covers(ours, theirs) for ours, theirs in zip(desired, observed, strict=True))
        )
    return type(desired) is type(observed) and bool(desired == observed)  # True is not 1


def differences(desired: Any, observed: Any, path: str = "", field: str = "") -> Iterator[str]:
    """The paths at which `observed` does not have what `desired` asks for, deepest first seen."""
    if covers(desired, observed, field):
        return
    if isinstance(desired, Mapping) and isinstance(observed, Mapping) and field != "selector":
        for key, value in desired.items():
            yield from differences(value, observed.get(key), f"{path}.{key}".lstrip("."), key)
    elif isinstance(desired, list) and isinstance(observed, list) and len(desired) == len(observed):
        for number, (ours, theirs) in enumerate(zip(desired, observed, strict=True)):
            yield from differences(ours, theirs, f"{path}[{number}]")
    else:
        yield path


def _overlay(desired: Any, observed: Any, field: str = "") -> Any:
    """`observed` with everything in `desired` put over it; a list that differs is replaced whole.

    Merging inside a list could join two alternatives, such as `value` and `valueFrom`.
    """
    if covers(desired, observed, field):
        return observed
    if isinstance(desired, Mapping) and isinstance(observed, Mapping) and field != "selector":
        return {**observed, **{key: _overlay(value, observed.get(key), key) for key, value in desired.items()}}
    return desired


def manager_of(path: str, observed: Mapping[str, Any], *, but: str) -> str:
    """Who wrote a field last, by `metadata.managedFields`; "" if that does not say.

    Args:
        path: From `differences`. Below a list nothing is told apart: its items are keyed there by their content.
        observed: The child's body.
        but: Our own field manager, who is never to blame.
    """
    entries = [each for each in observed["metadata"].get("managedFields") or () if each.get("manager") != but]
    mine = [each for each in entries if not each.get("subresource") and _owns(each.get("fieldsV1") or {}, path)]
    latest = max(mine, key=lambda each: str(each.get("time") or ""), default=None)
    return "" if latest is None else str(latest.get("manager") or "")


def _owns(fields: Mapping[str, Any], path: str) -> bool:
    for name in path.partition("[")[0].split("."):
        below = fields.get(f"f:{name}")
        if below is None:
            return False
        if not below:  # the whole of it
            return True
        fields = below
    return True
