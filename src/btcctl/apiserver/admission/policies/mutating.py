"""MutatingAdmissionPolicies: compiled once, and asked in turn how an object is to be changed.

Source: k8s.io/apiserver/pkg/admission/plugin/policy/mutating, v0.36.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from btcctl.apiserver.admission.attributes import DELETE, Attributes
from btcctl.apiserver.admission.mutating import Mutator, Plugin
from btcctl.apiserver.admission.policies.invocations import Invocation, Invocations, Policy, with_variables
from btcctl.apiserver.admission.versions import Versions
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.managedfields.comparing import Untypable
from btcctl.apiserver.managedfields.typed import atomics, complaint, merge, problems
from btcctl.apiserver.patching.json_patch import PatchError, TestFailed, apply_operations
from btcctl.apiserver.patching.ordering import written
from btcctl.apiserver.requests.options import Renew
from btcctl.apiserver.served.registry import Registry, Served
from btcctl.apiserver.storage.collection import Body
from btcctl.errors import BtcctlError


class _Unpatchable(BtcctlError):
    """What an expression says cannot be done; in a real server's words."""


#: An object in the version that its policy has matched, and what an expression wants of it, to the patched object.
_Patch = Callable[[Served, str, Body, Any], dict[str, Any]]


class _Mutation(NamedTuple):
    """One of a policy's, compiled.

    Attributes:
        is_strict: Whether the patched object may have nothing that its kind does not know.
    """

    expression: Any
    patch: _Patch
    is_strict: bool


class _Refusal(NamedTuple):
    """What a policy says against a request.

    Attributes:
        reason: "" for that of any refusal.
    """

    message: str
    reason: str = "Invalid"


@dataclass(frozen=True)
class MutatingPolicy:
    """A policy with what it changes."""

    policy: Policy
    mutations: Sequence[_Mutation] = field(compare=False)

    @property
    def is_reinvocable(self) -> bool:
        return self.policy.spec.get("reinvocationPolicy") == "IfNeeded"


def compiled(policy: Policy) -> MutatingPolicy:
    cel = importlib.import_module("btcctl.apiserver.schemas.cel.conditions")  # late: most servers have none
    mutations = []
    for each in policy.spec.get("mutations") or ():
        is_json = each["patchType"] == "JSONPatch"
        text = each["jsonPatch" if is_json else "applyConfiguration"]["expression"]
        expression = cel.compile_text(
            text, (), has_params=policy.has_params, variables=policy.types, makes_objects=True
        )
        patch: _Patch = _patched if is_json else _applied
        mutations.append(_Mutation(expression, patch, is_json))
    return MutatingPolicy(policy, mutations)


class MutatingPolicies:
    """Asks them. Thread-safe."""

    def __init__(self, registry: Registry, versions: Versions, invocations: Invocations) -> None:
        self._registry = registry
        self._versions = versions
        self._invocations = invocations

    def plugin(self, policies: Sequence[MutatingPolicy], attributes: Attributes, renew: Renew) -> Plugin:
        """They have their turn together; only when it is over, what they refuse is told.

        Args:
            renew: Makes an object of patched JSON.
        """
        turn = _Turn(self._registry, self._versions, self._invocations, renew)
        asked = [] if attributes.operation == DELETE else policies
        return Plugin(partial(turn.mutators, asked), partial(turn.end, attributes), counts_all=True)


