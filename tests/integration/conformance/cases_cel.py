"""Rules in CEL: what they say of objects, and which of them are rules at all."""

from __future__ import annotations

from typing import Any

from tests.integration.conformance.cases_schema_errors import INTEGER, STRING, define, thing
from tests.integration.conformance.harness import Body, Talk, case

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
TEXT: Body = {"type": "string", "maxLength": 9}
PART: Body = {"type": "object", "required": ["name"], "properties": {"name": TEXT, "size": INTEGER}}
LIST: Body = {"type": "array", "maxItems": 9}
FIELDS: Body = {
    "size": INTEGER,
    "least": INTEGER,
    "share": {"type": "number"},
    "text": TEXT,
    "other": TEXT,
    "flag": {"type": "boolean"},
    "names": {**LIST, "items": TEXT},
    "sizes": {**LIST, "items": INTEGER},
    "parts": {**LIST, "items": PART},
    "keyed": {**LIST, "items": PART, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    "set": {**LIST, "items": TEXT, "x-kubernetes-list-type": "set"},
    "limits": {"type": "object", "maxProperties": 9, "additionalProperties": INTEGER},
    "port": {"x-kubernetes-int-or-string": True, "maxLength": 9},
    "when": {"type": "string", "format": "date-time"},
    "pause": {"type": "string", "format": "duration"},
    "maybe": {**TEXT, "nullable": True},
    "below": {"type": "object", "properties": {"x": INTEGER, "y": TEXT}},
}


def whole(*rules: str | Body, fields: Body | None = None, **more: Any) -> Body:
    """The schema of things whose spec has these rules."""
    told = [{"rule": each} if isinstance(each, str) else each for each in rules]
    spec = {"type": "object", "properties": fields or FIELDS, "x-kubernetes-validations": told, **more}
    return {"type": "object", "properties": {"spec": spec}}


def try_rules(talk: Talk, rules: list[str], *specs: Body) -> None:
    """Post each spec under all of the rules: what is false is told."""
    path = define(talk, whole(*rules))
    for spec in specs:
        talk.post(path, thing(spec), query={"dryRun": "All"})


def refused(talk: Talk, schema: Body) -> None:
    """Post a definition with a schema."""
    served = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}
    spec = {"group": "{group}", "scope": "Namespaced", "names": names, "versions": [served]}
    body = {"kind": "CustomResourceDefinition", "metadata": {"name": "things.{group}"}, "spec": spec}
    talk.post(DEFINITIONS, {"apiVersion": "apiextensions.k8s.io/v1", **body}, query={"dryRun": "All"})


@case("cel", error=True)
def a_rule_has_a_message_a_reason_and_a_place(talk: Talk) -> None:
    rule = "self.size >= self.least"
    path = define(
        talk,
        whole(
            rule,
            {"rule": rule, "message": " size must be >= least "},
            {"rule": rule, "messageExpression": "'too small for ' + (has(self.text) ? self.text : 'all')"},
            {"rule": rule, "messageExpression": "self.text", "message": "fallback"},
            {"rule": rule, "reason": "FieldValueForbidden", "fieldPath": ".size", "message": "forbidden"},
            {"rule": rule, "reason": "FieldValueRequired", "fieldPath": ".below.x"},
            {"rule": rule, "reason": "FieldValueDuplicate"},
            {"rule": rule, "reason": "FieldValueInvalid", "fieldPath": "['text']"},
            {"rule": rule, "fieldPath": ".limits.cpu"},
            {"rule": rule, "fieldPath": ".limits['a.b']"},
        ),
    )
    low = {"size": 1, "least": 2}
    for spec in ({"size": 2, "least": 1}, low, {**low, "text": "told"}, {"size": 1}):
        talk.post(path, thing(spec), query={"dryRun": "All"})


