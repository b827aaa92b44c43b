"""Expressions of CEL, most of which make no sense."""

from __future__ import annotations

from random import Random

#: The fields that have one.
FIELDS = frozenset(["rule", "expression", "messageExpression", "valueExpression"])
_ATOMS = (
    "self", "self.size", "self.args", "self.parts", "self.limits", "self.free", "self.port", "self.note", "oldSelf",
    "object", "oldObject", "object.metadata", "object.data", "object.metadata.name", "object.metadata.labels",
    "request", "request.name", "request.userInfo.groups", "request.options", "namespaceObject",
    "namespaceObject.metadata.labels", "variables.v", "params", "x", "y", "0", "1", "-1", "2.5",
    "9223372036854775807", "'a'", "''", "'10s'", "'(a+)+$'", "'2001-01-01T00:00:00Z'", "true", "false", "null", "[]",
    "{}", "'ü'", "b'a'", "r'\\\\d'", "1u", "authorizer", "'\\\\x41'",
)  # fmt: skip
_FORMS = (
    "{}.name", "{}.a.b", "{}[{}]", "{} + {}", "{} - {}", "{} * {}", "{} / {}", "{} % {}", "{} == {}", "{} != {}",
    "{} < {}", "{} >= {}", "{} && {}", "{} || {}", "!{}", "-{}", "({})", "{} ? {} : {}", "size({})", "{}.size()",
    "{}.all(x, {})", "{}.exists(x, {})", "{}.exists_one(y, {})", "{}.map(x, {})", "{}.map(x, {}, {})",
    "{}.filter(y, {})", "has({}.name)", "has({}.a.b)", "{}.contains({})", "{}.matches({})", "{}.startsWith({})",
    "int({})", "string({})", "double({})", "duration({})", "timestamp({})", "dyn({})", "[{}, {}]", "{{{}: {}}}",
    "{} in {}", "{}.split({})", "{}.split({}, {})", "{}.join({})", "{}.join()", "{}.replace({}, {})",
    "{}.substring({}, {})", "{}.indexOf({})", "{}.lastIndexOf({})", "{}.charAt({})", "{}.min()", "{}.max()",
    "{}.sum()", "{}.isSorted()", "{}.lowerAscii()", "{}.trim()", "{}.find({})", "{}.findAll({}, {})", "{}.getHours()",
    "{}.getSeconds()", "{}.hasValue()", "{}.value()", "{}.orValue({})", "type({})", "Object{{a: {}}}",
    "Object{{data: {}, metadata: Object.metadata{{labels: {}}}}}", "jsonpatch.escapeKey({})",
    "[JSONPatch{{op: 'add', path: '/data', value: {}}}]", "[JSONPatch{{op: {}, path: {}}}]", "{}.nothing({})",
    "f({})",
)  # fmt: skip
_NONSENSE = ("", "(", "a b", "1 +", "'", "self.", "[", "{a", "a ? b", "\n", "//", "a.all(1, true)", "x" * 5000)


def expression(random: Random, depth: int = 4) -> str:
    """One of them; now and then not even that."""
    if random.random() < 0.02:
        return random.choice(
            ("", "(", "a b", "1 +", "'", "self.", "[", "{a", "a ? b", "\n", "//", "a.all(1, true)", "x" * 5000)
        )
    if depth == 0 or random.random() < 0.25:
        return random.choice(_ATOMS)
    form = random.choice(_FORMS)
    count = form.replace("{{", "").replace("}}", "").count("{}")
    return form.format(*(expression(random, depth - 1) for _ in range(count)))
