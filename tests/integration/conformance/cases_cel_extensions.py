"""cel-go's extensions and what its standard has beside operators: optional values, formatted texts, types, times."""

from __future__ import annotations

from tests.integration.conformance.cases_cel import whole
from tests.integration.conformance.cases_cel_costs import define as try_gauges
from tests.integration.conformance.cases_cel_costs import items, ruled, text
from tests.integration.conformance.cases_cel_libraries import _FIELDS, refuse_each
from tests.integration.conformance.cases_schema_errors import INTEGER, define, thing
from tests.integration.conformance.harness import Body, Talk, case

_MORE: Body = {
    **_FIELDS,
    "below": {"type": "object", "properties": {"x": INTEGER, "y": {"type": "string", "maxLength": 9}}},
    "limits": {"type": "object", "maxProperties": 9, "additionalProperties": INTEGER},
    "when": {"type": "string", "format": "date-time"},
    "pause": {"type": "string", "format": "duration"},
    "raw": {"type": "string", "format": "byte", "maxLength": 90},
    "flag": {"type": "boolean"},
    "share": {"type": "number"},
}


def try_each(talk: Talk, rules: list[str], *specs: Body) -> None:
    path = define(talk, whole(*rules, fields=_MORE))
    for each in specs:
        talk.post(path, thing(each), query={"dryRun": "All"})


@case("cel extensions", error=True)
def what_may_not_be_there(talk: Talk) -> None:
    rules = [
        "self.?size.hasValue()", "self.?size.orValue(3) == 3", "self.?below.?x.orValue(1) == 1",
        "self.?below.x.hasValue()",
        "self.?limits['a'].orValue(1) == 1", "has(self.limits) && self.limits[?'a'].hasValue()",
        "self.?names[?0].orValue('z') == 'z'",
        "self.?size.optMap(s, s + 1).orValue(0) == 4", "self.?below.optFlatMap(b, b.?y).orValue('q') == 'q'",
        "self.?size.value() == 3",
        "self.?size.or(self.?below.?x).hasValue()", "optional.of(1).value() == 1", "!optional.none().hasValue()",
        "optional.ofNonZeroValue(self.?size.orValue(0)).hasValue()", "self.?size == optional.of(3)",
        "self.?size.orValue(1 / 0) == 3",
        "optional.unwrap([self.?size, optional.of(1)]).size() == 2", "[self.?size].unwrapOpt() == [3]",
        "self.?size != optional.none()",
        "self.?port.orValue(1) == 1", "'.?x[?0' != self.?text.orValue('')",
    ]  # fmt: skip
    full = {"size": 3, "below": {"x": 1, "y": "q"}, "limits": {"a": 1}, "names": ["z"], "port": "1", "text": "a"}
    try_each(talk, rules, {}, full, {"size": 4, "below": {}, "limits": {}, "names": []}, {"size": 0, "names": ["a"]})


@case("cel extensions", error=True)
def an_optional_value_is_no_value(talk: Talk) -> None:
    refuse_each(
        talk, "self.?size == 3", "self.?size + 1 == 2", "self.?nope.hasValue()", "self.?size.orValue('a') == 'a'",
        "self.size.?x.hasValue()",
        "self.?size.or(1).hasValue()", "self.size.hasValue()", "self.size.optMap(x, x).hasValue()",
        "self.?size.optFlatMap(x, x).hasValue()",
        "self.?size", "optional.of(1, 2).hasValue()", "optional.nope(1)", "self.names[?'a'].hasValue()",
        "self.size[?0].hasValue()",
        "self.?size.optMap(x, x == 'a').orValue(false)", "has(self.?size)", "optional == 1",
        "self.?names.all(n, n == 'a')",
    )  # fmt: skip


