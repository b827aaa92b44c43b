"""ValidatingAdmissionPolicies: compiled once, and asked about each request their bindings are for.

Source: k8s.io/apiserver/pkg/admission/plugin/policy/validating, v0.36. What goes to an audit log alone is computed only
to see whether it can be.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NamedTuple

from btcctl.apiserver.admission import matching
from btcctl.apiserver.admission.attributes import Attributes
from btcctl.apiserver.admission.conditions import evaluate
from btcctl.apiserver.admission.policies.params import ConfigurationError, Params
from btcctl.apiserver.admission.versions import Versions
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.storage.collection import Body
from btcctl.apiserver.storage.store import Store
from btcctl.resources import ResourceType

_LONGEST_MESSAGE = 5 * 1024
_CODES = {"Forbidden": HTTPStatus.FORBIDDEN, "RequestEntityTooLarge": HTTPStatus.REQUEST_ENTITY_TOO_LARGE}
_INVALID = "Invalid"
Spec = Mapping[str, Any]


@dataclass(frozen=True)
class Validation:
    """One rule of a policy, compiled."""

    source: Mapping[str, Any]
    expression: Any
    message: Any  #: None if it has no messageExpression


@dataclass(frozen=True)
class Policy:
    """A policy and its bindings, ready to be asked."""

    name: str
    spec: Spec
    bindings: tuple[Body, ...]
    conditions: Sequence[Any] = field(compare=False)
    variables: Mapping[str, Any] = field(compare=False)
    validations: Sequence[Validation] = field(compare=False)
    annotations: Sequence[Any] = field(compare=False)

    @property
    def is_fatal(self) -> bool:
        """Whether what cannot be evaluated refuses the request."""
        return self.spec.get("failurePolicy") != "Ignore"


class _Decision(NamedTuple):
    """What an expression says against a request.

    Attributes:
        reason: "" for one that has no value: then the failurePolicy decides.
        is_annotation: Something that cannot be written into an audit log, whatever the binding's actions are.
    """

    message: str
    reason: str = ""
    is_annotation: bool = False


@dataclass(frozen=True)
class _Refusal:
    """What a policy says against a request; `binding` is None if it is about the policy itself."""

    policy: Policy
    binding: Body | None
    message: str
    reason: str = _INVALID


def read_policies(policies: Sequence[Body], bindings: Sequence[Body]) -> tuple[Policy, ...]:
    """Those that have a binding: others say nothing."""
    bound: dict[str, list[Body]] = {}
    for each in bindings:
        bound.setdefault(each["spec"].get("policyName", ""), []).append(each)
    found = ((each, bound.get(each["metadata"]["name"])) for each in policies)
    return tuple(_compiled(policy, tuple(its)) for policy, its in found if its)


def _compiled(policy: Body, bindings: tuple[Body, ...]) -> Policy:
    cel = importlib.import_module("btcctl.apiserver.schemas.cel.conditions")  # late: most servers have none
    spec: Spec = policy["spec"]
    has_params = spec.get("paramKind") is not None
    conditions = [
        cel.compile_text(each["expression"].strip(), has_params=has_params)
        for each in spec.get("matchConditions") or ()
    ]
    variables: dict[str, Any] = {}
    for each in spec.get("variables") or ():
        known = {name: found.type for name, found in variables.items()}
        found = cel.compile_text(each["expression"], (), has_params=has_params, variables=known)
        variables[each["name"]] = found
    types = {name: each.type for name, each in variables.items()} if variables else None

    def compiled(text: str) -> Any:
        return cel.compile_text(text, (), has_params=has_params, variables=types)

    validations = [
        Validation(
            each,
            compiled(each["expression"]),
            compiled(each["messageExpression"]) if each.get("messageExpression") else None,
        )
        for each in spec.get("validations") or ()
    ]
    annotations = [compiled(each["valueExpression"].strip()) for each in spec.get("auditAnnotations") or ()]
    return Policy(policy["metadata"]["name"], spec, bindings, conditions, variables, validations, annotations)


class ValidatingPolicies:
    """Asks them. Thread-safe."""

    def __init__(self, store: Store, versions: Versions, params: Params) -> None:
        self._store = store
        self._versions = versions
        self._params = params

    def validate(self, policies: Sequence[Policy], attributes: Attributes, warnings: list[str]) -> None:
        """
        Args:
            warnings: What bindings only warn of is added to it.

        Raises:
            StatusError: One refuses.
        """
        refusals = [each for policy in policies for each in self._refusals(policy, attributes, warnings)]
        if refusals:
            raise _refused(attributes, refusals[0])

    def _refusals(self, policy: Policy, attributes: Attributes, warnings: list[str]) -> Iterator[_Refusal]:
        matched = self._match(policy.spec["matchConstraints"], attributes)
        if matched is None:
            return
        resource, shown = matched
        for binding in policy.bindings:
            own = binding["spec"].get("matchResources")
            if own is not None and self._match(own, attributes) is None:
                continue
            try:
                params = self._params.of(policy.spec.get("paramKind"), binding["spec"].get("paramRef"), attributes)
            except ConfigurationError as error:
                if policy.is_fatal:
                    yield _Refusal(policy, binding, f"failed to configure binding: {error}")
                continue
            for each in params:
                decisions = self._decisions(policy, shown, resource, each)
                yield from self._acted_on(policy, binding, decisions, warnings)

    def _match(self, matched: Mapping[str, Any], attributes: Attributes) -> tuple[ResourceType, Attributes] | None:
        """The resource that is meant and the request as its version shows it; None if it is not meant."""
        if not matching.selects(matched, attributes, self._store):
            return None
        policy = matched.get("matchPolicy") or "Equivalent"
        equivalents = list(self._versions.equivalents(attributes.resource))
        if matching.first_match(matched.get("excludeResourceRules") or (), attributes, equivalents, policy) is not None:
            return None
        rules = matched.get("resourceRules") or ()
        found = matching.first_match(rules, attributes, equivalents, policy) if rules else (None, attributes.resource)
        if found is None:
            return None
        resource = found[1]
        kind = attributes.type if resource == attributes.resource else resource
        return resource, self._versions.attributes(attributes, kind)

    def _decisions(
        self, policy: Policy, attributes: Attributes, resource: ResourceType, params: Body | None
    ) -> Iterator[_Decision]:
        """What is not as it should be."""
        data = importlib.import_module("btcctl.apiserver.schemas.cel.data")
        request = attributes.request(resource, attributes.type)
        scope: dict[str, Any] = {"object": attributes.obj, "oldObject": attributes.old, "request": request}
        scope |= {"params": params, "namespaceObject": None}
        problems = evaluate(policy.conditions, scope) if policy.conditions else []
        if problems:
            yield _Decision(problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]")
        if problems is None or problems:
            return
        scope["namespaceObject"] = _seen(matching.namespace_of(attributes, self._store))
        budget = data.Budget()
        if policy.variables:
            cel = importlib.import_module("btcctl.apiserver.schemas.cel.conditions")
            scope["variables"] = cel.Variables(policy.variables, scope, budget)
        yield from _failed(policy, scope, budget)
        for each in policy.annotations:
            try:
                each.value(scope, budget)
            except data.EvaluationError as error:
                yield _Decision(str(error), is_annotation=True)

    def _acted_on(
        self, policy: Policy, binding: Body, decisions: Iterator[_Decision], warnings: list[str]
    ) -> Iterator[_Refusal]:
        actions = binding["spec"].get("validationActions") or ()
        name = binding["metadata"]["name"]
        for message, reason, is_annotation in decisions:
            if not reason and not policy.is_fatal:
                continue
            if "Deny" in actions or is_annotation:
                yield _Refusal(policy, binding, message, reason or _INVALID)
            elif "Warn" in actions:
                head = f"Validation failed for ValidatingAdmissionPolicy '{policy.name}' with binding '{name}'"
                warnings.append(f"{head}: {message}")


def _seen(namespace: Body | None) -> Body | None:
    """A namespace as policies see it."""
    if namespace is None:
        return None
    metadata = dict(namespace["metadata"])
    for name in ("managedFields", "ownerReferences"):
        metadata.pop(name, None)
    return {**namespace, "metadata": metadata}


def _failed(policy: Policy, scope: Mapping[str, Any], budget: Any) -> Iterator[_Decision]:
    """The validations that are not true, or have no value; all are evaluated before any message is."""
    cel = importlib.import_module("btcctl.apiserver.schemas.cel.conditions")
    data = importlib.import_module("btcctl.apiserver.schemas.cel.data")
    failed: list[tuple[Validation, str]] = []
    for validation in policy.validations:
        try:
            if validation.expression.value(scope, budget) is not True:
                failed.append((validation, ""))
        except cel.OutOfBudget as error:
            yield _Decision(str(error))
            return
        except data.EvaluationError as error:
            failed.append((validation, str(error)))
    for validation, why in failed:
        reason = validation.source.get("reason") or _INVALID
        yield _Decision(why) if why else _Decision(_message(validation, scope, budget, data.EvaluationError), reason)


def _message(validation: Validation, scope: Mapping[str, Any], budget: Any, failure: type[Exception]) -> str:
    text = ""
    if validation.message is not None:
        try:
            found = validation.message.value(scope, budget)
            text = found.strip() if isinstance(found, str) else ""
        except failure:
            text = ""
        if "\n" in text or len(text.encode()) > _LONGEST_MESSAGE:
            text = ""
    own = (validation.source.get("message") or "").strip()
    return text or own or f"failed expression: {validation.source['expression'].strip()}"


def _refused(attributes: Attributes, refusal: _Refusal) -> StatusError:
    whose = f"ValidatingAdmissionPolicy '{refusal.policy.name}'"
    if refusal.binding is not None:
        whose += f" with binding '{refusal.binding['metadata']['name']}'"
    message = f"{whose} denied request: {refusal.message}"
    error = errors.forbidden(attributes.resource, _name(attributes), message)
    error.status = int(_CODES.get(refusal.reason, HTTPStatus.UNPROCESSABLE_ENTITY))
    body = error.body or {}
    details = {**body.get("details", {}), "causes": [{"message": message}]}
    error.body = {**body, "reason": refusal.reason, "details": details, "code": error.status}
    return error


def _name(attributes: Attributes) -> str:
    """What errors call the object."""
    metadata = {} if attributes.obj is None else attributes.obj["metadata"]
    return attributes.name or metadata.get("name") or metadata.get("generateName") or "Unknown"