@case("cel", error=True)
def comparisons_and_arithmetic(talk: Talk) -> None:
    rules = [
        "self.size < 3", "self.size <= 3", "self.size == 3", "self.size != 3", "self.size > 3 || self.size < 3",
        "self.size + 1 == 4 && self.size - 1 == 2 && self.size * 2 == 6 && self.size / 2 == 1 && self.size % 2 == 1",
        "-self.size / 2 == -1 && -self.size % 2 == -1", "self.share > 1.0", "self.share < self.size",
        "self.size > 2.5", "self.share + 0.5 == 2.0", "self.text < 'm'", "self.text + 'b' == 'ab'", "!self.flag",
        "self.flag ? self.size == 3 : self.size == 4", "self.size in [1, 2, 3]", "'x' in self.limits",
        "self.text in self.names", "double(self.size) == self.share", "int(self.share) == 1",
        "string(self.size) == '3'",
        "9223372036854775807 - self.size > 0", "self.size-1 > 1", "0x10 > self.size",
    ]  # fmt: skip
    base = {"size": 3, "share": 1.5, "text": "a", "flag": True, "limits": {"x": 1}, "names": ["a"]}
    try_rules(talk, rules, base, {**base, "size": 4, "flag": False, "text": "z"}, {**base, "share": 3, "names": []})


@case("cel", error=True)
def a_rule_without_a_value_is_an_error(talk: Talk) -> None:
    rules = [
        "self.size > 0", "self.names[3] == 'a'", "self.limits['cpu'] > 0", "self.limits.cpu > 0", "self.below.x > 0",
        "1 / (self.least - 1) > 0", "self.least % (self.least - 1) > 0", "9223372036854775807 + self.least > 0",
        "self.text.substring(5) == ''", "self.sizes.min() > 0", "int(self.text) > 0", "self.size > 0 || true",
        "true || self.size > 0", "self.names.all(x, x == 'a' || self.size > 0)", "self.names.exists(x, self.size > 0)",
        "has(self.below.x)", "self.text.matches(self.other)",
    ]  # fmt: skip
    try_rules(talk, rules, {"names": ["a", "b"], "limits": {}, "least": 1, "text": "a", "sizes": [], "other": "a"})


@case("cel", error=True)
def has_tells_what_is_there(talk: Talk) -> None:
    rules = [
        "has(self.size)", "!has(self.text)", "has(self.below) && has(self.below.x)", "has(self.limits.cpu)",
        "!has(self.below) || self.below.x > 1", "has(self.maybe)", "!has(self.maybe) || self.maybe == 'x'",
        "has(self.names)",
    ]  # fmt: skip
    specs = [{}, {"size": 1, "text": ""}, {"below": {}}, {"below": {"x": 1}, "limits": {"cpu": 1}}, {"maybe": None}]
    try_rules(talk, rules, *specs, {"maybe": "x", "names": []})


@case("cel", error=True)
def macros_go_through_lists_and_maps(talk: Talk) -> None:
    rules = [
        "self.names.all(n, n.startsWith('a'))", "self.names.exists(n, n == 'ab')",
        "self.names.exists_one(n, n == 'ab')",
        "self.names.filter(n, n.size() > 1).size() == 1", "self.sizes.map(s, s * 2) == [2, 4]",
        "self.sizes.map(s, s > 1, s + 1) == [3]", "self.limits.all(k, self.limits[k] > 0)",
        "self.limits.exists(k, k == 'cpu')", "self.parts.all(p, self.parts.exists_one(q, q.name == p.name))",
        "self.parts.map(p, p.name) == ['a', 'b']", "self.parts.all(p, !has(p.size) || p.size > 0)",
        "size(self.parts) == 2 && self.parts.size() == 2 && size(self.limits) == 1 && size(self.text) == 3",
        "self.parts[0].name == 'a'", "self.names == ['a', 'ab']", "self.names + ['c'] == ['a', 'ab', 'c']",
        "self.keyed.all(p, p.name != 'z')", "self.sizes.exists(s, self.names.exists(n, n.size() == s))",
    ]  # fmt: skip
    good = {
        "names": ["a", "ab"], "sizes": [1, 2], "limits": {"cpu": 1}, "parts": [{"name": "a"}, {"name": "b", "size": 1}],
        "text": "äöü", "keyed": [{"name": "a"}],
    }  # fmt: skip
    bad = {**good, "names": ["b", "b"], "sizes": [3, 4], "limits": {"x": 0}, "parts": [{"name": "a"}, {"name": "a"}]}
    try_rules(talk, rules, good, bad, {**bad, "keyed": [{"name": "z"}], "parts": [{"name": "a", "size": 0}]})


