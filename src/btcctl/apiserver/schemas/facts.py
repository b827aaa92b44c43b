"""What is known of a schema before there is a value: found out once, for each of its parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Schema = Mapping[str, Any]
EMBEDDED = "x-kubernetes-embedded-resource"
LIST_TYPE = "x-kubernetes-list-type"
_MOST_KNOWN = 20_000
#: Of scalars: with no others, or with one more of these, it is soon said whether a value fits.
_SAYS_NOTHING = frozenset({"type", "description", "default", "nullable", "title", "example"})
_OF_TEXTS = _SAYS_NOTHING | {"minLength", "maxLength", "enum"}
_OF_INTEGERS = _SAYS_NOTHING | {"format", "minimum", "maximum"}
#: As `validation` counts them: its type, and what it looks at besides.
_MATCHES, _MATCHES_OF_NUMBERS = 7, 8
_LIMITS = {"": 2**63, "int32": 2**31, "int64": 2**63}


class Facts(NamedTuple):
    """Of a schema and all that is below it.

    Attributes:
        schema: Kept, for its identity is what it is known by.
        texts: Those that its enum allows.
        fits: Says of a value that nothing is wrong with it, or that it needs a closer look; None if all do.
        has_defaults: Whether there may be something to fill in.
        has_list_types: Whether there may be items that must not come twice.
        has_embedded: Whether there may be whole objects in a value.
    """

    schema: Schema
    texts: frozenset[str]
    fits: Callable[[Any], bool] | None
    has_defaults: bool
    has_list_types: bool
    has_embedded: bool


_known: dict[int, Facts] = {}


def facts_of(schema: Schema) -> Facts:
    """The schema of a definition never changes."""
    known = _known.get(id(schema))
    if known is None or known.schema is not schema:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        known = _known[id(schema)] = _found(schema)
    return known


def quick_matches(schema: Schema, value: Any) -> int:
    """How many checks go well with a value, if it is soon said that all do; 0 if it needs a closer look."""
    fits = facts_of(schema).fits
    if fits is None or not fits(value):
        return 0
    return _MATCHES_OF_NUMBERS if type(value) is int else _MATCHES


def _found(schema: Schema) -> Facts:
    parts = [*(schema.get("properties") or {}).values(), schema.get("items"), schema.get("additionalProperties")]
    below = [facts_of(each) for each in parts if isinstance(each, dict)]
    texts = frozenset(each for each in schema.get("enum") or () if isinstance(each, str))
    return Facts(
        schema,
        texts,
        _quick_check(schema, texts),
        "default" in schema or any(each.has_defaults for each in below),
        schema.get(LIST_TYPE) in {"set", "map"} or any(each.has_list_types for each in below),
        bool(schema.get(EMBEDDED)) or any(each.has_embedded for each in below),
    )


def _quick_check(schema: Schema, texts: frozenset[str]) -> Callable[[Any], bool] | None:
    type_, keys = schema.get("type"), schema.keys()
    if type_ == "boolean" and keys <= _SAYS_NOTHING:
        return lambda value: type(value) is bool
    if type_ == "string" and keys <= _OF_TEXTS:
        if schema.get("enum"):
            return lambda value: type(value) is str and value in texts and _has_length(schema, value)
        if keys <= _SAYS_NOTHING:
            return lambda value: type(value) is str
        return lambda value: type(value) is str and _has_length(schema, value)
    if type_ == "integer" and keys <= _OF_INTEGERS:
        return _quick_range(schema)
    return None


def _has_length(schema: Schema, text: str) -> bool:
    least, most = schema.get("minLength"), schema.get("maxLength")
    return (least is None or least <= len(text)) and (most is None or len(text) <= most)


def _quick_range(schema: Schema) -> Callable[[Any], bool] | None:
    limit = _LIMITS.get(schema.get("format") or "", 2**63)
    low, high = schema.get("minimum", -limit), schema.get("maximum", limit - 1)
    if not all(type(each) is int and -limit <= each < limit for each in (low, high)):
        return None
    return lambda value: type(value) is int and low <= value <= high
