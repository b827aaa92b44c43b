"""The rules of PodDisruptionBudgets. Source: pkg/apis/policy/validation and pkg/registry/policy of kubernetes 1.36."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import invalid, not_negative, required, unsupported
from btcctl.apiserver.machinery.integers import saturated
from btcctl.apiserver.machinery.names import label_value_complaints, qualified_name
from btcctl.apiserver.machinery.selector_checks import check_label_selector
from btcctl.apiserver.storage.collection import Body

ALWAYS_ALLOW, IF_HEALTHY_BUDGET = "AlwaysAllow", "IfHealthyBudget"
_PERCENT = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for "
    "validation is '[0-9]+%')"
)
_COUNTS = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
_STATUSES = ("True", "False", "Unknown")
_REASON = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"


def check_budget(body: Body) -> list[Cause]:
    spec = body["spec"]
    bounds = {name: spec[name] for name in ("minAvailable", "maxUnavailable") if spec.get(name) is not None}
    causes = []
    if len(bounds) > 1:
        causes.append(invalid("spec", _as_go_prints_it(spec), "minAvailable and maxUnavailable cannot be both set"))
    for name, share in bounds.items():
        causes += _check_share(f"spec.{name}", share)
    causes += check_label_selector(spec.get("selector") or {}, "spec.selector")
    causes += _check_values(spec.get("selector") or {}, "spec.selector")
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy is not None and policy not in {ALWAYS_ALLOW, IF_HEALTHY_BUDGET}:
        causes.append(unsupported("spec.unhealthyPodEvictionPolicy", policy, (ALWAYS_ALLOW, IF_HEALTHY_BUDGET)))
    return causes


def check_budget_status(new: Body, _: Body) -> list[Cause]:
    status = new.get("status") or {}
    causes = [
        cause
        for index, each in enumerate(status.get("conditions") or ())
        for cause in _check_condition(each, f"status.conditions[{index}]")
    ]
    return causes + [cause for name in _COUNTS for cause in not_negative(f"status.{name}", status.get(name))]


def _check_share(field: str, share: int | str) -> list[Cause]:
    if isinstance(share, int):
        return not_negative(field, share)
    if not re.fullmatch("[0-9]+%", share):
        return [invalid(field, share, _PERCENT)]
    return [invalid(field, share, "must not be greater than 100%")] if saturated(share[:-1]) > 100 else []


def _check_values(selector: Mapping[str, Any], field: str) -> list[Cause]:
    return [
        invalid(f"{field}.matchExpressions[{index}].values[{place}]", value, why)
        for index, each in enumerate(selector.get("matchExpressions") or ())
        for place, value in enumerate(each.get("values") or ())
        for why in label_value_complaints(value)
    ]


def _check_condition(condition: Mapping[str, Any], field: str) -> Iterator[Cause]:
    """As metav1.Condition has it everywhere."""
    yield from qualified_name(f"{field}.type", condition.get("type", ""))
    if condition.get("status", "") not in _STATUSES:
        yield unsupported(f"{field}.status", condition.get("status", ""), sorted(_STATUSES))
    yield from not_negative(f"{field}.observedGeneration", condition.get("observedGeneration"))
    if not condition.get("lastTransitionTime"):
        yield required(f"{field}.lastTransitionTime")
    reason = condition.get("reason", "")
    if not reason:
        yield required(f"{field}.reason")
    elif not re.fullmatch(_REASON, reason):
        why = (
            "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric "
            "characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  "
            f"or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '{_REASON}')"
        )
        yield invalid(f"{field}.reason", reason, why)


def _as_go_prints_it(spec: Mapping[str, Any]) -> dict[str, Any]:
    names = ("minAvailable", "selector", "maxUnavailable", "unhealthyPodEvictionPolicy")
    return {f"{name[0].upper()}{name[1:]}": spec.get(name) for name in names}
