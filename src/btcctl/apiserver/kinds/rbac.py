"""The rules of roles and their bindings. Source: ValidateRole and the like of kubernetes 1.36.2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import invalid, required, unsupported
from btcctl.apiserver.machinery.names import path_name, subdomain_name
from btcctl.apiserver.machinery.selector_checks import check_label_selector
from btcctl.apiserver.storage.collection import Body

GROUP = "rbac.authorization.k8s.io"
_SUBJECTS = ("ServiceAccount", "User", "Group")


def check_role(body: Body) -> list[Cause]:
    return [cause for rule, field in _rules(body) for cause in _check_rule(rule, field, namespaced=True)]


def check_cluster_role(body: Body) -> list[Cause]:
    causes = [cause for rule, field in _rules(body) for cause in _check_rule(rule, field, namespaced=False)]
    aggregation, field = body.get("aggregationRule"), "aggregationRule.clusterRoleSelectors"
    if aggregation is None:
        return causes
    selectors = aggregation.get("clusterRoleSelectors") or ()
    if not selectors:
        why = "at least one clusterRoleSelector required if aggregationRule is non-nil"
        causes.append(required(field, why))
    for index, selector in enumerate(selectors):
        wrong = check_label_selector(selector, f"{field}[{index}]")
        causes += [*wrong, invalid(f"{field}[{index}]", None, "invalid label selector.")] if wrong else []
    return causes


def check_binding(body: Body) -> list[Cause]:
    return list(_check_binding(body, ("Role", "ClusterRole"), namespaced=True))


def check_cluster_binding(body: Body) -> list[Cause]:
    return list(_check_binding(body, ("ClusterRole",), namespaced=False))


def check_binding_update(new: Body, old: Body) -> list[Cause]:
    reference = new["roleRef"]
    if reference == old["roleRef"]:
        return []
    shown = {"APIGroup": reference.get("apiGroup", ""), "Kind": reference.get("kind", "")}
    return [invalid("roleRef", {**shown, "Name": reference.get("name", "")}, "cannot change roleRef")]


def _rules(body: Body) -> Iterator[tuple[Mapping[str, Any], str]]:
    for index, rule in enumerate(body.get("rules") or ()):
        yield rule, f"rules[{index}]"


def _check_rule(rule: Mapping[str, Any], field: str, *, namespaced: bool) -> Iterator[Cause]:
    if not rule.get("verbs"):
        yield required(f"{field}.verbs", "verbs must contain at least one value")
    urls = rule.get("nonResourceURLs")
    if urls:
        if namespaced:
            yield invalid(f"{field}.nonResourceURLs", urls, "namespaced rules cannot apply to non-resource URLs")
        if any(rule.get(name) for name in ("apiGroups", "resources", "resourceNames")):
            why = "rules cannot apply to both regular resources and non-resource URLs"
            yield invalid(f"{field}.nonResourceURLs", urls, why)
        return
    if not rule.get("apiGroups"):
        yield required(f"{field}.apiGroups", "resource rules must supply at least one api group")
    if not rule.get("resources"):
        yield required(f"{field}.resources", "resource rules must supply at least one resource")


def _check_binding(body: Body, kinds: tuple[str, ...], *, namespaced: bool) -> Iterator[Cause]:
    reference = body["roleRef"]
    group, kind, name = (reference.get(each) or "" for each in ("apiGroup", "kind", "name"))
    if group != GROUP:
        yield unsupported("roleRef.apiGroup", group, [GROUP])
    if kind not in kinds:
        yield unsupported("roleRef.kind", kind, kinds)
    if not name:
        yield required("roleRef.name")
    yield from (invalid("roleRef.name", name, each) for each in path_name(name))
    for index, subject in enumerate(body.get("subjects") or ()):
        yield from _check_subject(subject, f"subjects[{index}]", namespaced=namespaced)


def _check_subject(subject: Mapping[str, Any], field: str, *, namespaced: bool) -> Iterator[Cause]:
    kind, name, group = (subject.get(each) or "" for each in ("kind", "name", "apiGroup"))
    if not name:
        yield required(f"{field}.name")
    if kind not in _SUBJECTS:
        yield unsupported(f"{field}.kind", kind, _SUBJECTS)
    elif kind != "ServiceAccount":
        if group != GROUP:
            yield unsupported(f"{field}.apiGroup", group, [GROUP])
    else:
        if name:
            yield from (invalid(f"{field}.name", name, each) for each in subdomain_name(name))
        if group:
            yield unsupported(f"{field}.apiGroup", group, [""])
        if not namespaced and not subject.get("namespace"):
            yield required(f"{field}.namespace")