@case("cel extensions", error=True)
def texts_are_formatted(talk: Talk) -> None:
    values = [
        "'%s %s %s %s %s'.format([self.text, 1, 1.5, true, null])", "'%d%%'.format([self.size])",
        "'%f %.2f'.format([1.5, 1234567.891])",
        "'%e %.1e'.format([1234.5, 0.00012])", "'%b %b %b'.format([5, true, -5])",
        "'%x %X %x %x'.format([255, 255, 'ab', -255])",
        "'%o'.format([8])", "'%s'.format([[1, 2.0, 'a']])", "'%s'.format([{'b': 1, 'a': 'x'}])",
        "'%s'.format([duration('90s')])",
        "'%s'.format([timestamp('2020-01-01T00:00:00Z')])",
        "'%s'.format([[duration('90s'), timestamp('2020-01-01T00:00:00Z')]])",
        "'%s'.format([self.names])", "'%s'.format([type(1)])", "'%s'.format([bytes('a')])", "'%.3f'.format(['NaN'])",
        "'%s'.format([self.?size])",
        "self.text.format([1])", "self.text.format([])", "self.text.format([self.text])", "strings.quote(self.text)",
        "'%s'.format([dyn(ip('::1'))])",
        "'%f'.format([dyn(1)])", "'%d'.format([dyn('a')])", "'a%sb%sc'.format(['x', 'y'])", "'%s'.format([1e300])",
        "'%s'.format([0.1])",
    ]  # fmt: skip
    told: list[Body] = [
        {"rule": "self.text == '\\n'", "messageExpression": each} for each in values if "self.?size" not in each
    ]
    rules = [f"{each} == ''" for each in values if "self.?size" not in each]
    path = define(talk, whole(*told, *rules, fields={**_MORE, "text": {"type": "string", "maxLength": 20}}))
    for each in ("%d", "%s", "%", "%.", "%.2", "%.f", "%q", "%%", 'a"\t\\ü', "%S", "%5d"):
        talk.post(path, thing({"text": each, "size": 7, "names": ["a", 'b"']}), query={"dryRun": "All"})


@case("cel extensions", error=True)
def what_cannot_be_formatted_is_pointed_at(talk: Talk) -> None:
    refuse_each(
        talk, "'%d'.format(['a']) == ''", "'%s %s'.format(['a']) == ''", "'%s'.format(['a', 'b']) == ''",
        "'%q'.format([1]) == ''",
        "'%'.format([1]) == ''", "'%.'.format([1]) == ''", "'%f'.format([1]) == ''", "'%b'.format(['a']) == ''",
        "'%x'.format([1.5]) == ''",
        "'%o'.format([true]) == ''", "'%e'.format([1]) == ''", "'%s'.format([quantity('1')]) == ''",
        "'%s'.format('a') == ''",
        "'%s' .format([1]) == 1", "self.size.format([1]) == ''", "'%s'.format([self.?size]) == ''",
        "strings.quote(1) == ''",
        "'%d %s'.format([1.5, self.nope]) == ''", "'%d'.format([[1]]) == ''",
    )  # fmt: skip


@case("cel extensions", error=True)
def types_are_values(talk: Talk) -> None:
    rules = [
        "type(self.port) == string", "type(self.port) == int", "type(self.size) == int", "type(1.5) == double",
        "type([]) == list", "type({}) == map", "type(null) == null_type", "type(true) == bool",
        "type(type(1)) == type", "type(bytes('a')) == bytes",
        "type(self.port) == string ? self.port != '80' : self.port != 80",
    ]  # fmt: skip
    try_each(talk, rules, {"port": 80, "size": 1, "text": "a"}, {"port": "80", "size": 1, "text": "a"})
    refuse_each(
        talk,
        "type(self.port) in [int, string]",
        "type(self.size)",
        "type(self.size) == 'int'",
        "int",
        "type(1, 2) == int",
        "type(self.size) == nope",
        "int + 1 == 2",
    )


@case("cel extensions", error=True)
def times_have_parts(talk: Talk) -> None:
    rules = [
        "self.when.getFullYear() == 2023", "self.when.getMonth() == 6", "self.when.getDate() == 14",
        "self.when.getDayOfMonth() == 13",
        "self.when.getDayOfWeek() == 5", "self.when.getDayOfYear() == 194", "self.when.getHours() == 23",
        "self.when.getMinutes() == 30",
        "self.when.getSeconds() == 45", "self.when.getMilliseconds() == 123", "self.when.getDate('+01:00') == 15",
        "self.when.getHours('-02:30') == 21", "self.pause.getHours() == 1", "self.pause.getMilliseconds() == 5400000",
        "self.pause.getMinutes() == 90", "string(self.when) == '2023-07-14T23:30:45.123Z'",
        "string(self.pause) == '5400s'",
        "timestamp(0) < self.when", "int(self.when) == 1689377445", "int(self.pause) == 5400000000000",
        "timestamp(self.when) == self.when",
        "self.when.getHours('nowhere') == 1", "self.when.getHours('1:x') == 1", "duration(self.text) == self.pause",
        "timestamp(self.text) == self.when", "self.when - self.pause < self.when",
        "string(duration('-1.5s')) == '-1.5s'",
        "string(duration('1ns')) == '0.000000001s'",
    ]  # fmt: skip
    refuse_each(
        talk, "timestamp(253402300800) > self.when", "timestamp('x') > self.when", "duration('x') > self.pause",
        "self.text.matches('[')",
    )  # fmt: skip
    good = {"when": "2023-07-14T23:30:45.123Z", "pause": "90m", "text": "90m"}
    try_each(talk, rules, good, {"when": "2020-02-29T00:00:00+05:00", "pause": "1ms", "text": "2020-02-28T19:00:00Z"})


