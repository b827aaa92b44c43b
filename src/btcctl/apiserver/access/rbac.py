"""RBAC: what the roles and bindings in the store allow.

Nobody but `system:masters` may do anything that no role allows. What an aggregated ClusterRole has is gathered anew
each time, as a controller does elsewhere.

Source: plugin/pkg/auth/authorizer/rbac of kubernetes 1.36.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from btcctl.apiserver.access import rules
from btcctl.apiserver.access.impersonation import account_user
from btcctl.apiserver.access.rules import Rule
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.machinery.gofmt import quoted
from btcctl.apiserver.machinery.labels import matches_selector
from btcctl.apiserver.requests.messages import RequestAttributes
from btcctl.apiserver.storage.collection import Body
from btcctl.apiserver.storage.store import Store
from btcctl.errors import BtcctlError
from btcctl.objects import ObjectKey
from btcctl.resources import CLUSTER_ROLES, ROLES, ResourceType

MASTERS = "system:masters"
_GROUP = "rbac.authorization.k8s.io"
_EVERYTHING: tuple[Rule, ...] = (
    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    {"verbs": ["*"], "nonResourceURLs": ["*"]},
)
_ROLE_TYPES: Mapping[str, ResourceType] = {"Role": ROLES, "ClusterRole": CLUSTER_ROLES}


class Rules(NamedTuple):
    """What somebody may do in a namespace.

    Attributes:
        resources: With `verbs`, `apiGroups`, `resources` and, for some names only, `resourceNames`.
        paths: With `verbs` and `nonResourceURLs`.
        error: Why they may not be all; "" if they are.
    """

    resources: Sequence[Mapping[str, Any]]
    paths: Sequence[Mapping[str, Any]]
    error: str = ""


class Decision(NamedTuple):
    """Whether a request is allowed, and why; "" for no particular reason."""

    is_allowed: bool
    reason: str


class _NoRole(BtcctlError):
    """A binding's role is not there."""

    def __init__(self, type_: ResourceType, name: str) -> None:
        super().__init__(f"{type_.kind.lower()}.{type_.group} {quoted(name)} not found")


class _Grant(NamedTuple):
    """A rule, and the binding it comes from."""

    rule: Rule
    source: str


