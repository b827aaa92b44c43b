"""What the authorizer of a server says somebody may do: it hears of a role or binding a moment after it is made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from btcctl.rest.client import ApiClient

REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
Rule = dict[str, Any]


def is_allowed(admin: ApiClient, user: str, rule: Rule, namespace: str = "") -> bool:
    """Whether somebody may do the first thing that a rule of a role names."""
    attributes = {
        "group": rule["apiGroups"][0],
        "resource": rule["resources"][0].partition("/")[0],
        "subresource": rule["resources"][0].partition("/")[2],
        "verb": rule["verbs"][0],
        "name": rule.get("resourceNames", [""])[0],
        "namespace": namespace,
    }
    spec = {"user": user, "groups": ["system:authenticated"], "resourceAttributes": attributes}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    return bool(admin.post_json(REVIEWS, body)["status"]["allowed"])


def are_in_force(admin: ApiClient, user: str, manifests: Iterable[Rule]) -> bool:
    """Whether the authorizer knows all roles among the manifests that are bound there, to this user."""
    there = [*manifests]
    roles = {(each["kind"], each["metadata"]["name"]): each for each in there if each["kind"].endswith("Role")}
    bound = [
        (roles[reference["kind"], reference["name"]], each["metadata"].get("namespace", ""))
        for each in there
        if (reference := each.get("roleRef")) is not None
    ]
    return all(is_allowed(admin, user, rule, namespace) for role, namespace in bound for rule in role["rules"])
