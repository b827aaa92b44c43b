from __future__ import annotations

from typing import Any

import pytest

from btcctl.apiserver.schemas.cel import rules
from btcctl.apiserver.schemas.cel.syntax import CompileError, Unsupported

FIELDS = {
    "size": {"type": "integer"},
    "zero": {"type": "integer"},
    "sizes": {"type": "array", "items": {"type": "integer"}},
    "share": {"type": "number"},
    "text": {"type": "string"},
    "names": {"type": "array", "items": {"type": "string"}},
    "limits": {"type": "object", "additionalProperties": {"type": "integer"}},
    "port": {"x-kubernetes-int-or-string": True},
    "a-b": {"type": "string"},
    "set": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
}
BODY = {
    "size": 3, "zero": 0, "sizes": [1], "share": 1, "text": "abc", "names": ["a", "b"], "limits": {"cpu": 1},
    "port": 80, "a-b": "x",
}  # fmt: skip


def schema(rule: str, **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": FIELDS, "x-kubernetes-validations": [{"rule": rule, **more}]}


def broken(rule: str, new: Any = BODY, old: Any = None, **more: Any) -> list[tuple[str, str]]:
    node = rules.compile_rules(schema(rule, **more), is_root=False)
    return [(cause.field, cause.message) for cause in rules.run(node, new, old)[0]]


@pytest.mark.parametrize("rule", ["has(.size)", ".size == 1", "self.size == .size(self.text)"])
def test_what_begins_with_a_dot_is_told_of(rule):
    with pytest.raises((CompileError, Unsupported)):
        rules.compile_rules(schema(rule), is_root=False)


@pytest.mark.parametrize(
    "rule", ["{dyn(self.limits): 1}.size() == 1", "dyn(self.limits) in {'a': 1}", "{'a': 1}[dyn(self.names)] == 1"]
)
def test_what_cannot_be_a_key_is_an_error_of_the_rule(rule):
    assert len(broken(rule)) == 1


@pytest.mark.parametrize(
    "rule",
    [
        "self.size >= 3 && self.share < 1.5",
        "self.share == 1.0",
        "-self.size / 2 == -1 && -self.size % 2 == -1",
        "self.names.all(n, n.matches('^[ab]$'))",
        "self.names.map(n, n + 'x').filter(n, n == 'bx').size() == 1",
        "self.limits.exists(k, self.limits[k] == 1)",
        "self.port == 80 && self.port != 'http'",
        "self.a__dash__b == 'x'",
        "!has(self.set)",
        "self.limits.none > 1 || true",
        "self.text.upperAscii() == 'ABC' && self.text.substring(1, 2) == 'b'",
        "duration('90m') > duration('1h') && timestamp('2026-01-01T00:00:00Z') < timestamp('2026-01-02T00:00:00Z')",
    ],
)
def test_what_is_true_is_no_problem(rule):
    assert broken(rule) == []


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("self.size > 3", "Invalid value: failed rule: self.size > 3"),
        ("self.limits.none > 1", 'Invalid value: "object": no such key: none evaluating rule: self.limits.none > 1'),
        (
            "self.names[5] == 'a'",
            "Invalid value: \"object\": index out of bounds: 5 evaluating rule: self.names[5] == 'a'",
        ),
        (
            "1 / (self.size - 3) > 0",
            'Invalid value: "object": division by zero evaluating rule: 1 / (self.size - 3) > 0',
        ),
    ],
)
def test_what_is_false_or_has_no_value_is_told(rule, message):
    assert broken(rule) == [("<nil>", message)]


def test_message_reason_and_place_of_a_rule_are_used():
    (told,) = broken("self.size > 3", message="too small", reason="FieldValueForbidden", fieldPath=".size")
    assert told == ("size", "Forbidden: too small")
    (told,) = broken("self.size > 3", messageExpression="'not ' + self.text")
    assert told == ("<nil>", "Invalid value: not abc")


def test_a_transition_is_checked_on_updates_only_and_sets_have_no_order():
    rule = "self.set == oldSelf.set"
    assert broken(rule, {"set": ["a"]}) == []
    assert broken(rule, {"set": ["a", "b"]}, {"set": ["b", "a"]}) == []
    assert len(broken(rule, {"set": ["a"]}, {"set": ["b"]})) == 1


def test_what_was_broken_before_and_is_unchanged_is_a_warning():
    node = rules.compile_rules({"type": "object", "properties": {"a": {"type": "integer", **RULED}}}, is_root=False)
    causes, warnings = rules.run(node, {"a": 9}, {"a": 9})
    assert (causes, warnings) == ([], ["a: Invalid value: 9: failed rule: self < 5"])
    assert len(rules.run(node, {"a": 8}, {"a": 9})[0]) == 1


RULED = {"x-kubernetes-validations": [{"rule": "self < 5"}]}


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ("self.nope > 1", "compilation failed: ERROR: <input>:1:5: undefined field 'nope'\n | self.nope > 1\n | ....^"),
        ("self.size > 'a'", "found no matching overload for '_>_' applied to '(int, string)'"),
        ("nobody()", "undeclared reference to 'nobody' (in container '')"),
        ("self.size", "cel expression must evaluate to a bool"),
    ],
)
def test_what_does_not_compile_is_pointed_at(rule, error):
    with pytest.raises(CompileError) as caught:
        broken(rule)
    assert error in str(caught.value)


@pytest.mark.parametrize("rule", ["has(self.?size.x)", "[?self.?size] == [3]", "uint(1) == uint(2)"])
def test_what_would_not_be_done_right_is_refused(rule):
    with pytest.raises(Unsupported):
        broken(rule)


@pytest.mark.parametrize(
    "rule",
    [
        "self.names.all(n, n == 'a')",
        "self.names.exists(n, n == 'z')",
        "self.names.exists_one(n, n != 'z')",
        "self.names.filter(n, n == 'a').size() == 2",
        "self.port ? true : false",
        "dyn(self.size) && true",
        "has(self.set)",
    ],
)
def test_what_is_not_so_is_said(rule):
    assert len(broken(rule)) == 1


@pytest.mark.parametrize(
    "rule", ["self.size == self.text", "self.size < self.text", "self.names.all(n, true) && n == 'a'", "[1] == ['a']"]
)
def test_what_cannot_be_compared_is_told_when_it_is_compiled(rule):
    with pytest.raises(CompileError):
        rules.compile_rules(schema(rule), is_root=False)


def test_the_overload_of_what_has_no_type_is_found_anew_for_each_value():
    node = rules.compile_rules(schema("self.port + self.port != self.port"), is_root=False)
    assert [rules.run(node, {**BODY, "port": each}, None)[0] for each in (80, "http", 7)] == [[], [], []]


def test_a_field_that_is_null_is_not_there():
    assert broken("!has(self.text)", {**BODY, "text": None}) == []


def test_an_error_counts_only_if_nothing_decides():
    assert broken("self.limits.none > 1 || self.size == 3") == []
    assert broken("self.size == 3 || self.limits.none > 1") == []
    assert len(broken("self.limits.none > 1 || self.size == 4")) == 1
