"""What an update may change of a pod, which is little. Source: ValidatePodUpdate of kubernetes 1.36.2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from btcctl.apiserver.gotypes.internal import difference
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import forbidden, invalid, required
from btcctl.apiserver.machinery.json_values import with_fields
from btcctl.apiserver.storage.collection import Body

Spec = Mapping[str, Any]
_MUTABLE = (
    "pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
    "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_CONTAINERS = ("containers", "initContainers")
_MOST_SECONDS = 2**31 - 1


def check_pod_update(new: Body, old: Body) -> list[Cause]:
    now, before = new["spec"], old["spec"]
    for name in _CONTAINERS:
        if len(now.get(name) or ()) != len(before.get(name) or ()):
            return [forbidden(f"spec.{name}", "pod updates may not add or remove containers")]
    causes = [cause for name in _CONTAINERS for cause in _images(now.get(name) or (), f"spec.{name}")]
    deadline = list(_deadline(now, before))
    causes += deadline
    if deadline and now.get("activeDeadlineSeconds") is not None:
        return causes
    causes += [*_tolerations(now, before), *_gates(now, before), *_node_selector(now, before)]
    wanted = _settled(now, before)
    if wanted == _settled(before, before):
        return causes
    return [*causes, forbidden("spec", f"{_MUTABLE}\n{difference('PodSpec', before, wanted)}")]


def _images(containers: Sequence[Mapping[str, Any]], field: str) -> Iterator[Cause]:
    for index, container in enumerate(containers):
        image = container.get("image") or ""
        if not image:
            yield required(f"{field}[{index}].image")
        elif image.strip() != image:
            yield invalid(f"{field}[{index}].image", image, "must not have leading or trailing whitespace")


def _deadline(now: Spec, before: Spec) -> Iterator[Cause]:
    field, wanted, had = (
        "spec.activeDeadlineSeconds",
        now.get("activeDeadlineSeconds"),
        before.get("activeDeadlineSeconds"),
    )
    if wanted is None:
        if had is not None:
            yield invalid(field, None, "must not update from a positive integer to nil value")
    elif not 0 <= wanted <= _MOST_SECONDS:
        yield invalid(field, wanted, f"must be between 0 and {_MOST_SECONDS}, inclusive")
    elif had is not None and had < wanted:
        yield invalid(field, wanted, "must be less than or equal to previous value")


def _tolerations(now: Spec, before: Spec) -> Iterator[Cause]:
    kept = [_lasting(each) for each in now.get("tolerations") or ()]
    if any(_lasting(each) not in kept for each in before.get("tolerations") or ()):
        why = "existing toleration can not be modified except its tolerationSeconds"
        yield forbidden("spec.tolerations", why)


def _lasting(toleration: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in toleration.items() if key != "tolerationSeconds"}


def _gates(now: Spec, before: Spec) -> Iterator[Cause]:
    had = {each.get("name") for each in before.get("schedulingGates") or ()}
    for index, gate in enumerate(now.get("schedulingGates") or ()):
        if gate.get("name") not in had:
            why = f"only deletion is allowed, but found new scheduling gate '{gate.get('name')}'"
            yield forbidden(f"spec.schedulingGates[{index}].name", why)


def _node_selector(now: Spec, before: Spec) -> Iterator[Cause]:
    """A pod that may not be scheduled yet may be told more of where to."""
    wanted, had = now.get("nodeSelector") or {}, before.get("nodeSelector") or {}
    if before.get("schedulingGates") and any(wanted.get(key) != value for key, value in had.items()):
        why = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
        yield invalid("spec.nodeSelector", wanted, why)


def _settled(spec: Spec, before: Spec) -> dict[str, Any]:
    """The spec with what may change as it was."""
    names = {"activeDeadlineSeconds", "tolerations", "schedulingGates"}
    if before.get("schedulingGates"):
        names.add("nodeSelector")
    settled = with_fields(spec, {name: before.get(name) for name in names})
    if before.get("schedulingGates"):
        settled = with_fields(settled, {"affinity": _settled_affinity(spec.get("affinity"), before.get("affinity"))})
    for name in _CONTAINERS:
        if spec.get(name):
            pairs = zip(spec[name], before[name], strict=True)
            settled[name] = [with_fields(container, {"image": old.get("image")}) for container, old in pairs]
    grace = before.get("terminationGracePeriodSeconds")
    if grace is not None and grace < 0 and spec.get("terminationGracePeriodSeconds") == 1:
        settled["terminationGracePeriodSeconds"] = grace
    return settled


def _settled_affinity(wanted: Spec | None, had: Spec | None) -> Spec | None:
    """Of a pod that may not be scheduled yet, what it says of nodes may change."""
    if (wanted or {}).get("nodeAffinity") == (had or {}).get("nodeAffinity"):
        return wanted
    rest = with_fields(wanted or {}, {"nodeAffinity": (had or {}).get("nodeAffinity")})
    return rest if rest or had is not None else None
