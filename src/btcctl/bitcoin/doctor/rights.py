"""Whether we may do what the operator does, verb by verb."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from btcctl.bitcoin.doctor.diagnosis import ERROR, OK, Diagnosis
from btcctl.bitcoin.types import DOMAIN
from btcctl.rest.client import ApiClient

_ACCESS: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_SELF: Final = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
SERVICE_ACCOUNT: Final = "system:serviceaccount:"  #: what the names of ServiceAccounts begin with
_CHILDREN: Final = ("get", "list", "watch", "create", "update")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a role.

    Attributes:
        resource: With its subresource: "pods/status".
        name: Of the one object; "" for all.
    """

    group: str
    resource: str
    verbs: tuple[str, ...]
    name: str = ""

    def __str__(self) -> str:
        names = f'\n  resourceNames: ["{self.name}"]' if self.name else ""
        verbs = ", ".join(f'"{each}"' for each in self.verbs)
        return f'- apiGroups: ["{self.group}"]\n  resources: ["{self.resource}"]{names}\n  verbs: [{verbs}]'


#: In each namespace that is looked after. A test compares them with `manifests/rbac.yaml`.
NEEDED: Final = (
    Rule(DOMAIN, "bitcoinnetworks", ("list", "watch")),
    Rule(DOMAIN, "bitcoinnetworks/status", ("update",)),
    Rule(DOMAIN, "bitcoinnetworks/finalizers", ("update",)),
    Rule("apps", "statefulsets", _CHILDREN),
    Rule("", "services", (*_CHILDREN, "delete")),
    Rule("policy", "poddisruptionbudgets", _CHILDREN),
    Rule("", "pods", ("list", "watch", "patch")),
    Rule("", "pods/status", ("patch",)),
    Rule("", "events", ("list", "create", "patch")),
)


def lease_rules(name: str) -> tuple[Rule, ...]:
    """In the namespace of the Lease."""
    group = "coordination.k8s.io"
    return Rule(group, "leases", ("create",)), Rule(group, "leases", ("get", "update"), name)


def check_rights(client: ApiClient, namespaces: Sequence[str], lease_namespace: str, lease: str) -> Iterator[Diagnosis]:
    """
    Args:
        namespaces: Those that are looked after; () for all.
        lease_namespace: Where the Lease is.
    """
    places = [(namespace, rule) for namespace in namespaces or ("",) for rule in NEEDED]
    places += [(lease_namespace, rule) for rule in lease_rules(lease)]
    who = who_we_are(client)
    found = [(namespace, missing) for namespace, rule in places if (missing := missing_of(client, namespace, rule))]
    for namespace, rule in found:
        verbs = " and ".join((", ".join(rule.verbs[:-1]), rule.verbs[-1])).removeprefix(" and ")
        where = f"in namespace {namespace}" if namespace else "in all namespaces"
        yield Diagnosis("rights", ERROR, f"{who} may not {verbs} {rule.resource} {where}", f"add to its role:\n{rule}")
    if not found:
        yield Diagnosis("rights", OK, f"{who} may do all that the operator does")


def missing_of(client: ApiClient, namespace: str, rule: Rule) -> Rule | None:
    """The part of a rule that we are not granted; None if we are granted all of it."""
    verbs = tuple(verb for verb in rule.verbs if not _may(client, namespace, rule, verb))
    return Rule(rule.group, rule.resource, verbs, rule.name) if verbs else None


def _may(client: ApiClient, namespace: str, rule: Rule, verb: str) -> bool:
    resource, _, subresource = rule.resource.partition("/")
    attributes = {
        "namespace": namespace,
        "group": rule.group,
        "resource": resource,
        "subresource": subresource,
        "name": rule.name,
        "verb": verb,
    }
    answer = client.post_json(_ACCESS, {"spec": {"resourceAttributes": attributes}})
    return bool((answer.get("status") or {}).get("allowed"))


def who_we_are(client: ApiClient) -> str:
    """Our name, as the API server knows it."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    answer = client.post_json(_SELF, body)
    return str((answer.get("status") or {}).get("userInfo", {}).get("username", "we"))
