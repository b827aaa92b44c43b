"""What a rule of a role allows, and whether rules cover others."""

from __future__ import annotations

import pytest

from btcctl.apiserver.access.rules import allows, shown, uncovered
from btcctl.apiserver.requests.messages import RequestAttributes


def rule(verbs, resources, names=(), groups=("",)):
    found = {"verbs": verbs.split(), "apiGroups": list(groups), "resources": resources.split()}
    return {**found, "resourceNames": list(names)} if names else found


@pytest.mark.parametrize(
    ("granted", "attributes", "expected"),
    [
        (rule("get", "pods"), {"verb": "get", "resource": "pods"}, True),
        (rule("get", "pods"), {"verb": "list", "resource": "pods"}, False),
        (rule("*", "*", groups=["*"]), {"verb": "fly", "resource": "things", "group": "example.org"}, True),
        (rule("get", "pods"), {"verb": "get", "resource": "pods", "subresource": "log"}, False),
        (rule("get", "pods/log"), {"verb": "get", "resource": "pods", "subresource": "log"}, True),
        (rule("get", "*/log"), {"verb": "get", "resource": "pods", "subresource": "log"}, True),
        (rule("get", "*/log"), {"verb": "get", "resource": "pods"}, False),
        (rule("get", "pods", ["a"]), {"verb": "get", "resource": "pods", "name": "a"}, True),
        (rule("get", "pods", ["a"]), {"verb": "get", "resource": "pods"}, False),
        ({"verbs": ["get"], "nonResourceURLs": ["/a/*"]}, {"verb": "get", "path": "/a/b"}, True),
        ({"verbs": ["get"], "nonResourceURLs": ["/a/*"]}, {"verb": "get", "path": "/ab"}, False),
        ({"verbs": ["get"], "nonResourceURLs": ["/a"]}, {"verb": "get", "path": "/a/b"}, False),
        ({"verbs": ["*"], "nonResourceURLs": ["*"]}, {"verb": "get", "resource": "pods"}, False),
    ],
)
def test_a_rule_allows_exactly_what_it_says(granted, attributes, expected):
    assert allows(granted, RequestAttributes(**attributes)) is expected


@pytest.mark.parametrize(
    ("owned", "wanted", "missing"),
    [
        ([rule("get", "pods")], [rule("get list", "pods secrets")], ["pods list", "secrets get list"]),
        ([rule("*", "*")], [rule("get", "pods/log")], []),
        ([rule("get", "*/log")], [rule("get", "pods/log pods")], ["pods get"]),
        ([rule("get", "pods", ["a"])], [rule("get", "pods", ["a", "b"])], ["pods get"]),
        ([rule("get", "pods", ["a"])], [rule("get", "pods")], ["pods get"]),
    ],
)
def test_what_nobody_owns_is_found_resource_by_resource(owned, wanted, missing):
    found = [f"{each['resources'][0]} {' '.join(each['verbs'])}" for each in uncovered(owned, wanted)]
    assert sorted(found) == missing


def test_paths_are_covered_by_patterns():
    owned = [{"verbs": ["get"], "nonResourceURLs": ["/a/*"]}]
    wanted = [{"verbs": ["get", "post"], "nonResourceURLs": ["/a/b"]}]
    assert uncovered(owned, wanted) == [{"nonResourceURLs": ["/a/b"], "verbs": ["post"]}]


def test_a_rule_is_shown_as_errors_show_it():
    assert shown(rule("get list", "pods", ["a"])) == (
        '{APIGroups:[""], Resources:["pods"], ResourceNames:["a"], Verbs:["get" "list"]}'
    )