@case("cel extensions", error=True)
def values_are_converted(talk: Talk) -> None:
    rules = [
        "bool(self.text)", "int(self.text) == 1", "double(self.text) == 1.0", "string(bytes(self.text)) == self.text",
        "bytes(self.text).size() == 1",
        "string(self.share) == '1.5'", "int(self.share) == 1", "string(self.flag) == 'true'",
        "double(self.size) == 1.0", "string(self.raw) == 'a'",
        "self.raw.size() == 1", "self.raw == bytes('a')", "self.text.indexOf('', 5) == 5",
        "self.text.indexOf('a', 9) == -1",
        "self.text.lastIndexOf('e', 1) == -1", "self.text.substring(9, 1) == ''", "' \\u001c'.trim() == ''",
        "self.text.indexOf('u', -1) == 1",
        "self.text.lastIndexOf('u', -1) == 1", "self.text.lastIndexOf('') == 4",
    ]  # fmt: skip
    for_all: Body = {"share": 1.5, "flag": True, "size": 1, "raw": "YQ=="}
    texts = ("true", "1", "T", "FALSE", "ü", "1.5", "")
    try_each(
        talk,
        rules,
        *({**for_all, "text": each} for each in texts),
        {**for_all, "share": 1e19, "text": "t", "raw": "/w=="},
    )


@case("cel extensions", error=True)
def lists_are_sorted_by_keys(talk: Talk) -> None:
    rules = [
        "self.names.sortBy(n, n.size())[0] == 'b'", "self.sizes.sortBy(s, -s) == [3, 2, 1]",
        "self.names.map(n, {'n': n}).sortBy(e, e.n)[0].n == 'aa'",
    ]  # fmt: skip
    refuse_each(talk, "dyn([1, 'a']).sortBy(x, x).size() == 2", "self.names.sortBy(n, [n]) == []")
    try_each(talk, rules, {"names": ["aa", "b"], "sizes": [2, 3, 1]}, {"names": ["c"], "sizes": []})


@case("cel extensions", error=True)
def extensions_cost_what_they_may_take(talk: Talk) -> None:
    fields: Body = {
        "a": {"type": "string"},
        "b": INTEGER,
        "c": items({"type": "string"}),
        "d": {"type": "object", "properties": {"x": INTEGER}},
    }
    least: Body = {"a": text(1000), "b": INTEGER, "c": items(text(10), 100), "d": fields["d"]}
    for rule in (
        "self.?a.orValue('x') == 'x'", "self.?b.orValue(1) == 1", "self.?a.optMap(x, x + 'a').hasValue()",
        "self.?d.?x.orValue(1) == 1",
        "self.?d.x.hasValue()", "self.c[?0].orValue('') == 'a'", "self.?b.optMap(x, x + 1).orValue(1) == 1",
        "'%s'.format([self.a]) == 'a'", "self.a.format([1]) == 'a'", "strings.quote(self.a) == self.a",
        "type(self.a) == string",
        "string(bytes(self.a)) == self.a", "self.c.sortBy(x, x)[0] == 'a'",
        "self.?d.optFlatMap(x, x.?x).orValue(1) == 1",
        "self.?c.orValue([]).all(x, x == 'a')", "self.c.map(x, optional.of(x)).unwrapOpt().all(x, x == 'a')",
        "bool(self.a)",
    ):  # fmt: skip
        try_gauges(talk, a=ruled({"type": "object", "properties": fields}, rule))
        try_gauges(talk, a=items(ruled({"type": "object", "properties": fields}, rule), 60))
        try_gauges(talk, a=items(ruled({"type": "object", "properties": least}, rule), 60))
