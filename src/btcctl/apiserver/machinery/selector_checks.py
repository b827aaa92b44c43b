"""What is wrong with selectors that stand in objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import each_invalid, forbidden, invalid, required
from btcctl.apiserver.machinery.names import label_value_complaints, qualified_name, validate_labels


def check_label_selector(selector: Mapping[str, Any], field: str) -> list[Cause]:
    """Of a labelSelector, as objects have them."""
    causes = validate_labels(f"{field}.matchLabels", selector.get("matchLabels") or {})
    for index, each in enumerate(selector.get("matchExpressions") or ()):
        causes += _check_expression(each, f"{field}.matchExpressions[{index}]")
    return causes


def _check_expression(expression: Mapping[str, Any], field: str) -> list[Cause]:
    return _check_operator(expression, field) + qualified_name(f"{field}.key", expression.get("key", ""))


def check_node_selector_term(term: Mapping[str, Any], field: str, *, with_values: bool) -> list[Cause]:
    """Of a term that selects nodes.

    Args:
        with_values: Look at the values too.
    """
    causes: list[Cause] = []
    for index, each in enumerate(term.get("matchExpressions") or ()):
        here = f"{field}.matchExpressions[{index}]"
        values = each.get("values") or []
        if each.get("operator") in {"Gt", "Lt"}:
            why = "must be specified single value when `operator` is 'Lt' or 'Gt'"
            causes += [] if len(values) == 1 else [required(f"{here}.values", why)]
        else:
            causes += _check_operator(each, here)
        causes += qualified_name(f"{here}.key", each.get("key", ""))
        for place, value in enumerate(values if with_values else ()):
            causes += each_invalid(f"{here}.values[{place}]", value, label_value_complaints(value))
    return causes


def _check_operator(expression: Mapping[str, Any], field: str) -> list[Cause]:
    operator, values = expression.get("operator", ""), expression.get("values") or []
    if operator in {"In", "NotIn"}:
        why = "must be specified when `operator` is 'In' or 'NotIn'"
        return [] if values else [required(f"{field}.values", why)]
    if operator in {"Exists", "DoesNotExist"}:
        why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        return [forbidden(f"{field}.values", why)] if values else []
    return [invalid(f"{field}.operator", operator, "not a valid selector operator")]
