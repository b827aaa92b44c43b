"""What rules may cost at most. The figures are those of TestCostEstimation in apiextensions-apiserver 0.36."""

from __future__ import annotations

from copy import deepcopy

import pytest

from btcctl.apiserver.apiextensions import crd_rules, crds
from btcctl.apiserver.schemas.cel import rules
from btcctl.apiserver.schemas.cel.types import type_of
from btcctl.apiserver.schemas.sizes import declared
from tests.unit.apiserver.calls import DEFINITIONS, Server, definition

SQUARE = "self.all(x, self.all(y, x == y))"


def scalar(name):
    if name == "int-or-string":
        return {"x-kubernetes-int-or-string": True}
    if name in {"duration", "date", "date-time", "byte"}:
        return {"type": "string", "format": name}
    return {"type": name}


def array(items, most=None):
    items = scalar(items) if isinstance(items, str) else items
    return {"type": "array", "items": items} | ({} if most is None else {"maxItems": most})


def mapping(values, most=None):
    values = scalar(values) if isinstance(values, str) else values
    return {"type": "object", "additionalProperties": values} | ({} if most is None else {"maxProperties": most})


def text(most=None, **more):
    return {"type": "string", **more} | ({} if most is None else {"maxLength": most})


def record(**fields):
    return {"type": "object", "required": ["required"], "properties": fields}


def cost(schema, rule):
    size = declared(schema)
    assert size is not None
    return rules.compile_rule({"rule": rule}, type_of(schema), lambda path: size.at(path[1:])).program.most_cost


