"""What webhooks and policies may say about the requests they are for.

Source: pkg/apis/admissionregistration/validation of kubernetes 1.36.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import duplicate, each_invalid, invalid, required, unsupported
from btcctl.apiserver.machinery.names import label_value_complaints, path_name, qualified_name
from btcctl.apiserver.machinery.selector_checks import check_label_selector

FAILURE_POLICIES = ("Fail", "Ignore")
MATCH_POLICIES = ("Equivalent", "Exact")
REINVOCATIONS = ("IfNeeded", "Never")
_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_SCOPES = ("*", "Cluster", "Namespaced")
_MOST_CONDITIONS = 64


def check_rule(rule: Mapping[str, Any], field: str) -> Iterator[Cause]:
    """Of a RuleWithOperations."""
    operations = rule.get("operations") or ()
    if not operations:
        yield required(f"{field}.operations")
    if len(operations) > 1 and "*" in operations:
        yield invalid(f"{field}.operations", operations, "if '*' is present, must not specify other operations")
    for index, each in enumerate(operations):
        if each not in _OPERATIONS:
            yield unsupported(f"{field}.operations[{index}]", each, _OPERATIONS)
    yield from _check_groups(rule, field)
    yield from _check_resources(rule.get("resources") or (), f"{field}.resources")
    scope = rule.get("scope")
    if scope is not None and scope not in _SCOPES:
        yield unsupported(f"{field}.scope", scope, _SCOPES)


def check_named_rule(rule: Mapping[str, Any], field: str) -> Iterator[Cause]:
    """Of a NamedRuleWithOperations."""
    seen: set[str] = set()
    for index, name in enumerate(rule.get("resourceNames") or ()):
        here = f"{field}.resourceNames[{index}]"
        yield from each_invalid(here, name, path_name(name))
        if name in seen:
            yield duplicate(here, name)
        seen.add(name)
    yield from check_rule(rule, field)


def check_selectors(matched: Mapping[str, Any], field: str) -> Iterator[Cause]:
    """Of both selectors of a webhook or a policy."""
    for name in ("namespaceSelector", "objectSelector"):
        selector, here = matched.get(name) or {}, f"{field}.{name}"
        yield from check_label_selector(selector, here)
        for index, each in enumerate(selector.get("matchExpressions") or ()):
            for at, value in enumerate(each.get("values") or ()):
                place = f"{here}.matchExpressions[{index}].values[{at}]"
                yield from each_invalid(place, value, label_value_complaints(value))


def check_resources(matched: Mapping[str, Any] | None, field: str) -> Iterator[Cause]:
    """Of a policy's MatchResources."""
    if matched is None:
        return
    if matched.get("matchPolicy") not in MATCH_POLICIES:
        yield unsupported(f"{field}.matchPolicy", matched.get("matchPolicy"), MATCH_POLICIES)
    yield from check_selectors(matched, field)
    for name in ("resourceRules", "excludeResourceRules"):
        for index, rule in enumerate(matched.get(name) or ()):
            yield from check_named_rule(rule, f"{field}.{name}[{index}]")


def check_conditions(
    conditions: Sequence[Mapping[str, Any]], field: str, check_expression: Callable[[str, str], Iterator[Cause]]
) -> Iterator[Cause]:
    """Of matchConditions.

    Args:
        check_expression: What is wrong with an expression at a field.
    """
    if len(conditions) > _MOST_CONDITIONS:
        message = f"Too many: {len(conditions)}: must have at most {_MOST_CONDITIONS} items"
        yield Cause("FieldValueTooMany", message, field)
    seen: set[str] = set()
    for index, each in enumerate(conditions):
        name, here = each.get("name") or "", f"{field}[{index}]"
        text = (each.get("expression") or "").strip()
        yield from check_expression(text, f"{here}.expression") if text else [required(f"{here}.expression")]
        yield from qualified_name(f"{here}.name", name) if name else [required(f"{here}.name")]
        if name and name in seen:
            yield duplicate(f"{here}.name", name)
        seen.add(name)


def _check_groups(rule: Mapping[str, Any], field: str) -> Iterator[Cause]:
    for name, what in (("apiGroups", "API groups"), ("apiVersions", "API versions")):
        named = rule.get(name) or ()
        if not named:
            yield required(f"{field}.{name}")
        if len(named) > 1 and "*" in named:
            yield invalid(f"{field}.{name}", named, f"if '*' is present, must not specify other {what}")
    for index, version in enumerate(rule.get("apiVersions") or ()):
        if not version:
            yield required(f"{field}.apiVersions[{index}]")


def _check_resources(resources: Sequence[str], field: str) -> Iterator[Cause]:
    if not resources:
        yield required(field)
    wild_below: set[str] = set()  # resources that are meant with all their subresources
    wild_above: set[str] = set()  # subresources that are meant of every resource
    last_is_whole = False
    for index, each in enumerate(resources):
        here = f"{field}[{index}]"
        resource, slash, subresource = each.partition("/")
        if not each:
            yield required(here)
            continue
        if not slash:
            last_is_whole = each != "*"
            continue
        if resource in wild_below:
            yield invalid(here, each, f"if '{resource}/*' is present, must not specify {each}")
        if subresource in wild_above:
            yield invalid(here, each, f"if '*/{subresource}' is present, must not specify {each}")
        wild_below |= {resource} if subresource == "*" else set()
        wild_above |= {subresource} if resource == "*" else set()
    if len(resources) > 1 and "*/*" in resources:
        yield invalid(field, resources, "if '*/*' is present, must not specify other resources")
    if "*" in resources and last_is_whole:
        yield invalid(field, resources, "if '*' is present, must not specify other resources without subresources")
