"""What is wrong with a new state, and what is only spoken of."""

from __future__ import annotations

from typing import Any

from tests.unit.apiserver.calls import DEFINITIONS, Server

LIMITS = "/apis/limits.example.org/v1/limits"


def limits(rules: list[dict[str, str]]) -> dict[str, Any]:
    field = {"type": "integer", **({"x-kubernetes-validations": rules} if rules else {})}
    spec = {"type": "object", "properties": {"a": field, "b": field}}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    return {
        "metadata": {"name": "limits.limits.example.org"},
        "spec": {
            "group": "limits.example.org",
            "scope": "Cluster",
            "names": {"plural": "limits", "singular": "limit", "kind": "Limit", "listKind": "LimitList"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


def test_a_rule_that_was_broken_before_is_spoken_of_even_in_a_refusal() -> None:
    server = Server()
    server.created(DEFINITIONS, limits([]))
    head = {"apiVersion": "limits.example.org/v1", "kind": "Limit", "metadata": {"name": "x"}}
    server.created(LIMITS, {**head, "spec": {"a": 9, "b": 1}})
    change = {"spec": limits([{"rule": "self < 5", "message": "small"}])["spec"]}
    assert server.patch(f"{DEFINITIONS}/limits.limits.example.org", change).status == 200
    answer = server.patch(f"{LIMITS}/x", {"spec": {"b": 9}})
    assert (answer.status, answer.causes) == (422, [("spec.b", "Invalid value: 9: small")])
    assert answer.headers["Warning"] == '299 - "spec.a: Invalid value: 9: small"'
