"""How tables show the parameters of admission policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_UNSET = "<unset>"


def kind(policy: Mapping[str, Any]) -> str:
    """What a policy's parameters are."""
    found = (policy.get("spec") or {}).get("paramKind")
    return _UNSET if found is None else f"{found.get('apiVersion', '')}/{found.get('kind', '')}"


def reference(binding: Mapping[str, Any]) -> str:
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