@dataclass
class _Turn:
    """The policies' part in one request."""

    registry: Registry
    versions: Versions
    invocations: Invocations
    renew: Renew
    refusals: list[_Refusal] = field(default_factory=list)

    def mutators(self, policies: Sequence[MutatingPolicy], attributes: Attributes) -> Iterator[Mutator]:
        for each in policies:
            for invocation in list(self.invocations.of(each.policy, attributes)):
                if invocation.problem:
                    self._refuse(each.policy, invocation, invocation.problem, "")
                    continue
                apply = partial(self._mutated, each, invocation)
                yield Mutator(_uid(each.policy, invocation), each.is_reinvocable, apply)

    def end(self, attributes: Attributes) -> None:
        """
        Raises:
            StatusError: One of those that may not fail has failed.
        """
        if self.refusals:
            raise _refused(attributes, self.refusals)

    def _mutated(self, mutating: MutatingPolicy, invocation: Invocation, current: Attributes) -> Body | None:
        data = importlib.import_module("btcctl.apiserver.schemas.cel.data")
        policy, type_ = mutating.policy, invocation.attributes.type
        shown = self.versions.attributes(current, type_)
        scope, problem = self.invocations.scope(policy, invocation._replace(attributes=shown))
        if problem:
            self._refuse(policy, invocation, problem)
        served = self.registry.find(type_.group, type_.version, type_.plural)
        if scope is None or served is None:
            return None
        obj: Body | None = None
        for mutation in mutating.mutations:
            budget = data.Budget()
            try:
                wanted = mutation.expression.value(with_variables(policy, scope, budget), budget)
                patched = mutation.patch(served, current.route.subresource, scope["object"], wanted)
            except (data.EvaluationError, _Unpatchable) as error:
                self._refuse(policy, invocation, str(error))
                continue
            made = self.versions.shown(patched, type_, current.type) or {}
            obj = self.renew(made, is_strict=mutation.is_strict)
            scope = {**scope, "object": self.versions.shown(obj, current.type, type_)}
        return obj

    def _refuse(self, policy: Policy, invocation: Invocation, why: str, reason: str = "Invalid") -> None:
        if policy.is_fatal:
            binding = invocation.binding["metadata"]["name"]
            whose = f"policy '{policy.name}' with binding '{binding}'"
            self.refusals.append(_Refusal(f"{whose} denied request: {why}", reason))


def _uid(policy: Policy, invocation: Invocation) -> str:
    metadata = {} if invocation.params is None else invocation.params["metadata"]
    params = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}"
    return f"{policy.name}/{invocation.binding['metadata']['name']}/{params}"


def _applied(served: Served, subresource: str, obj: Body, wanted: Any) -> dict[str, Any]:
    """
    Raises:
        _Unpatchable: It does not fit, or would change what can only be replaced as a whole.
    """
    misnamed = "\n".join(wanted.misnamed())
    if misnamed:
        raise _Unpatchable(f"type mismatch: {misnamed}")
    data = importlib.import_module("btcctl.apiserver.schemas.cel.data")
    patch = {**data.as_json(wanted), "apiVersion": served.type.api_version, "kind": served.type.kind}
    target, head = served.kind.target(subresource), "error applying patch: "
    type_ = target.type
    why = complaint(problems(type_, patch))
    if why:
        raise _Unpatchable(f"{head}failed to convert patch object to typed object: {why}")
    whole = ", ".join(atomics(type_, patch))
    if whole:
        raise _Unpatchable(f"{head}invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: {whole}")
    why = complaint(problems(type_, obj, unique=False)) if target.is_plain else ""
    if why:
        raise _Unpatchable(f"{head}failed to convert original object to typed object: {why}")
    try:
        merged: dict[str, Any] = merge(type_, obj, patch)
    except Untypable as error:
        raise _Unpatchable(f"{head}failed to merge patch: {error}") from error
    return merged


def _patched(_: Served, _subresource: str, obj: Body, wanted: Any) -> dict[str, Any]:
    """
    Raises:
        _Unpatchable: An operation does not apply.
    """
    data = importlib.import_module("btcctl.apiserver.schemas.cel.data")
    for each in wanted:
        misnamed = "\n".join(each["value"].misnamed()) if isinstance(each.get("value"), data.Made) else ""
        if misnamed:
            raise _Unpatchable(f"type mismatch: {misnamed}")
    operations = [{"op": "", "path": "", **data.as_json(each)} for each in wanted]
    try:
        found = written(apply_operations(obj, operations))
    except TestFailed:
        return dict(obj)
    except PatchError as error:
        raise _Unpatchable(f"JSON Patch: {error}") from error
    if not isinstance(found, dict):
        raise errors.internal_error("the patched object is no object")
    return found


def _refused(attributes: Attributes, refusals: Sequence[_Refusal]) -> StatusError:
    first = refusals[0]
    error = errors.forbidden(attributes.resource, attributes.shown_name, first.message)
    error.message = first.message
    body = error.body or {}
    causes = [{"message": each.message} for each in refusals]
    details = {**body.get("details", {}), "causes": causes}
    reason = first.reason or body.get("reason")
    error.body = {**body, "message": first.message, "reason": reason, "details": details}
    return error