TWO_TEXTS = record(required=text(), optional=text())
FIGURES = [
    (lambda most: array("number", most), "self.all(x, true)", 4718591, 10, 32),
    (lambda most: array("string", most), "self.all(x, true)", 3145727, 20, 62),
    (lambda most: array("boolean", most), "self.all(x, true)", 1887437, 5, 17),
    (lambda most: array(array("number"), most), "self.all(x, true)", 3145727, 100, 302),
    (lambda most: array(TWO_TEXTS, most), "self.all(x, true)", 555128, 50, 152),
    (lambda most: mapping("number", most), "self.all(x, true)", 1348169, 10, 32),
    (lambda most: mapping("number", most), "has(self.x)", 1, 100, 1),
    (lambda most: mapping("string", most), "self.all(x, true)", 1179647, 3, 11),
    (lambda most: mapping("boolean", most), "self.all(x, true)", 943718, 100, 302),
    (text, "self.contains('test')", 314574, 10, 5),
    (text, "self.startsWith('test')", 2, 15, 2),
    (text, "self.endsWith('test')", 2, 30, 2),
    (text, 'size(self + "hello") > size("hello")', 314578, 4, 7),
    (lambda most: array("number", most), "self[1] == 0.0", 2, 5000, 2),
    (lambda most: array("string", most), "self[1] == self[1]", 314577, 8, 314577),
    (lambda most: array("number", most), "self.all(x, self.all(y, true))", None, 10, 352),
    (lambda most: array("number", most), "self.all(x, self.all(y, self.all(z, true)))", None, 10, 3552),
    (text, 'self.matches("x")', 314574, 50, 22),
    (text, '"".matches("(((((((((())))))))))[0-9]")', 7, 10, 7),
    (text, 'self.matches("")', 1, 100, 1),
    (lambda most: mapping(text(most), most), "self.all(x, x.contains(self[x]))", 2752507, 10, 72),
    (lambda most: array("number", most), "self[3] == 0.0", 2, 0, 2),
    (lambda most: mapping("number", most), 'self["x"] == 0.0', 2, 0, 2),
    (text, 'self == "x"', 2, 0, 1),
    (lambda most: array("number", most), "self.all(x, x == 0.0)", 6291454, 3 * 1024 * 2048, 25165826),
    (lambda most: array("int-or-string", most), "self.all(x, true)", 4718591, 10, 32),
    (lambda most: array("int-or-string", most), "self[0] == 5", 3, 10, 3),
    (lambda most: array("boolean", most), "self[0] == false", 2, 25, 2),
    (lambda most: array(TWO_TEXTS, most), "self[0] == null", 2, 422, 2),
    (lambda most: array(array("number"), most), "self[0][0] == -1.0", 3, 51, 3),
    (lambda most: array(mapping("number", most), most), "self.all(x, x.y == 25.2)", 6291452, 12, 74),
    (lambda most: array(mapping("number", most), most), "self[0].x > 2.0", 4, 3000, 4),
    (lambda most: array("duration", most), "self.all(x, true)", 2359295, 5, 17),
    (lambda most: array("duration", most), "self[0].getHours() == 2", 4, 525, 4),
    (lambda most: array("date", most), "self.all(x, true)", 725936, 15, 47),
    (lambda most: array("date-time", most), "self.all(x, true)", 428963, 25, 77),
    (lambda most: mapping("int-or-string", most), "self.all(x, true)", 1348169, 15, 47),
    (lambda most: mapping(array("number"), most), "self.all(x, true)", 1179647, 25, 77),
    (lambda most: mapping("duration", most), "self.all(x, true)", 1048577, 5, 17),
    (lambda most: mapping("date", most), "self.all(x, true)", 524288, 10, 32),
    (lambda most: mapping("date-time", most), "self.all(x, true)", 349526, 25, 77),
    (text, "self.find('[0-9]+') == ''", 629147, 10, 11),
    (lambda most: array(text(most), most), "self.join(' ') == 'aa bb'", 329853068905, 10, 43),
    (lambda most: array(text(most), most), "self.isSorted() == true", 329854432052, 10, 52),
    (
        lambda most: record(str=text(most), before=text(2), after=text(4)),
        "self.str.replace(self.before, self.after) == 'does not matter'", 629154, 4, 12,
    ),
    (
        lambda most: record(str=text(most), separator=text(most)),
        "self.str.split(self.separator) == []", 629160, 10, 22,
    ),
    (text, "self.lowerAscii() == 'lower!'", 314575, 10, 6),
    (lambda most: mapping("integer", most), "oldSelf.size() == self.size()", 5, 10, 5),
    (lambda most: mapping("date-time", most), 'self["a"] == self["b"]', 8, 7, 8),
    (lambda most: mapping("duration", most), 'self["c"] == self["d"]', 8, 42, 8),
    (lambda most: text(most, enum=["A", "B", "C", "LongValue"]), "self.contains('A')", 2, 1000, 401),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "rule", "unlimited", "most", "limited"), FIGURES)
def test_a_rule_costs_what_kubernetes_says(schema, rule, unlimited, most, limited):
    found = cost(schema(None), rule)
    assert found == unlimited if unlimited is not None else found > 100_000_000
    assert cost(schema(most), rule) == limited


@pytest.mark.parametrize(
    ("rule", "figure"),
    [
        ("self.exists(x, x == 'a')", 1 + 10 * 6 + 1),
        ("self.exists_one(x, x == 'a')", 1 + 10 * 4 + 2),
        ("size(self.map(x, x + 'b')) > 0", 1 + 10 * (1 + 1 + 12) + 11 + 2),
        ("size(self.filter(x, x == 'a')) > 0", 1 + 10 * (2 + 13) + 11 + 2),
        ("size(self.map(x, x == 'a', x)) > 0", 1 + 10 * (2 + 1 + 12) + 11 + 2),
        ("self.size() > 1 ? true : self[0].contains(self[1])", 1 + 2 + 5),
        ("self.size() > 1 || self.size() > 2", 6),
        ("{'a': self[0]}['a'] == 'b'", 30 + 2 + 1 + 1),
        ("self[0].replace('a', 'xyz') == self[1].replace('a', 'xyz')", 3 + 3 + 2),
    ],
)
def test_loops_and_choices_are_added_up(rule, figure):
    assert cost(array(text(1), 10), rule) == figure


