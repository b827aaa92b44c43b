"""Rules that may cost too much: a definition with one of them is refused."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.harness import Body, Talk, case

_TEXT: Body = {"type": "string"}
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def ruled(schema: Body, *rules: str, **more: Any) -> Body:
    return {**schema, "x-kubernetes-validations": [{"rule": each, **more} for each in rules]}


def items(schema: Body, most: int | None = None) -> Body:
    return {"type": "array", "items": schema} | ({} if most is None else {"maxItems": most})


def text(most: int) -> Body:
    return {**_TEXT, "maxLength": most}


def define(talk: Talk, **fields: Body) -> None:
    """Try to have gauges with these fields in their spec; what becomes of it is in the transcript."""
    spec = {"type": "object", "properties": fields}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    names = {"plural": "gauges", "singular": "gauge", "kind": "Gauge", "listKind": "GaugeList"}
    body: Body = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "gauges.{group}"},
        "spec": {"group": "{group}", "scope": "Namespaced", "names": names, "versions": [version]},
    }
    talk.post(_DEFINITIONS, body, query={"dryRun": "All"})


@case("cel costs", error=True)
def loops_in_loops_need_limits(talk: Talk) -> None:
    twice = "self.all(x, self.all(y, x == y))"
    define(talk, a=ruled(items(_TEXT), twice))
    for most in (50, 300, 400, 1000, 5000):
        define(talk, a=ruled(items(text(100), most), twice))


@case("cel costs", error=True)
def a_rule_below_a_list_counts_for_each_item(talk: Talk) -> None:
    inner = ruled(items(_TEXT, 100), "self.all(x, x.startsWith('abc'))")
    define(talk, a=items(inner))
    define(talk, a=items(inner, 10))
    define(talk, a=items(items(inner, 100), 100))
    define(talk, a={"type": "object", "additionalProperties": inner})
    define(talk, a={"type": "object", "additionalProperties": inner, "maxProperties": 1000})


@case("cel costs", error=True)
def texts_cost_by_their_length(talk: Talk) -> None:
    for rule in (
        "self.a.contains(self.b)", "self.a.matches(self.b)", "self.a + self.b == self.b", "self.a < self.b",
        "self.a.find(self.b) == 'x'", "self.a.replace(self.b, 'xyz') == 'x'", "self.a.split(self.b).size() == 1",
        "self.a.split(self.b, 2).all(x, x == self.a)", "self.a.lowerAscii().contains(self.b)",
        "self.a.substring(1, 2).contains(self.b.trim())", "self.a.indexOf(self.b) == 1",
    ):  # fmt: skip
        define(talk, a=ruled({"type": "object", "properties": {"a": _TEXT, "b": _TEXT}}, rule))
        define(talk, a=ruled({"type": "object", "properties": {"a": text(10_000), "b": text(1000)}}, rule))


@case("cel costs", error=True)
def lists_cost_by_their_length(talk: Talk) -> None:
    for rule in (
        "self.isSorted()", "self.join(',') == 'x'", "self.exists(x, x == 'a')", "self.exists_one(x, x == 'a')",
        "self.map(x, x + 'a').isSorted()", "self.filter(x, x.matches('^a')).size() == 1", "'a' in self",
        "self.map(x, x.size() > 1, x).join() == ''", "self + self == self", "self.indexOf('a') == 2",
        "self.all(x, self.filter(y, y == x).size() == 1)", "self == oldSelf", "self.max() == self[1]",
    ):  # fmt: skip
        define(talk, a=ruled(items(_TEXT), rule))
        define(talk, a=ruled(items(text(20), 900), rule))


@case("cel costs", error=True)
def what_a_message_costs_counts_too(talk: Talk) -> None:
    long = "self.map(x, self.map(y, x + y).join(',')).join(';')"
    define(talk, a=ruled(items(_TEXT, 1000), "self.size() < 3", messageExpression=long))
    define(talk, a=ruled(items(text(10), 10), "self.size() < 3", messageExpression=long))
    define(talk, a=ruled(items(text(10), 10), "self.size() < 3", messageExpression="'no ' + string(self.size())"))


@case("cel costs", error=True)
def all_rules_together_have_a_limit(talk: Talk) -> None:
    def dear(most: int) -> Body:
        return ruled(items(text(100), most), "self.all(x, self.all(y, x == y))")

    for count in (8, 15, 25):
        define(talk, **{f"a{number}": dear(380 - 2 * number) for number in range(count)})


@case("cel costs", error=True)
def formats_enums_and_required_fields_bound_sizes(talk: Talk) -> None:
    rule = "self.all(x, self.all(y, x == y))"
    for name in ("date", "date-time", "duration", "byte", "email"):
        define(talk, a=ruled(items({**_TEXT, "format": name}), rule))
        define(talk, a=ruled(items({**_TEXT, "format": name}, 1000), rule))
    define(talk, a=ruled(items({**_TEXT, "enum": ["a", "ü", "long-value"]}, 1000), rule))
    define(talk, a=ruled(items({"x-kubernetes-int-or-string": True}, 100), rule))
    record = {"type": "object", "required": ["name"], "properties": {"name": text(63), "note": _TEXT}}
    define(talk, a=ruled(items(record), "self.all(x, x.name != 'a')"))
    define(talk, a=ruled(items(record), "self.all(x, has(x.note) && x.note != x.name)"))
    define(talk, a=ruled(items(record, 100), "self.all(x, self.exists_one(y, y.name == x.name))"))


@case("cel costs", error=True)
def a_wrong_rule_costs_nothing(talk: Talk) -> None:
    define(talk, a=ruled(items(_TEXT), "self.all(x, self.all(y, x == 1))", "self.all(x, self.all(y, x == y))"))


@case("cel costs")
def choices_cost_their_dearer_side(talk: Talk) -> None:
    pair: Body = {"type": "object", "properties": {"a": items(text(10), 100), "m": {
        "type": "object", "additionalProperties": text(10), "maxProperties": 50}}}  # fmt: skip
    for rule in (
        "self.a.size() > 3 ? self.a.all(x, x == 'a') : self.m.all(k, self.m[k] == k)",
        "self.a.size() > 3 || self.a.all(x, x in self.m)", "[self.a[0], 'b'].all(x, x.contains('b'))",
        "{'a': self.a[0]}['a'] == 'x' && has(self.m.x)", "self.m.exists(k, self.m[k].startsWith(k))",
        "(self.a.size() > 1 ? self.a : ['b']).all(x, x != '')",
    ):  # fmt: skip
        define(talk, a=ruled(pair, rule))
