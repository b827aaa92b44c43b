"""Which requests a webhook or a policy is for: rules and selectors.

Source: k8s.io/apiserver/pkg/admission/plugin/webhook/predicates, v0.36.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from btcctl.apiserver.admission.attributes import CREATE, UPDATE, Attributes
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.labels import matches_selector
from btcctl.apiserver.storage.collection import Body
from btcctl.apiserver.storage.store import Store
from btcctl.objects import ObjectKey
from btcctl.resources import NAMESPACES, ResourceType

Rule = Mapping[str, Any]
_NAMESPACES = ("", "namespaces")


def first_match(
    rules: Iterable[Rule], attributes: Attributes, equivalents: Iterable[ResourceType], policy: str
) -> tuple[Rule, ResourceType] | None:
    """The first rule that is for a request, and the resource it names: another version, if the policy is Equivalent."""
    known = list(rules)
    for rule in known:
        if matches(rule, attributes, attributes.resource):
            return rule, attributes.resource
    if policy == "Exact":
        return None
    for rule in known:
        for other in equivalents:
            if matches(rule, attributes, other):
                return rule, other
    return None


def matches(rule: Rule, attributes: Attributes, resource: ResourceType) -> bool:
    """Whether a rule is for a request to this resource."""
    is_spread = attributes.resource != NAMESPACES and bool(attributes.namespace)
    scope = rule.get("scope") or "*"
    names = rule.get("resourceNames") or ()
    return (
        scope in {"*", "Namespaced" if is_spread else "Cluster"}
        and _has(rule.get("operations"), attributes.operation)
        and _has(rule.get("apiGroups"), resource.group)
        and _has(rule.get("apiVersions"), resource.version)
        and any(_names(each, resource.plural, attributes.route.subresource) for each in rule.get("resources") or ())
        and (not names or attributes.name in names)
    )


def selects(matched: Mapping[str, Any], attributes: Attributes, store: Store) -> bool:
    """Whether both selectors of a webhook or a policy fit.

    Raises:
        StatusError: The namespace is not there.
    """
    selector = matched.get("objectSelector") or {}
    if selector and not any(_fits(selector, each) for each in (attributes.obj, attributes.old)):
        return False
    selector = matched.get("namespaceSelector") or {}
    if not selector or (not attributes.namespace and attributes.resource != NAMESPACES):
        return True
    return matches_selector(selector, _namespace_labels(attributes, store))


def namespace_of(attributes: Attributes, store: Store) -> Body | None:
    """The namespace that a request is in; None if it is in none.

    Raises:
        StatusError: It is not there.
    """
    name = attributes.namespace
    if not name or attributes.resource == NAMESPACES:
        return None
    record = store.get(_NAMESPACES, ObjectKey("", name))
    if record is None:
        raise errors.not_found(NAMESPACES, name)
    return record.body


def _namespace_labels(attributes: Attributes, store: Store) -> Mapping[str, str]:
    is_written = attributes.operation in {CREATE, UPDATE} and not attributes.route.subresource
    if attributes.resource == NAMESPACES and is_written and attributes.obj is not None:
        return attributes.obj["metadata"].get("labels") or {}
    record = store.get(_NAMESPACES, ObjectKey("", attributes.namespace))
    if record is None:
        raise errors.not_found(NAMESPACES, attributes.namespace)
    return record.body["metadata"].get("labels") or {}


def _fits(selector: Mapping[str, Any], obj: Body | None) -> bool:
    return obj is not None and matches_selector(selector, (obj.get("metadata") or {}).get("labels") or {})


def _has(named: Iterable[str] | None, wanted: str) -> bool:
    return any(each in {"*", wanted} for each in named or ())


def _names(named: str, resource: str, subresource: str) -> bool:
    whole, _, below = named.partition("/")
    return whole in {"*", resource} and below in {"*", subresource}