class TestDefinitions:
    @pytest.fixture
    def complaints(self):
        def of(schema, rule, **more):
            ruled = {**schema, "x-kubernetes-validations": [{"rule": rule, **more}]}
            whole = {"type": "object", "properties": {"a": ruled}}
            return [(each.field, each.message) for each in crd_rules.check_rules(whole, "schema")]

        return of

    @pytest.mark.parametrize(
        ("most", "factor"), [(400, ""), (500, "1.125250x"), (1000, "4.5x"), (5000, "more than 100x")]
    )
    def test_a_rule_that_may_cost_too_much_is_refused_by_how_much(self, complaints, most, factor):
        found = complaints(array(text(100), most), SQUARE)
        if not factor:
            assert found == []
            return
        field, message = found[0]
        assert field == "schema.properties[a].x-kubernetes-validations[0].rule"
        assert message.startswith(f"Forbidden: estimated rule cost exceeds budget by factor of {factor} (try simplify")

    def test_an_update_may_leave_a_rule_that_is_too_dear_as_it_is(self):
        old = Server().created(DEFINITIONS, definition())
        (version,) = old["spec"]["versions"]
        root = version["schema"]["openAPIV3Schema"]["properties"]  # as a server without limits has stored it
        root["spec"] = {**array(text(100), 1000), "x-kubernetes-validations": [{"rule": SQUARE}]}
        version["selectableFields"] = version["subresources"] = None
        labelled = {**old, "metadata": {**old["metadata"], "labels": {"a": "b"}}}
        assert [each.reason for each in crds.check_definition(old)] == ["FieldValueForbidden"]
        assert crds.check_update(labelled, old) == []
        changed = deepcopy(old)
        changed["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["description"] = "d"
        assert [each.reason for each in crds.check_update(changed, old)] == ["FieldValueForbidden"]

    def test_even_unchanged_rules_have_a_limit_together(self):
        one = {**array(text(100), 400), "x-kubernetes-validations": [{"rule": SQUARE}]}
        whole = {"type": "object", "properties": {f"a{number}": one for number in range(20)}}
        assert crd_rules.check_rules(whole, "schema", is_known=True) == crd_rules.check_rules(whole, "schema") != []

    def test_what_is_below_lists_counts_as_often_as_it_may_be_there(self, complaints):
        ruled = {**text(10), "x-kubernetes-validations": [{"rule": "self == 'a'"}]}
        assert complaints(array(array(ruled, 1000), 1000), "true") == []
        assert complaints(array(array(ruled, 10_000), 1000), "true") != []
        assert complaints(array(ruled), "true") == []  # no more than fit into a request

    def test_all_rules_together_have_a_limit_of_their_own(self):
        one = {**array(text(100), 400), "x-kubernetes-validations": [{"rule": SQUARE}]}
        whole = {"type": "object", "properties": {f"a{number}": one for number in range(20)}}
        found = crd_rules.check_rules(whole, "schema")
        assert [each.field for each in found][-1] == "schema"
        assert "rule cost total for entire OpenAPIv3 schema exceeds budget by factor of 1.44" in found[-1].message
        assert ["contributed to" in each.message for each in found] == [True] * 4 + [False]

    def test_what_a_message_costs_is_limited_too(self, complaints):
        dear = "self.map(x, self.map(y, x + y).join(',')).join(';')"
        fields = [field for field, _ in complaints(array("string"), "true", messageExpression=dear)]
        assert "schema.properties[a].x-kubernetes-validations[0].messageExpression" in fields


def test_whether_a_field_is_there_is_as_small_as_any_truth_value():
    assert cost(TWO_TEXTS, "has(self.required) == has(self.optional)") == 3

    def test_what_nobody_knows_the_size_of_is_as_large_as_can_be(self, complaints):
        assert complaints(array(text(10), 10), "true", messageExpression="'no ' + string(self.size())") != []