class Rbac:
    """An authorizer over a store. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __call__(self, attributes: RequestAttributes) -> str | None:
        """None for allowed, or why not."""
        decision = self.decide(attributes)
        return None if decision.is_allowed else decision.reason

    def decide(self, attributes: RequestAttributes) -> Decision:
        if MASTERS in attributes.groups:
            return Decision(True, "")
        problems: list[str] = []
        for rule, source in self._grants(attributes.user, attributes.groups, attributes.namespace, problems):
            if rules.allows(rule, attributes):
                return Decision(True, f"RBAC: allowed by {source}")
        return Decision(False, f"RBAC: {_joined(problems)}" if problems else "")

    def rules_of(self, user: str, groups: Sequence[str], namespace: str) -> Rules:
        problems: list[str] = []
        found = [each.rule for each in self._grants(user, groups, namespace, problems)]
        resources = [_only(each, "verbs", "apiGroups", "resources", "resourceNames") for each in found]
        paths = [_only(each, "verbs", "nonResourceURLs") for each in found]
        return Rules(
            [each for each in resources if each.get("resources")],
            [each for each in paths if each.get("nonResourceURLs")],
            _joined(problems),
        )

    def check_grant(self, attributes: RequestAttributes, new: Body, old: Body | None) -> None:
        """That nobody gives away, by a role or a binding, what he may not do himself.

        Args:
            attributes: Of the request that writes it.
            new: The role or binding as it is to be.

        Raises:
            StatusError: 403, he would.
        """
        if MASTERS in attributes.groups or (old is not None and _is_same_grant(new, old)):
            return
        check = self._check_binding if attributes.resource.endswith("bindings") else self._check_role
        check(attributes, new, old)

    def _check_role(self, attributes: RequestAttributes, new: Body, old: Body | None) -> None:
        if self.decide(_asking(attributes, "escalate", attributes.resource, attributes.name)).is_allowed:
            return
        self._check_held(attributes, new, new.get("rules") or ())
        aggregates = any((each or {}).get("aggregationRule") for each in (new, old))
        if aggregates and self._missing(attributes, _EVERYTHING):
            raise _forbidden(attributes, new, "must have cluster-admin privileges to use the aggregationRule")

    def _check_binding(self, attributes: RequestAttributes, new: Body, _: Body | None) -> None:
        reference = new["roleRef"]
        type_ = _ROLE_TYPES.get(reference.get("kind", ""))
        name = reference.get("name", "")
        if type_ is None or self.decide(_asking(attributes, "bind", type_.plural, name)).is_allowed:
            return
        try:
            wanted = self._role(reference, attributes.namespace)
        except _NoRole as error:  # a server speaks of it as of what was asked for
            raise errors.not_found(ResourceType(_GROUP, "v1", attributes.resource, ""), name) from error
        self._check_held(attributes, new, wanted)

    def _check_held(self, attributes: RequestAttributes, new: Body, wanted: Sequence[Rule]) -> None:
        missing = self._missing(attributes, wanted)
        if missing:
            who = f"user {quoted(attributes.user)} (groups={rules.shown_list(attributes.groups)})"
            listed = "\n".join(sorted({rules.shown(each) for each in missing}))
            why = f"{who} is attempting to grant RBAC permissions not currently held:\n{listed}"
            raise _forbidden(attributes, new, why)

    def _missing(self, attributes: RequestAttributes, wanted: Sequence[Rule]) -> list[Rule]:
        owned = self._grants(attributes.user, attributes.groups, attributes.namespace, [])
        return rules.uncovered((each.rule for each in owned), wanted)

    def _grants(self, user: str, groups: Sequence[str], namespace: str, problems: list[str]) -> Iterator[_Grant]:
        """
        Args:
            problems: What is wrong with bindings that are for this user is added to it.
        """
        for binding in self._bodies("clusterrolebindings", ""):
            yield from self._granted(binding, (user, groups), "", problems)
        for binding in self._bodies("rolebindings", namespace) if namespace else ():
            yield from self._granted(binding, (user, groups), namespace, problems)

    def _granted(
        self, binding: Body, who: tuple[str, Sequence[str]], namespace: str, problems: list[str]
    ) -> Iterator[_Grant]:
        subjects = binding.get("subjects") or ()
        subject = next((each for each in subjects if _is_meant(each, *who, namespace)), None)
        if subject is None:
            return
        try:
            found = self._role(binding["roleRef"], namespace)
        except _NoRole as error:
            problems.append(str(error))
            return
        source = _source(binding, subject, namespace)
        yield from (_Grant(rule, source) for rule in found)

    def _role(self, reference: Body, namespace: str) -> Sequence[Rule]:
        """The rules of a role.

        Raises:
            _NoRole: There is no such role.
        """
        type_ = _ROLE_TYPES[reference["kind"]]
        key = ObjectKey(namespace if type_.namespaced else "", reference["name"])
        record = self._store.get((_GROUP, type_.plural), key)
        if record is None:
            raise _NoRole(type_, reference["name"])
        aggregation = record.body.get("aggregationRule")
        if aggregation is None:
            return record.body.get("rules") or ()
        return self._aggregated(aggregation.get("clusterRoleSelectors") or (), {key.name})

    def _aggregated(self, selectors: Sequence[Mapping[str, Any]], seen: set[str]) -> list[Rule]:
        """The rules of all ClusterRoles that are selected, of those that gather themselves, too; each once."""
        found: list[Rule] = []
        for role in self._bodies("clusterroles", ""):
            name, labels = role["metadata"]["name"], role["metadata"].get("labels") or {}
            if name in seen or not any(matches_selector(each, labels) for each in selectors):
                continue
            aggregation = role.get("aggregationRule")
            own = role.get("rules") or ()
            if aggregation is not None:
                own = self._aggregated(aggregation.get("clusterRoleSelectors") or (), seen | {name})
            found += [each for each in own if each not in found]
        return found

    def _bodies(self, plural: str, namespace: str) -> Iterator[Body]:
        records, _ = self._store.list((_GROUP, plural), namespace)
        return (each.body for each in records)


def _asking(attributes: RequestAttributes, verb: str, resource: str, name: str) -> RequestAttributes:
    who, groups = attributes.user, attributes.groups
    return RequestAttributes(verb, _GROUP, resource, "", attributes.namespace, name, who, groups=groups)


def _forbidden(attributes: RequestAttributes, new: Body, why: str) -> StatusError:
    type_ = ResourceType(_GROUP, "v1", attributes.resource, "")
    return errors.forbidden(type_, new["metadata"].get("name") or "", why)


def _is_same_grant(new: Body, old: Body) -> bool:
    """Whether nothing is changed but what the garbage collector changes, too."""
    kept = ("rules", "aggregationRule", "roleRef", "subjects")
    if any(new.get(name) != old.get(name) for name in kept):
        return False
    free = {"ownerReferences", "finalizers", "managedFields", "resourceVersion"}
    metadata = [{name: value for name, value in each["metadata"].items() if name not in free} for each in (new, old)]
    return metadata[0] == metadata[1]


def _is_meant(subject: Mapping[str, Any], user: str, groups: Sequence[str], namespace: str) -> bool:
    kind, name = subject.get("kind"), subject.get("name")
    if kind == "User":
        return bool(name == user)
    if kind == "Group":
        return name in groups
    place = subject.get("namespace") or namespace
    return kind == "ServiceAccount" and bool(place) and user == account_user(place, str(name))


def _source(binding: Body, subject: Mapping[str, Any], namespace: str) -> str:
    """A binding and who of it is meant, as decisions are explained."""
    reference, name = binding["roleRef"], binding["metadata"]["name"]
    kind, name = ("RoleBinding", f"{name}/{namespace}") if namespace else ("ClusterRoleBinding", name)
    who = subject["name"]
    if subject["kind"] == "ServiceAccount":
        who = f"{who}/{subject.get('namespace') or namespace}"
    role = f"{reference['kind']} {quoted(reference['name'])}"
    return f"{kind} {quoted(name)} of {role} to {subject['kind']} {quoted(who)}"


def _only(rule: Rule, *names: str) -> dict[str, Any]:
    return {name: rule[name] for name in names if rule.get(name)}


def _joined(problems: Sequence[str]) -> str:
    """As Go joins errors."""
    once = list(dict.fromkeys(problems))
    return f"[{', '.join(once)}]" if len(once) > 1 else "".join(once)


#: What an authorizer is: None for allowed, or why not.
Authorizer = Callable[[RequestAttributes], str | None]
