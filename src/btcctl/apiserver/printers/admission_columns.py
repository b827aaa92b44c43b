"""Columns of webhooks and admission policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from btcctl import resources
from btcctl.apiserver.printers.columns import AGE, NAME, Column
from btcctl.resources import ResourceType

_UNSET = "<unset>"


def _kind(policy: Mapping[str, Any]) -> str:
    """What a policy's parameters are."""
    found = (policy.get("spec") or {}).get("paramKind")
    return _UNSET if found is None else f"{found.get('apiVersion', '')}/{found.get('kind', '')}"


def _reference(binding: Mapping[str, Any]) -> str:
    """Which a binding gives it: by name, or by labels as Go prints a selector."""
    found = (binding.get("spec") or {}).get("paramRef")
    if found is None:
        return _UNSET
    if found.get("name"):
        return f"{found.get('namespace') or '*'}/{found['name']}"
    labels = (found.get("selector") or {}).get("matchLabels") or {}
    listed = "".join(f"{name}: {labels[name]}," for name in sorted(labels))
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{listed}}},MatchExpressions:[]LabelSelectorRequirement{{}},}}"
    )


def _count(policy: Mapping[str, Any], name: str) -> int:
    return len((policy.get("spec") or {}).get(name) or ())


_WEBHOOKS = (NAME, Column("Webhooks", lambda body, _: len(body.get("webhooks") or ()), type="integer"), AGE)
_PARAM_KIND = Column("ParamKind", lambda policy, _: _kind(policy))
_BINDING = (
    NAME,
    Column("PolicyName", lambda binding, _: (binding.get("spec") or {}).get("policyName", "")),
    Column("ParamRef", lambda binding, _: _reference(binding)),
    AGE,
)
ADMISSION_COLUMNS: Mapping[ResourceType, tuple[Column, ...]] = {
    resources.MUTATING_WEBHOOK_CONFIGURATIONS: _WEBHOOKS,
    resources.VALIDATING_WEBHOOK_CONFIGURATIONS: _WEBHOOKS,
    resources.VALIDATING_ADMISSION_POLICIES: (
        NAME,
        Column("Validations", lambda policy, _: _count(policy, "validations"), type="integer"),
        _PARAM_KIND,
        AGE,
    ),
    resources.MUTATING_ADMISSION_POLICIES: (
        NAME,
        Column("Mutations", lambda policy, _: _count(policy, "mutations"), type="integer"),
        _PARAM_KIND,
        AGE,
    ),
    resources.VALIDATING_ADMISSION_POLICY_BINDINGS: _BINDING,
    resources.MUTATING_ADMISSION_POLICY_BINDINGS: _BINDING,
}
