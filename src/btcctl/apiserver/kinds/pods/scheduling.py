"""What is wrong with where a pod wants to run: affinities, spreading, tolerations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import duplicate, invalid, one_of, required, unsupported
from btcctl.apiserver.machinery.names import label_name, label_value_complaints, qualified_name
from btcctl.apiserver.machinery.selector_checks import check_label_selector, check_node_selector_term

_TAINT_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_REQUIRED, _PREFERRED = (
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
)
_WEIGHT = "must be in the range 1-100"


def check_scheduling(spec: Mapping[str, Any], field: str) -> list[Cause]:
    affinity = spec.get("affinity") or {}
    causes = list(_of_nodes(affinity.get("nodeAffinity") or {}, f"{field}.affinity.nodeAffinity"))
    for name in ("podAffinity", "podAntiAffinity"):
        causes += _of_pods(affinity.get(name) or {}, f"{field}.affinity.{name}")
    causes += _of_spreading(spec.get("topologySpreadConstraints") or [], f"{field}.topologySpreadConstraints")
    for index, toleration in enumerate(spec.get("tolerations") or ()):
        causes += _check_toleration(toleration, f"{field}.tolerations[{index}]")
    return causes


def _of_nodes(affinity: Mapping[str, Any], field: str) -> Iterator[Cause]:
    needed = affinity.get(_REQUIRED)
    if needed is not None:
        here, terms = f"{field}.{_REQUIRED}.nodeSelectorTerms", needed.get("nodeSelectorTerms") or []
        if not terms:
            yield required(here, "must have at least one node selector term")
        for index, term in enumerate(terms):
            yield from check_node_selector_term(term, f"{here}[{index}]", with_values=True)
    for index, wish in enumerate(affinity.get(_PREFERRED) or ()):
        here, weight = f"{field}.{_PREFERRED}[{index}]", wish.get("weight", 0)
        if not 1 <= weight <= 100:
            yield invalid(f"{here}.weight", weight, _WEIGHT)
        yield from check_node_selector_term(wish.get("preference") or {}, f"{here}.preference", with_values=False)


def _of_pods(affinity: Mapping[str, Any], field: str) -> Iterator[Cause]:
    for index, term in enumerate(affinity.get(_REQUIRED) or ()):
        yield from _of_term(term, f"{field}.{_REQUIRED}[{index}]")
    for index, wish in enumerate(affinity.get(_PREFERRED) or ()):
        here, weight = f"{field}.{_PREFERRED}[{index}]", wish.get("weight", 0)
        if not 1 <= weight <= 100:
            yield invalid(f"{here}.weight", weight, _WEIGHT)
        yield from _of_term(wish.get("podAffinityTerm") or {}, f"{here}.podAffinityTerm")


def _of_term(term: Mapping[str, Any], field: str) -> Iterator[Cause]:
    for name in ("labelSelector", "namespaceSelector"):
        yield from check_label_selector(term.get(name) or {}, f"{field}.{name}")
    for namespace in term.get("namespaces") or ():
        yield from (invalid(f"{field}.namespace", namespace, each) for each in label_name(namespace))
    key = term.get("topologyKey", "")
    if not key:
        yield required(f"{field}.topologyKey", "can not be empty")
    yield from qualified_name(f"{field}.topologyKey", key)


def _of_spreading(constraints: list[Any], field: str) -> Iterator[Cause]:
    kinds = [(each.get("topologyKey", ""), each.get("whenUnsatisfiable", "")) for each in constraints]
    for index, constraint in enumerate(constraints):
        here, (key, action) = f"{field}[{index}]", kinds[index]
        skew, domains = constraint.get("maxSkew", 0), constraint.get("minDomains")
        if skew <= 0:
            yield invalid(f"{here}.maxSkew", skew, "must be greater than zero")
        yield from (
            qualified_name(f"{here}.topologyKey", key) if key else [required(f"{here}.topologyKey", "can not be empty")]
        )
        if action not in {"DoNotSchedule", "ScheduleAnyway"}:
            yield unsupported(f"{here}.whenUnsatisfiable", action, ("DoNotSchedule", "ScheduleAnyway"))
        if kinds[index] in kinds[index + 1 :]:
            yield duplicate(f"{here}.{{topologyKey, whenUnsatisfiable}}", f"{{{key}, {action}}}")
        if domains is not None and domains <= 0:
            yield invalid(f"{here}.minDomains", domains, "must be greater than zero")
        if domains is not None and action != "DoNotSchedule":
            why = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
            yield invalid(f"{here}.minDomains", domains, why)
        for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            policy = constraint.get(name)
            if policy not in {None, "Honor", "Ignore"}:
                yield unsupported(f"{here}.{name}", policy, ("Honor", "Ignore"))
        yield from check_label_selector(constraint.get("labelSelector") or {}, f"{here}.labelSelector")


def _check_toleration(toleration: Mapping[str, Any], field: str) -> list[Cause]:
    key, operator, effect = (toleration.get(name) or "" for name in ("key", "operator", "effect"))
    value = toleration.get("value") or ""
    causes = qualified_name(f"{field}.key", key) if key else []
    if not key and operator != "Exists":
        why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        causes.append(invalid(f"{field}.operator", operator, why))
    if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
        why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        causes.append(invalid(f"{field}.effect", effect, why))
    if operator in {"", "Equal"}:
        complaints = label_value_complaints(value)
        causes += [invalid(f"{field}.operator", value, ";".join(complaints))] if complaints else []
    elif operator == "Exists":
        why = "value must be empty when `operator` is 'Exists'"
        causes += [invalid(f"{field}.operator", value, why)] if value else []
    else:
        causes.append(unsupported(f"{field}.operator", operator, ("Equal", "Exists")))
    return causes + (one_of(f"{field}.effect", effect, _TAINT_EFFECTS) if effect else [])
