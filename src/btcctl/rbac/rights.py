"""Rights as a Role has them: from requests to the least rules, and how rules differ from what was used.

A right is one verb on one resource of one group, perhaps only for objects of one name; a Role bundles them in rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

API_VERSION = "rbac.authorization.k8s.io/v1"
ANY = "*"

_ORDER = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One verb on one resource.

    Attributes:
        group: "" is the core group.
        resource: The plural, with its subresource if it is about one: "pods/log".
        verb: get, list, watch, create, update, patch, delete, deletecollection.
    """

    group: str
    resource: str
    verb: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}.{self.group}" if self.group else f"{self.verb} {self.resource}"


@dataclass(frozen=True, slots=True)
class Use:
    """A right that was used, for an object of this name; "" if it was about a collection."""

    right: Right
    name: str = ""


def uses_of(
    verb: str, group: str, resource: str, subresource: str = "", name: str = "", *, has_created: bool = False
) -> list[Use]:
    """What a request takes. An apply that creates an object takes the right to create, too."""
    whole = f"{resource}/{subresource}" if subresource else resource
    found = [Use(Right(group, whole, verb), "" if verb == "create" and not subresource else name)]
    if has_created and verb == "patch":
        found.append(Use(Right(group, whole, "create")))
    return found


#: What it takes to be elected.
ELECTION = tuple(Right("coordination.k8s.io", "leases", verb) for verb in ("get", "create", "update"))


def least_rules(rights: Iterable[Right]) -> list[dict[str, list[str]]]:
    """The rules that grant these rights and no others: resources of a group with the same verbs share one."""
    verbs: dict[tuple[str, str], set[str]] = {}
    for each in rights:
        verbs.setdefault((each.group, each.resource), set()).add(each.verb)
    shared: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, resource), found in sorted(verbs.items()):
        shared.setdefault((group, tuple(sorted(found, key=_place))), []).append(resource)
    return [
        {"apiGroups": [group], "resources": resources, "verbs": [*found]}
        for (group, found), resources in sorted(shared.items(), key=lambda item: (item[0][0], item[1]))
    ]


def cluster_role(name: str, rights: Iterable[Right]) -> dict[str, Any]:
    """The least ClusterRole."""
    return {
        "apiVersion": API_VERSION,
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": least_rules(rights),
    }


@dataclass(frozen=True, slots=True)
class Difference:
    """How granted rules differ from what was used.

    Attributes:
        missing: Used, and not granted.
        superfluous: Granted, and not used; with "*", more than was used.
    """

    missing: list[str] = field(default_factory=list)
    superfluous: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.missing or self.superfluous)

    def __str__(self) -> str:
        parts = [("missing", self.missing), ("superfluous", self.superfluous)]
        return "; ".join(f"{name}: {', '.join(found)}" for name, found in parts if found)


def difference(
    uses: Iterable[Use], rules: Sequence[Mapping[str, Any]], *, beside: Iterable[tuple[str, str]] = ()
) -> Difference:
    """Compare.

    Args:
        rules: As in a Role.
        beside: Groups and resources that are used elsewhere: what is granted of them is not looked at.
    """
    used = [*uses]
    missing = {str(each.right) for each in used if not any(_grants(rule, each) for rule in rules)}
    ignored = {*beside}
    granted = {
        right
        for rule in rules
        for right in _rights_in(rule)
        if (right.group, right.resource.partition("/")[0]) not in ignored
    }
    rights = {each.right for each in used}
    return Difference(sorted(missing), sorted(str(each) for each in granted - rights))


def rules_in(objects: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rules of all Roles and ClusterRoles among these objects; what is not about resources is left out."""
    roles = [each for each in objects if each.get("kind") in {"Role", "ClusterRole"}]
    return [rule for role in roles for rule in role.get("rules") or () if rule.get("resources")]


def with_least_rules(
    objects: Sequence[Mapping[str, Any]], uses: Iterable[Use], *, beside: Iterable[tuple[str, str]] = ()
) -> list[dict[str, Any]]:
    """The same objects, but the one Role or ClusterRole among them grants what was used, and nothing else.

    Args:
        beside: Groups and resources that are used elsewhere: what is granted of them stays, and so do rules that are
            not about resources.

    Raises:
        ValueError: There is no role among them, or more than one.
    """
    roles = [each for each in objects if each.get("kind") in {"Role", "ClusterRole"}]
    if len(roles) != 1:
        raise ValueError(f"there are {len(roles)} Roles and ClusterRoles in it; rules are written into the only one")
    old, kept = roles[0].get("rules") or (), {*beside}
    elsewhere = [
        right for rule in old for right in _rights_in(rule) if (right.group, right.resource.partition("/")[0]) in kept
    ]
    others = [rule for rule in old if not rule.get("resources")]
    rules = [*least_rules([*(each.right for each in uses), *elsewhere]), *others]
    return [{**each, "rules": rules} if each is roles[0] else {**each} for each in objects]


def _grants(rule: Mapping[str, Any], use: Use) -> bool:
    right, names = use.right, rule.get("resourceNames") or ()
    return (
        _has(rule.get("apiGroups") or (), right.group)
        and _has(rule.get("verbs") or (), right.verb)
        and (_has(rule.get("resources") or (), right.resource) or _has_any_of(rule, right.resource))
        and (not names or use.name in names)
    )


def _has(values: Iterable[str], wanted: str) -> bool:
    found = {*values}
    return wanted in found or ANY in found


def _has_any_of(rule: Mapping[str, Any], resource: str) -> bool:
    """`*/scale` is that subresource of each resource."""
    _, slash, subresource = resource.partition("/")
    return bool(slash) and f"*/{subresource}" in (rule.get("resources") or ())


def _rights_in(rule: Mapping[str, Any]) -> list[Right]:
    return [
        Right(group, resource, verb)
        for group in rule.get("apiGroups") or ()
        for resource in rule.get("resources") or ()
        for verb in rule.get("verbs") or ()
    ]


def _place(verb: str) -> tuple[int, str]:
    return (_ORDER.index(verb) if verb in _ORDER else len(_ORDER), verb)