@case("cel", error=True)
def functions_of_texts_and_lists(talk: Talk) -> None:
    rules = [
        "self.text.contains('b') && self.text.startsWith('a') && self.text.endsWith('c')", "self.text.matches('^a.c$')",
        "self.text.charAt(1) == 'b' && self.text.indexOf('c') == 2 && self.text.lastIndexOf('z') == -1",
        "self.text.upperAscii() == 'ABC' && self.text.lowerAscii() == 'abc'", "self.text.replace('b', 'x') == 'axc'",
        "self.text.split('b') == ['a', 'c'] && self.text.split('') == ['a', 'b', 'c']", "' x '.trim() == 'x'",
        "self.text.substring(1) == 'bc' && self.text.substring(0, 2) == 'ab'", "self.names.join('-') == 'a-b'",
        "self.sizes.isSorted() && self.names.isSorted()", "self.sizes.sum() == 6 && self.sizes.min() == 1",
        "self.sizes.max() == 3 && self.sizes.indexOf(2) == 1 && self.sizes.lastIndexOf(9) == -1",
        "self.text.find('[bc]+') == 'bc' && self.text.findAll('[a-c]').size() == 3", r"'a\tb' != r'a\tb'",
        '"q\\"q".size() == 3', "self.text.matches(r'^[[:alpha:]]{3}$')",
    ]  # fmt: skip
    good = {"text": "abc", "names": ["a", "b"], "sizes": [1, 2, 3]}
    try_rules(talk, rules, good, {"text": "xyz", "names": ["b", "a"], "sizes": [3, 2, 2]})


@case("cel", error=True)
def times_and_durations(talk: Talk) -> None:
    rules = [
        "self.when > timestamp('2020-01-01T00:00:00Z')", "self.pause < duration('1h')",
        "self.when + self.pause < timestamp('2026-01-01T00:00:00Z')",
        "self.when - timestamp('2020-01-01T00:00:00Z') > duration('24h')", "self.pause.getMinutes() == 30",
        "self.when == timestamp('2021-01-01T01:00:00+01:00')", "self.pause + self.pause == duration('1h')",
    ]  # fmt: skip
    early = {"when": "2019-01-01T00:00:00Z", "pause": "2h"}
    try_rules(talk, rules, {"when": "2021-01-01T00:00:00Z", "pause": "30m"}, early)


@case("cel", error=True)
def a_number_or_a_text_is_compared_by_what_it_is(talk: Talk) -> None:
    rules = ["self.port == 80", "self.port != '80'", "self.port == 'http' || self.port == 80", "self.port > 10"]
    try_rules(talk, rules, {"port": 80}, {"port": "80"}, {"port": "http"}, {"port": 8})


@case("cel", error=True)
def each_level_has_rules_of_its_own(talk: Talk) -> None:
    def ruled(schema: Body, rule: str) -> Body:
        return {**schema, "x-kubernetes-validations": [{"rule": rule}]}

    fields = {
        "text": ruled(STRING, "self.size() < 3"),
        "size": ruled(INTEGER, "self < 3"),
        "share": ruled({"type": "number"}, "self < 3.0"),
        "names": ruled({"type": "array", "items": ruled(STRING, "self != 'x'")}, "self.size() < 3"),
        "limits": ruled({"type": "object", "additionalProperties": ruled(INTEGER, "self > 0")}, "'cpu' in self"),
        "parts": {"type": "array", "items": ruled(PART, "self.name != 'x'")},
        "below": ruled({"type": "object", "properties": {"x": ruled(INTEGER, "self > 0")}}, "self.x != 5"),
        "maybe": ruled({"type": "string", "nullable": True}, "self == 'x'"),
        "port": ruled({"x-kubernetes-int-or-string": True}, "self == 80"),
    }
    path = define(talk, whole("true", fields=fields))
    specs: list[Body] = [
        {"text": "abc"}, {"size": 3}, {"share": 3}, {"names": ["x", "a", "b"]}, {"limits": {"a.b": 0}},
        {"parts": [{"name": "a"}, {"name": "x"}]}, {"below": {"x": 0}}, {"below": {"x": 5}}, {"below": {}},
        {"maybe": None}, {"maybe": "y"}, {"port": "80"}, {"limits": {"cpu": 1}, "size": 2},
    ]  # fmt: skip
    for spec in specs:
        talk.post(path, thing(spec), query={"dryRun": "All"})


