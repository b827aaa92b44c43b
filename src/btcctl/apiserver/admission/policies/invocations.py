"""Which policies a request is for, by which of their bindings, and with which params: of policies of both kinds.

Source: k8s.io/apiserver/pkg/admission/plugin/policy/generic, v0.36.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from btcctl.apiserver.admission import matching
from btcctl.apiserver.admission.attributes import Attributes
from btcctl.apiserver.admission.conditions import evaluate
from btcctl.apiserver.admission.policies.params import ConfigurationError, Params
from btcctl.apiserver.admission.versions import Versions
from btcctl.apiserver.storage.collection import Body
from btcctl.apiserver.storage.store import Store
from btcctl.resources import ResourceType

Spec = Mapping[str, Any]


@dataclass(frozen=True)
class Policy:
    """A policy and its bindings, ready to be asked."""

    name: str
    spec: Spec
    bindings: tuple[Body, ...]
    has_params: bool
    conditions: Sequence[Any] = field(compare=False)
    variables: Mapping[str, Any] = field(compare=False)

    @property
    def is_fatal(self) -> bool:
        """Whether what cannot be evaluated refuses the request."""
        return self.spec.get("failurePolicy") != "Ignore"

    @property
    def types(self) -> dict[str, Any]:
        """Those of its variables."""
        return {name: each.type for name, each in self.variables.items()}


def read_policies(policies: Iterable[Body], bindings: Iterable[Body]) -> Iterator[Policy]:
    """Those that have a binding: others say nothing."""
    bound: dict[str, list[Body]] = {}
    for each in bindings:
        bound.setdefault(each["spec"].get("policyName", ""), []).append(each)
    for policy in policies:
        own = bound.get(policy["metadata"]["name"])
        if own:
            yield _read(policy, tuple(own))


def _read(policy: Body, bindings: tuple[Body, ...]) -> Policy:
    cel = importlib.import_module("btcctl.apiserver.schemas.cel.conditions")  # late: most servers have none
    spec: Spec = policy["spec"]
    has_params = spec.get("paramKind") is not None
    conditions = [
        cel.compile_text(each["expression"].strip(), has_params=has_params)
        for each in spec.get("matchConditions") or ()
    ]
    variables: dict[str, Any] = {}
    types: dict[str, Any] = {}
    for each in spec.get("variables") or ():
        found = cel.compile_text(each["expression"], (), has_params=has_params, variables=types)
        variables[each["name"]], types[each["name"]] = found, found.type
    return Policy(policy["metadata"]["name"], spec, bindings, has_params, conditions, variables)


class Invocation(NamedTuple):
    """A policy that is to be asked.

    Attributes:
        resource: The resource that was matched: of another version, maybe.
        attributes: The request as that version has it.
        problem: Why it cannot be asked; "" if it can.
    """

    binding: Body
    resource: ResourceType
    attributes: Attributes
    params: Body | None = None
    problem: str = ""


class Invocations:
    """Finds them. Thread-safe."""

    def __init__(self, store: Store, versions: Versions, params: Params) -> None:
        self._store = store
        self._versions = versions
        self._params = params

    def of(self, policy: Policy, attributes: Attributes) -> Iterator[Invocation]:
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
                yield Invocation(binding, resource, shown, problem=f"failed to configure binding: {error}")
                continue
            for each in params:
                yield Invocation(binding, resource, shown, each)

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

    def scope(self, policy: Policy, invocation: Invocation) -> tuple[dict[str, Any] | None, str]:
        """What expressions of the policy know; None if its conditions do not hold.

        Returns:
            It, and what is wrong with conditions that have no value.
        """
        attributes = invocation.attributes
        request = attributes.request(invocation.resource, attributes.type)
        scope: dict[str, Any] = {"object": attributes.obj, "oldObject": attributes.old, "request": request}
        scope |= {"params": invocation.params, "namespaceObject": None}
        problems = evaluate(policy.conditions, scope) if policy.conditions else []
        if problems is None or problems:
            return None, "" if not problems else problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        scope["namespaceObject"] = _seen(matching.namespace_of(attributes, self._store))
        return scope, ""


def with_variables(policy: Policy, scope: dict[str, Any], budget: Any) -> dict[str, Any]:
    """A scope that knows the policy's variables, too, each computed when it is asked for, at the budget's cost."""
    if not policy.variables:
        return scope
    cel = importlib.import_module("btcctl.apiserver.schemas.cel.conditions")
    return {**scope, "variables": cel.Variables(policy.variables, scope, budget)}


def _seen(namespace: Body | None) -> Body | None:
    """A namespace as policies see it."""
    if namespace is None:
        return None
    metadata = dict(namespace["metadata"])
    for name in ("managedFields", "ownerReferences"):
        metadata.pop(name, None)
    return {**namespace, "metadata": metadata}
