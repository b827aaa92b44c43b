"""Schemas and expressions that cost more than their size: what they took before stands beside the bounds."""

from __future__ import annotations

from typing import Any

import pytest

from btcctl.apiserver.schemas import formats
from btcctl.apiserver.schemas.cel import rules
from btcctl.apiserver.schemas.cel.compiler import compile_expression
from btcctl.apiserver.schemas.cel.data import BUDGET, Budget, EvaluationError, equal, parse_duration
from btcctl.apiserver.schemas.cel.syntax import CompileError
from btcctl.apiserver.schemas.cel.types import DYN, STRING, Type, list_of
from tests.unit.apiserver.calls import (
    CONFIG_MAPS,
    DEFINITIONS,
    GROUP,
    Server,
    at_most,
    definition,
)

OTHERS = f"/apis/{GROUP}/v1/namespaces/default/others"


def define(server: Server, schema: dict[str, Any]) -> int:
    """Of another kind, whose spec has this schema."""
    whole = {"type": "object", "properties": {"spec": schema}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": whole}}
    return server.call(
        "POST", DEFINITIONS, definition(names={"plural": "others", "kind": "Other"}, versions=[version])
    ).status


def other(spec: Any) -> dict[str, Any]:
    return {"apiVersion": f"{GROUP}/v1", "kind": "Other", "metadata": {"name": "a"}, "spec": spec}


class TestSchemas:
    def test_of_defaults_no_more_is_copied_than_fits_into_an_object(self, server: Server):
        item = {"type": "object", "properties": {"a": {"type": "string", "default": "x" * 100_000}}}
        assert define(server, {"type": "array", "items": item}) == 201
        with at_most(2):  # 5 GB
            answer = server.call("POST", OTHERS, other([{}] * 50_000))
        assert (answer.status, answer.message) == (500, "etcdserver: request is too large")

    def test_no_alternative_is_looked_at_after_one_that_fits(self, server: Server):
        item = {"type": "object", "anyOf": [{"required": ["a"]}, *[{"required": [f"k{n}"]} for n in range(300)]]}
        item["properties"] = {name: {"type": "integer"} for name in ("a", *(f"k{n}" for n in range(300)))}
        assert define(server, {"type": "array", "items": item}) == 201
        with at_most(3):  # 5 s for half as many
            assert server.call("POST", OTHERS, other([{"a": 1}] * 5000)).status == 201

    def test_there_is_an_end_to_alternatives(self, server: Server):
        item = {"type": "object", "anyOf": [{"required": [f"k{n}"]} for n in range(300)]}
        item["properties"] = {f"k{n}": {"type": "integer"} for n in range(300)}
        assert define(server, {"type": "array", "items": item}) == 201
        with at_most(5):  # 19 s
            assert server.call("POST", OTHERS, other([{}] * 20_000)).status == 501

    def test_of_thousands_of_values_that_are_allowed_one_is_looked_up(self, server: Server):
        item = {"type": "string", "enum": [f"e{number}" for number in range(5000)]}
        assert define(server, {"type": "array", "items": item}) == 201
        with at_most(3):  # minutes
            assert server.call("POST", OTHERS, other(["e4999"] * 50_000)).status == 201

    def test_what_is_allowed_is_not_told_without_end(self, server: Server):
        item = {"type": "string", "enum": [f"e{number}" for number in range(2000)]}
        assert define(server, {"type": "array", "items": item}) == 201
        answer = server.send("POST", OTHERS, other([f"a{number}" for number in range(900)]))
        assert (answer.status, len(answer.body) < 1000) == (422, True)  # 48 MB

    @pytest.mark.parametrize("text", ["1" * 100_000, "1 " * 50_000])
    def test_durations_are_read_once(self, text: str):
        with at_most(1):  # hours
            assert not formats.fits("duration", text)
        with at_most(1), pytest.raises(EvaluationError):
            parse_duration(text)


POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"


def policy(expression: str, variables: list[str], **validation: str) -> dict[str, Any]:
    rule = {"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["configmaps"]}
    return {
        "metadata": {"name": "p.example.org"},
        "spec": {
            "matchConstraints": {"resourceRules": [rule]},
            "failurePolicy": "Fail",
            "variables": [{"name": f"v{number}", "expression": each} for number, each in enumerate(variables)],
            "validations": [{"expression": expression, **validation}],
        },
    }


def refused(server: Server, expression: str, variables: list[str]) -> str:
    """Why a ConfigMap is, by a policy."""
    server.created(POLICIES, policy(expression, variables))
    binding = {"policyName": "p.example.org", "validationActions": ["Deny"]}
    server.created(BINDINGS, {"metadata": {"name": "b"}, "spec": binding})
    answer = server.call("POST", CONFIG_MAPS, {"metadata": {"name": "a"}, "data": {f"k{n}": "" for n in range(1000)}})
    assert answer.status == 422, answer.body
    return answer.message


def doubled(first: str, made: str, times: int) -> list[str]:
    """Variables each of which is made of the one before it."""
    return [first, *(made.format(f"variables.v{number}") for number in range(times - 1))]


LONG = "x" * 100
INTEGERS = {"type": "array", "items": {"type": "integer"}}


class Counted(Budget):
    """Counts what is spent."""

    spent = 0

    def spend(self, cost: int) -> None:
        self.spent += cost


class TestExpressions:
    @pytest.mark.parametrize(
        ("expression", "variables"),
        [
            ("variables.v39.size() > 0", doubled("'abcdefghij'", "{0} + {0}", 40)),
            ("variables.v39.size() > 0", doubled("[1, 2, 3]", "{0} + {0}", 40)),
            ("variables.v39 == [variables.v38, variables.v38]", doubled("['a']", "[{0}, {0}]", 40)),
            ("variables.v4.size() > 0", doubled("'aaaaaaaaaa'", "{0}.replace('a', {0})", 5)),
            ("variables.v5.size() > 0", doubled("'aaaaaaaaaa'", "{0}.replace('', {0})", 6)),
            (
                "variables.v1.size() > 0",
                ["object.data.map(x, x)", f"variables.v0.map(x, variables.v0.join('{'x' * 100}'))"],
            ),
        ],
        ids=["texts", "lists", "lists of lists", "replaced", "between characters", "joined"],
    )
    def test_what_grows_without_end_is_ended(self, server: Server, expression: str, variables: list[str]):
        with at_most(8):  # memory without end
            assert "actual cost limit exceeded" in refused(server, expression, variables)

    @pytest.mark.parametrize(
        ("expression", "cost"),
        [
            ("text + text", 20),
            ("text < text", 10),
            ("text == text", 10),
            ("text.contains(text)", 100),
            ("text.startsWith(text)", 10),
            ("text.matches('aaaa')", 11),
            ("text.replace('a', 'bbb')", 40),
            ("text.split('')", 20),
            ("text.trim()", 10),
            ("items + items", 2001),
            ("items == items", 101),
            ("items.join(',')", 200),
            ("'b' in items", 1000),
            ("'b' in ['a', 'b']", 0),
            ("items.indexOf('b')", 1000),
            ("[text, text]", 10),
            ("{'a': text}", 30),
            ("1 + 1 == 2 && !false", 3),
            ("items.all(x, true)", 3000),
            ("items.all(x, x == 'a' || x == text)", 5000),
            ("items.exists(x, x == 'b')", 6000),
            ("items.map(x, x)", 13_000),
            ("items.all(x, isQuantity(x) || true)", 5000),
            ("items.all(x, size(x) > 0 ? true : x == 'b')", 6000),
        ],
    )
    def test_what_a_real_server_counts_counts(self, expression: str, cost: int):
        program = compile_expression(expression, {"text": STRING, "items": list_of(STRING)})
        counted = Counted()
        program.run({"text": "a" * 100, "items": ["a"] * 1000, BUDGET: counted})
        assert counted.spent == cost

    @pytest.mark.parametrize(("body", "is_told"), [("true", False), ("&&".join(["true"] * 100), True)])
    def test_so_does_how_long_they_are(self, body: str, is_told: bool):
        schema = {**INTEGERS, "x-kubernetes-validations": [{"rule": f"self.all(x, {body})"}]}
        node = rules.compile_rules(schema, is_root=False)
        assert bool(rules.run(node, [1] * 60_000, None)[0]) is is_told

    def test_what_is_looked_for_in_a_list_of_literals_costs_nothing(self):
        schema = {"type": "array", "items": {"type": "string"}}
        listed = ",".join(f"'a{number}'" for number in range(15))
        rule = {"rule": f"self.all(x, x in [{listed}])"}
        node = rules.compile_rules({**schema, "x-kubernetes-validations": [rule]}, is_root=False)
        assert rules.run(node, ["a14"] * 100_000, None) == ([], [])

    def test_an_expression_is_no_longer_than_the_parser_of_a_real_server_takes(self):
        schema = {"type": "integer", "x-kubernetes-validations": [{"rule": "true" + " " * 100_000}]}
        why = "ERROR: <input>:-1:0: expression code point size exceeds limit: size: 100004, limit 100000"
        with pytest.raises(CompileError, match=why):
            rules.compile_rules(schema, is_root=False)

    def test_there_is_an_end_to_expressions(self, server: Server):
        rule = [{"rule": f"self.a < {number}"} for number in range(3000)]
        schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "x-kubernetes-validations": rule}
        with at_most(10):  # ten times as much for as many as fit into a request
            assert define(server, schema) == 501

    def test_thousands_of_variables_are_no_copies_of_those_before_them(self, server: Server):
        with at_most(4):  # 10 s, and four times as much for twice as many
            server.created(POLICIES, policy("variables.v1 > 0", ["1"] * 8000))

    def test_long_lists_without_an_order_are_compared_once(self):
        items = [f"a{number}" for number in range(10_000)]
        for type_, listed in (
            (Type("list", (STRING,), list_type="set"), items),
            (Type("list", (DYN,), list_type="map", keys=("k",)), [{"k": each} for each in items]),
        ):
            with at_most(2):  # 30 s
                assert equal(type_, listed, [*reversed(listed)])
                assert not equal(type_, listed, [*listed[1:], listed[1]])
