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

from btcctl.apiserver.admission.attributes import Attributes
from btcctl.apiserver.admission.policies.invocations import Invocation, Invocations, Policy, with_variables
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.storage.collection import Body

_LONGEST_MESSAGE = 5 * 1024
_CODES = {"Forbidden": HTTPStatus.FORBIDDEN, "RequestEntityTooLarge": HTTPStatus.REQUEST_ENTITY_TOO_LARGE}
_INVALID = "Invalid"


@dataclass(frozen=True)
class Validation:
    """One rule of a policy, compiled."""

    source: Mapping[str, Any]
    expression: Any
    message: Any  #: None if it has no messageExpression


@dataclass(frozen=True)
class ValidatingPolicy:
    """A policy with what it checks."""

    policy: Policy
    validations: Sequence[Validation] = field(compare=False)
    annotations: Sequence[Any] = field(compare=False)


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


def compiled(policy: Policy) -> ValidatingPolicy:
    cel = importlib.import_module("btcctl.apiserver.schemas.cel.conditions")  # late: most servers have none
    types = policy.types if policy.variables else None

    def compile_text(text: str) -> Any:
        return cel.compile_text(text, (), has_params=policy.has_params, variables=types)

    validations = [
        Validation(
            each,
            compile_text(each["expression"]),
            compile_text(each["messageExpression"]) if each.get("messageExpression") else None,
        )
        for each in policy.spec.get("validations") or ()
    ]
    annotations = [compile_text(each["valueExpression"].strip()) for each in policy.spec.get("auditAnnotations") or ()]
    return ValidatingPolicy(policy, validations, annotations)


class ValidatingPolicies:
    """Asks them. Thread-safe."""

    def __init__(self, invocations: Invocations) -> None:
        self._invocations = invocations

    def validate(self, policies: Sequence[ValidatingPolicy], attributes: Attributes) -> None:
        """
        Raises:
            StatusError: One refuses.
        """
        refusals = [each for policy in policies for each in self._refusals(policy, attributes)]
        if refusals:
            raise _refused(attributes, refusals[0])

    def _refusals(self, validating: ValidatingPolicy, attributes: Attributes) -> Iterator[_Refusal]:
        policy = validating.policy
        for invocation in self._invocations.of(policy, attributes):
            if invocation.problem:
                if policy.is_fatal:
                    yield _Refusal(policy, invocation.binding, invocation.problem)
                continue
            yield from self._acted_on(policy, invocation, self._decisions(validating, invocation))

    def _decisions(self, validating: ValidatingPolicy, invocation: Invocation) -> Iterator[_Decision]:
        """What is not as it should be."""
        data = importlib.import_module("btcctl.apiserver.schemas.cel.data")
        known, problem = self._invocations.scope(validating.policy, invocation)
        if problem:
            yield _Decision(problem)
        if known is None:
            return
        budget = data.Budget()
        scope = with_variables(validating.policy, known, budget)
        yield from _failed(validating.validations, scope, budget)
        for each in validating.annotations:
            try:
                each.value(scope, budget)
            except data.EvaluationError as error:
                yield _Decision(str(error), is_annotation=True)

    def _acted_on(self, policy: Policy, invocation: Invocation, decisions: Iterator[_Decision]) -> Iterator[_Refusal]:
        binding = invocation.binding
        actions = binding["spec"].get("validationActions") or ()
        name = binding["metadata"]["name"]
        for message, reason, is_annotation in decisions:
            if not reason and not policy.is_fatal:
                continue
            if "Deny" in actions or is_annotation:
                yield _Refusal(policy, binding, message, reason or _INVALID)
            elif "Warn" in actions:
                head = f"Validation failed for ValidatingAdmissionPolicy '{policy.name}' with binding '{name}'"
                invocation.attributes.warn(f"{head}: {message}")


def _failed(validations: Sequence[Validation], scope: Mapping[str, Any], budget: Any) -> Iterator[_Decision]:
    """The validations that are not true, or have no value; all are evaluated before any message is."""
    cel = importlib.import_module("btcctl.apiserver.schemas.cel.conditions")
    data = importlib.import_module("btcctl.apiserver.schemas.cel.data")
    failed: list[tuple[Validation, str]] = []
    for validation in validations:
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
    error = errors.forbidden(attributes.resource, attributes.shown_name, message)
    error.status = int(_CODES.get(refusal.reason, HTTPStatus.UNPROCESSABLE_ENTITY))
    body = error.body or {}
    details = {**body.get("details", {}), "causes": [{"message": message}]}
    error.body = {**body, "reason": refusal.reason, "details": details, "code": error.status}
    return error
