"""Values that nobody expects, and values that a type of Go's may have."""

from __future__ import annotations

from random import Random
from typing import Any

from btcctl.apiserver.gotypes import types
from btcctl.apiserver.gotypes.types import GoType
from tests.fuzz import expressions

TEXTS = (
    "", " ", "a", "A", "a/b", "a.b", "x" * 64, "x" * 300, "ü", "\u0000", "\ud800", "٣", "9" * 400, "-1", "0x5", "1e99",
    "1_0", "NaN", "true", "null", "..", "-", "a=b,c!=d", "a in (b", "!a", "(" * 300, "[", "%", "%zz", "a\nb", "*",
    "2001-01-01T00:00:00Z", "9999-99-99T99:99:99Z", "1h", "10Mi", "1e1000", "$(A)", "{.a[?(@.b=='c')]}", "self.a > 1",
    "IfNotPresent", "default", "v1", "apps/v1", "a:b@c", "127.0.0.1", "::1", "300.1.1.1", "10.0.0.0/8", "^(a+)+$",
    "JSONPatch{", "object.metadata.name == 'a'", "Object{}", "http://[::1", "\U0001f600", "\r\n", "'", '"', "\\",
)  # fmt: skip
NUMBERS = (
    0, 1, -1, 2, 80, 443, 65535, 65536, 2**31 - 1, 2**31, -(2**31), 2**53, 2**63 - 1, 2**63, -(2**63) - 1, 2**64,
    10**40, 0.5, -0.0, 1e300, 1.0,
)  # fmt: skip
NAMES = ("a", "b", "c", "metadata", "spec", "status", "name", "items", "labels", "$patch", "$retainKeys", "", "x/y")


def odd(random: Random, depth: int = 3) -> Any:
    """Any JSON at all."""
    kind = random.randrange(10)
    if kind < 3:
        return random.choice(TEXTS)
    if kind < 5:
        return random.choice(NUMBERS)
    if kind < 7:
        return random.choice((None, True, False, [], {}, [None], {"": None}))
    if depth == 0:
        return None
    if kind == 7:
        return [odd(random, depth - 1) for _ in range(random.randrange(4))]
    if kind == 8:
        return {random.choice(NAMES): odd(random, depth - 1) for _ in range(random.randrange(4))}
    return nested(random)


def nested(random: Random) -> Any:
    """Something deep."""
    value: Any = random.choice(TEXTS)
    is_list = random.random() < 0.5
    for _ in range(random.choice((5, 40, 150))):
        value = [value] if is_list else {random.choice(NAMES): value}
    return value


def typed(random: Random, type_: GoType, depth: int = 4) -> Any:
    """A value of a type; of another one now and then."""
    if random.random() < 0.06:
        return odd(random)
    if random.random() < 0.04:
        return None
    if type_.kind == types.STRUCT and type_.fields:
        names = random.sample(list(type_.fields), min(len(type_.fields), random.randrange(5))) if depth else []
        return {name: typed(random, type_.fields[name], depth - 1) for name in names}
    if type_.kind in {types.LIST, types.MAP} and type_.element is not None:
        items = [typed(random, type_.element, depth - 1) for _ in range(random.randrange(3) if depth else 0)]
        return items if type_.kind == types.LIST else {random.choice(TEXTS): each for each in items}
    return _scalar(random, type_.kind)


def _scalar(random: Random, kind: str) -> Any:
    if kind == types.BOOL:
        return random.random() < 0.5
    if kind in {types.INT, types.FLOAT}:
        return random.choice(NUMBERS)
    if kind == types.INT_OR_STRING:
        return random.choice((80, "50%", "http", 2**40, "x"))
    if kind == types.BYTES:
        return random.choice(("eA==", "", "=", "x"))
    return random.choice(TEXTS)


def changed(random: Random, value: Any, type_: GoType | None) -> Any:
    """A value with one thing in it as it was not."""
    if isinstance(value, dict) and value and random.random() < 0.75:
        name = random.choice(list(value))
        below = type_.fields.get(name, type_.element) if type_ is not None else None
        if random.random() < 0.1:
            return {key: each for key, each in value.items() if key != name}
        if name in expressions.FIELDS and random.random() < 0.8:
            return {**value, name: expressions.expression(random)}
        return {**value, name: changed(random, value[name], below)}
    if isinstance(value, list) and value and random.random() < 0.75:
        index = random.randrange(len(value))
        item = changed(random, value[index], None if type_ is None else type_.element)
        return [*value[:index], item, *value[index + (random.random() < 0.8) :]]
    if isinstance(value, dict) and type_ is not None and type_.fields:
        name = random.choice(list(type_.fields))
        return {**value, name: typed(random, type_.fields[name])}
    if isinstance(value, dict) and random.random() < 0.5:
        return {**value, random.choice(NAMES): odd(random)}
    return odd(random) if type_ is None or random.random() < 0.3 else typed(random, type_)