@case("cel", error=True)
def the_root_knows_names_and_kind(talk: Talk) -> None:
    schema = whole("true")
    rules = [
        "self.metadata.name.startsWith('a')", "self.kind == 'Thing' && self.apiVersion.endsWith('/v1')",
        "!has(self.metadata.generateName)", "self.spec.size > 0", "!has(self.status)",
    ]  # fmt: skip
    schema["properties"]["status"] = {"type": "object", "properties": {"x": INTEGER}}
    schema["x-kubernetes-validations"] = [{"rule": each} for each in rules]
    path = define(talk, schema)
    for name in ("a", "b"):
        talk.post(path, thing({"size": 1}, name), query={"dryRun": "All"})
    talk.post(path, thing({"size": 0}, "b", status={"x": 1}), query={"dryRun": "All"})


@case("cel", error=True)
def names_that_are_no_names_are_escaped(talk: Talk) -> None:
    fields = {"a-b": INTEGER, "a.b": INTEGER, "a/b": INTEGER, "a__b": INTEGER, "namespace": INTEGER, "in": INTEGER}
    rules = [
        "self.a__dash__b > 0", "self.a__dot__b > 0", "self.a__slash__b > 0", "self.a__underscores__b > 0",
        "self.__namespace__ > 0", "has(self.__in__) && self.__in__ > 0",
    ]  # fmt: skip
    path = define(talk, whole(*rules, fields=fields))
    talk.post(path, thing(dict.fromkeys(fields, 1)), query={"dryRun": "All"})
    talk.post(path, thing(dict.fromkeys(fields, 0)), query={"dryRun": "All"})
    talk.post(path, thing({}), query={"dryRun": "All"})


@case("cel", error=True)
def a_transition_is_looked_at_when_there_is_one(talk: Talk) -> None:
    part = {**PART, "x-kubernetes-validations": [{"rule": "self.size >= oldSelf.size", "message": "no less"}]}
    fields = {
        **FIELDS,
        "text": {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "immutable"}]},
        "keyed": {**FIELDS["keyed"], "items": part},
        "set": {**FIELDS["set"], "x-kubernetes-validations": [{"rule": "self == oldSelf"}]},
        "below": {**FIELDS["below"], "x-kubernetes-validations": [{"rule": "self == oldSelf"}]},
    }
    path = define(talk, whole({"rule": "self.size >= oldSelf.size", "message": "never less"}, fields=fields))
    spec = {"size": 2, "text": "a", "keyed": [{"name": "x", "size": 2}], "set": ["a", "b"], "below": {"x": 1, "y": "z"}}
    talk.post(path, thing(spec))
    changes: list[Body] = [
        {"size": 3}, {"size": 1}, {"text": "b"}, {"text": None}, {"keyed": [{"name": "x", "size": 1}]},
        {"keyed": [{"name": "y", "size": 1}, {"name": "x", "size": 2}]}, {"set": ["b", "a"]}, {"set": ["a"]},
        {"below": {"x": 2}}, {"below": {"y": "z"}}, {"least": 5},
    ]  # fmt: skip
    for change in changes:
        talk.patch(f"{path}/a", {"spec": change}, query={"dryRun": "All"})


@case("cel", error=True)
def what_was_before_may_be_optional(talk: Talk) -> None:
    rule = {"rule": "oldSelf.hasValue() ? self >= oldSelf.value() : self == 1", "optionalOldSelf": True}
    also = {"rule": "self != oldSelf.orValue(0)", "optionalOldSelf": True, "message": "changes"}
    fields = {"size": {**INTEGER, "x-kubernetes-validations": [rule, also]}, "text": STRING}
    path = define(talk, whole("true", fields=fields))
    talk.post(path, thing({"size": 2}, "b"))
    talk.post(path, thing({"size": 1}))
    for change in ({"size": 2}, {"size": 0}, {"text": "x"}):
        talk.patch(f"{path}/a", {"spec": change}, query={"dryRun": "All"})


@case("cel", error=True)
def rules_wait_for_an_object_that_fits(talk: Talk) -> None:
    fields = {**FIELDS, "least": {"type": "integer", "maximum": 5}, "text": {"type": "string", "maxLength": 2}}
    path = define(talk, whole("self.size > 3", fields=fields, required=["size"]))
    for spec in ({}, {"size": "x"}, {"size": 1, "least": 9}, {"size": 1, "text": "abc"}, {"size": 1.0}, {"size": 4}):
        talk.post(path, thing(spec), query={"dryRun": "All"})


