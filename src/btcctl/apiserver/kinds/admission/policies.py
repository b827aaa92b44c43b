"""The rules of admission policies and their bindings.

Source: validateValidatingAdmissionPolicySpec and the like of kubernetes 1.36.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from btcctl.apiserver.kinds.admission import expressions
from btcctl.apiserver.kinds.admission.matching import (
    FAILURE_POLICIES,
    REINVOCATIONS,
    check_conditions,
    check_resources,
)
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import duplicate, each_invalid, forbidden, invalid, required, unsupported
from btcctl.apiserver.machinery.names import path_name, qualified_name, service_name, subdomain_name
from btcctl.apiserver.machinery.selector_checks import check_label_selector
from btcctl.apiserver.schemas.cel.types import (
    APPLY_CONFIGURATION,
    BOOL,
    DYN,
    JSON_PATCH,
    NULL,
    STRING,
    Type,
)
from btcctl.apiserver.storage.collection import Body

Part = Mapping[str, Any]
_ACTIONS = ("Audit", "Deny", "Warn")
_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_NOT_FOUND_ACTIONS = ("Deny", "Allow")
_MUTABLE = ("*", "CONNECT", "CREATE", "UPDATE")
#: By the name of a patch: the field that has it, and what it evaluates to.
_PATCHES = {
    "ApplyConfiguration": ("applyConfiguration", APPLY_CONFIGURATION),
    "JSONPatch": ("jsonPatch", JSON_PATCH),
}
_MOST_ANNOTATIONS = 20
_LONGEST_ANNOTATION = 5 * 1024
_IDENTIFIER = re.compile("[_a-zA-Z][_a-zA-Z0-9]*")
_RESERVED = frozenset([
    "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import",
    "let", "loop", "package", "namespace", "return", "var", "void", "while",
])  # fmt: skip
_EMPTY = "validations or auditAnnotations must contain at least one item"


def check_policy(body: Body) -> list[Cause]:
    """Of a ValidatingAdmissionPolicy."""
    return list(_check_policy(body["spec"], body["metadata"].get("name") or ""))


def check_binding(body: Body) -> list[Cause]:
    """Of its binding."""
    return list(_check_binding(body["spec"]))


def check_mutating_policy(body: Body) -> list[Cause]:
    """Of a MutatingAdmissionPolicy."""
    return list(_check_mutating_policy(body["spec"]))


def check_mutating_binding(body: Body) -> list[Cause]:
    """Of its binding."""
    spec = body["spec"]
    return [*_check_bound(spec), *_check_mutable(spec.get("matchResources"), "spec.matchResources")]


def _check_mutating_policy(spec: Part) -> Iterator[Cause]:
    yield from _check_head(spec)
    yield from _check_mutable(spec.get("matchConstraints"), "spec.matchConstraints")
    has_params = spec.get("paramKind") is not None
    types: dict[str, Type] = {}
    yield from _check_variables(spec.get("variables") or (), types, has_params=has_params)
    mutations, again = spec.get("mutations") or (), spec.get("reinvocationPolicy") or ""
    if not mutations:
        yield required("spec.mutations", "mutations must contain at least one item")
    for index, each in enumerate(mutations):
        yield from _check_mutation(each, f"spec.mutations[{index}]", {"has_params": has_params, "variables": types})
    if not again:
        yield required("spec.reinvocationPolicy")
    elif again not in REINVOCATIONS:
        yield unsupported("spec.reinvocationPolicy", again, REINVOCATIONS)


def _check_mutable(matched: Part | None, field: str) -> Iterator[Cause]:
    """What is deleted cannot be changed."""
    for rule in (matched or {}).get("resourceRules") or ():
        for each in rule.get("operations") or ():
            if each not in _MUTABLE:
                yield unsupported(f"{field}.resourceRules.operations", each, _MUTABLE)


def _check_mutation(mutation: Part, field: str, how: Part) -> Iterator[Cause]:
    type_ = mutation.get("patchType") or ""
    if not type_:
        yield required(f"{field}.patchType")
    elif type_ not in _PATCHES:
        yield unsupported(f"{field}.patchType", type_, tuple(_PATCHES))
    for known, (name, result) in _PATCHES.items() if type_ in _PATCHES else ():
        patch, here = mutation.get(name), f"{field}.{name}"
        if type_ != known:
            if patch is not None:
                yield invalid(here, f"{{{name}}}", f"must not be specified when patchType is {type_}")
        elif patch is None:
            yield required(here, f"must be specified when patchType is {known}")
        elif not (patch.get("expression") or "").strip():
            yield required(f"{here}.expression")
        else:
            text = patch["expression"].strip()
            yield from expressions.check(text, f"{here}.expression", results=(result,), makes_objects=True, **how)


def _check_policy(spec: Part, name: str) -> Iterator[Cause]:
    yield from _check_head(spec)
    has_params = spec.get("paramKind") is not None
    types: dict[str, Type] = {}
    yield from _check_variables(spec.get("variables") or (), types, has_params=has_params)
    how = {"has_params": has_params, "variables": types if spec.get("variables") else None}
    validations, annotations = spec.get("validations") or (), spec.get("auditAnnotations") or ()
    if not validations and not annotations:
        yield required("spec.validations", _EMPTY)
        yield required("spec.auditAnnotations", _EMPTY)
    for index, each in enumerate(validations):
        yield from _check_validation(each, f"spec.validations[{index}]", how)
    if len(annotations) > _MOST_ANNOTATIONS:
        why = f"must not have more than {_MOST_ANNOTATIONS} auditAnnotations"
        yield invalid("spec.auditAnnotations", annotations, why)
    seen: set[str] = set()
    for index, each in enumerate(annotations):
        field, key = f"spec.auditAnnotations[{index}]", each.get("key") or ""
        yield from _check_annotation(each, field, name, how)
        if key in seen:
            yield duplicate(f"{field}.key", key)
        seen.add(key)


def _check_head(spec: Part) -> Iterator[Cause]:
    """What policies of both kinds have."""
    failure, kind, matched = spec.get("failurePolicy"), spec.get("paramKind"), spec.get("matchConstraints")
    if failure not in FAILURE_POLICIES:
        yield unsupported("spec.failurePolicy", failure, FAILURE_POLICIES)
    if kind is not None:
        yield from _check_param_kind(kind, "spec.paramKind")
    if matched is None:
        yield required("spec.matchConstraints")
    else:
        yield from check_resources(matched, "spec.matchConstraints")
        if not matched.get("resourceRules"):
            yield required("spec.matchConstraints.resourceRules")

    def check_expression(text: str, field: str) -> Iterator[Cause]:
        yield from expressions.check(text, field, has_params=kind is not None)

    yield from check_conditions(spec.get("matchConditions") or (), "spec.matchConditions", check_expression)


def _check_param_kind(kind: Part, field: str) -> Iterator[Cause]:
    api_version, name = kind.get("apiVersion") or "", kind.get("kind") or ""
    group, _, version = api_version.rpartition("/")
    if not api_version:
        yield required(f"{field}.apiVersion")
    elif api_version.count("/") > 1:
        yield invalid(f"{field}.apiVersion", api_version, f"unexpected GroupVersion string: {api_version}")
    else:
        complaints = subdomain_name(group) if group else []
        if complaints:
            yield invalid(f"{field}.apiVersion", group, ",".join(complaints))
        if not version:
            yield invalid(f"{field}.apiVersion", api_version, "version must be specified")
        elif service_name(version):
            yield invalid(f"{field}.apiVersion", version, ",".join(service_name(version)))
    if not name:
        yield required(f"{field}.kind")
    elif service_name(name.lower()):
        why = f"may have mixed case, but should otherwise match: {','.join(service_name(name.lower()))}"
        yield invalid(f"{field}.kind", name, why)


def _check_variables(variables: Any, types: dict[str, Type], *, has_params: bool) -> Iterator[Cause]:
    """
    Args:
        types: Those of the variables are added to it: each may use those before it.
    """
    for index, each in enumerate(variables):
        field, name, text = f"spec.variables[{index}]", each.get("name") or "", each.get("expression") or ""
        if not name.strip():
            yield required(f"{field}.name", "name is not specified")
        elif not _IDENTIFIER.fullmatch(name) or name in _RESERVED:
            yield invalid(f"{field}.name", name, "must be a valid CEL identifier")
        if not text.strip():
            yield required(f"{field}.expression", "expression is not specified")
            continue
        found: list[Type] = []
        yield from expressions.check(
            text, f"{field}.expression", found, results=(), has_params=has_params, variables=types
        )
        types[name] = found[0] if found else DYN


def _check_validation(validation: Part, field: str, how: Part) -> Iterator[Cause]:
    text, message = validation.get("expression") or "", validation.get("message") or ""
    words, reason = validation.get("messageExpression") or "", validation.get("reason")
    if not text.strip():
        yield required(f"{field}.expression", "expression is not specified")
    else:
        yield from expressions.check(text, f"{field}.expression", results=(BOOL,), **how)
    if words and not words.strip():
        yield invalid(f"{field}.messageExpression", words, "must be non-empty if specified")
    elif words:
        yield from expressions.check(words, f"{field}.messageExpression", results=(STRING,), **how)
    if message and not message.strip():
        yield invalid(f"{field}.message", message, "must be non-empty if specified")
    elif re.search(r"[\n\r]", message.strip()):
        yield invalid(f"{field}.message", message, "must not contain line breaks")
    if reason is not None and reason not in _REASONS:
        yield unsupported(f"{field}.reason", reason, _REASONS)


def _check_annotation(annotation: Part, field: str, name: str, how: Part) -> Iterator[Cause]:
    key, text = annotation.get("key") or "", (annotation.get("valueExpression") or "").strip()
    if name:
        yield from qualified_name(f"{field}.key", f"{name}/{key}")
    else:
        yield invalid(f"{field}.key", key, "requires metadata.name be non-empty")
    if not text:
        yield required(f"{field}.valueExpression", "valueExpression is not specified")
    elif len(text.encode()) > _LONGEST_ANNOTATION:
        yield required(f"{field}.valueExpression", f"must not exceed {_LONGEST_ANNOTATION} bytes in length")
    else:
        yield from expressions.check(text, f"{field}.valueExpression", results=(STRING, NULL), **how)


def _check_bound(spec: Part) -> Iterator[Cause]:
    """What bindings of both kinds have."""
    name = spec.get("policyName") or ""
    if not name:
        yield required("spec.policyName")
    else:
        yield from each_invalid("spec.policyName", name, subdomain_name(name))
    yield from _check_param_reference(spec.get("paramRef"), "spec.paramRef")
    yield from check_resources(spec.get("matchResources"), "spec.matchResources")


def _check_binding(spec: Part) -> Iterator[Cause]:
    yield from _check_bound(spec)
    field, actions, seen = "spec.validationActions", spec.get("validationActions") or (), set()
    for index, each in enumerate(actions):
        if each not in _ACTIONS:
            yield unsupported(f"{field}[{index}]", each, _ACTIONS)
        if each in seen:
            yield duplicate(f"{field}[{index}]", each)
        seen.add(each)
    if {"Deny", "Warn"} <= seen:
        why = "must not contain both Deny and Warn (repeating the same validation failure information in the API "
        yield invalid(field, actions, f"{why}response and headers serves no purpose)")
    if not actions:
        yield required(field, "at least one validation action is required")


def _check_param_reference(reference: Part | None, field: str) -> Iterator[Cause]:
    if reference is None:
        return
    name, selector, action = (reference.get(each) for each in ("name", "selector", "parameterNotFoundAction"))
    both = "name and selector are mutually exclusive"
    if name:
        yield from each_invalid(f"{field}.name", name, path_name(name))
        if selector is not None:
            yield forbidden(f"{field}.name", both)
    if selector is not None:
        yield from check_label_selector(selector, f"{field}.selector")
        if name:
            yield forbidden(f"{field}.selector", both)
    if not name and selector is None:
        yield required(field, "one of name or selector must be specified")
    if not action:
        yield required(f"{field}.parameterNotFoundAction")
    elif action not in _NOT_FOUND_ACTIONS:
        yield unsupported(f"{field}.parameterNotFoundAction", action, _NOT_FOUND_ACTIONS)