@case("cel", error=True)
def a_broken_rule_is_a_warning_where_nothing_changed(talk: Talk) -> None:
    path = define(talk, whole("true", fields={"a": INTEGER, "b": INTEGER}))
    talk.post(path, thing({"a": 9, "b": 1}))
    small = {**INTEGER, "x-kubernetes-validations": [{"rule": "self < 5", "message": "small"}]}
    place = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties"
    with talk.hush():
        change = [{"op": "replace", "path": place, "value": {"a": small, "b": small}}]
        assert talk.patch(f"{DEFINITIONS}/things.{talk.group}", change, content_type="json").status == 200
    probe = thing({"a": 9}, "probe")
    talk.eventually(lambda: talk.post(path, probe, query={"dryRun": "All"}).status == 422)
    for spec in ({"b": 2}, {"b": 9}, {"a": 8}, {"a": 1}):
        talk.patch(f"{path}/a", {"spec": spec}, query={"dryRun": "All"})


@case("cel costs", error=True)
def a_rule_that_runs_too_long_is_refused_though_nothing_changed(talk: Talk) -> None:
    numbers: Body = {"type": "array", "maxItems": 1000, "items": INTEGER}
    path = define(talk, whole("true", fields={"a": numbers, "b": INTEGER}))
    talk.post(path, thing({"a": [1] * 600}))
    place = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/a/x-kubernetes-validations"
    with talk.hush():
        change = [{"op": "add", "path": place, "value": [{"rule": "self.all(x, self.all(y, true))"}]}]
        assert talk.patch(f"{DEFINITIONS}/things.{talk.group}", change, content_type="json").status == 200
    probe = thing({"a": [1] * 600}, "probe")
    talk.eventually(lambda: talk.post(path, probe, query={"dryRun": "All"}).status == 422)
    talk.patch(f"{path}/a", {"spec": {"b": 2}}, query={"dryRun": "All"})
    talk.patch(f"{path}/a", {"spec": {"a": [1]}}, query={"dryRun": "All"})


@case("cel", error=True)
def what_does_not_compile_is_pointed_at(talk: Talk) -> None:
    for rule in (
        "self.nope > 1", "self.size > 1 && self.below.nope == 2", "self.size > 'a'", "self.size == 'a'", "nobody > 1",
        "self.nothing()", "nothing(self.size)", "self.text.startsWith(1)", "self.size + 'a' == 'b'", "self.size",
        "self.names.all(n, n > 1)", "self.text && true", "self.flag ? 1 : 'a'", "!self.size", "-self.text == 'a'",
        "self.size in ['a']", "self.names['a'] == 'b'", "self.text.nope == 1", "self.limits[1] == 1",
        "size(self.size) == 1", "self.size == 1.0", "self.text == null", "self.nope == 1 && self.other1 == 2",
        "self.size.all(x, x > 1)", "oldSelf.nope == 1", "self.metadata.name == 'a'", "has(self.nope)",
        "self.sizes.sum() == '1'", "self.names.sum() == 1", "\n  self.size > 1 &&\n  self.nope > 2",
    ):  # fmt: skip
        refused(talk, whole({"rule": rule, "message": "a message"}))


@case("cel", error=True)
def a_rule_is_told_in_full(talk: Talk) -> None:
    for rule in (
        {"rule": ""}, {"rule": " "}, {"rule": "true", "message": " "}, {"rule": "true", "message": "a\nb"},
        {"rule": "true ||\nfalse"}, {"rule": "true", "reason": "Nope"}, {"rule": "true", "fieldPath": " "},
        {"rule": "true", "fieldPath": ".nope"}, {"rule": "true", "fieldPath": "size"},
        {"rule": "true", "fieldPath": ".below.x"},
        {"rule": "true", "messageExpression": " "}, {"rule": "true", "messageExpression": "1"},
        {"rule": "true", "messageExpression": "self.nope"}, {"rule": "true", "optionalOldSelf": True},
    ):  # fmt: skip
        refused(talk, whole(rule))


@case("cel", error=True)
def nobody_knows_what_an_item_was_before(talk: Talk) -> None:
    rule = [{"rule": "self == oldSelf"}]
    for kind in ("parts", "keyed", "set"):
        items = {**FIELDS[kind]["items"], "x-kubernetes-validations": rule}
        refused(talk, whole("true", fields={**FIELDS, kind: {**FIELDS[kind], "items": items}}))


@case("cel", error=True)
def a_default_keeps_to_the_rules(talk: Talk) -> None:
    rule = [{"rule": "self > 3", "message": "more"}]
    for default in (4, 3):
        refused(talk, whole("true", fields={"x": {**INTEGER, "default": default, "x-kubernetes-validations": rule}}))
