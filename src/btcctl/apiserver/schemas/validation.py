"""Whether a value fits an OpenAPI schema, and the texts a real server complains in.

Written here because no library gives these texts. Source: k8s.io/kube-openapi/pkg/validation v0.36.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.gofmt import plain, quoted, shown
from btcctl.apiserver.machinery.json_values import deep_equal
from btcctl.apiserver.schemas import formats, patterns
from btcctl.apiserver.schemas.correlation import Correlated
from btcctl.apiserver.schemas.facts import facts_of, quick_matches

Schema = Mapping[str, Any]
INT_OR_STRING = "x-kubernetes-int-or-string"
_INT64, _INT_LIMITS = 2**63, {"int32": 2**31}
_NUMBER_FORMATS = {"integer": {"int32", "int64"}, "number": {"float", "double"}}
_MOST_EXACT = 2**53 - 1  # the whole numbers a float holds exactly
_JUNCTORS = frozenset({"anyOf", "oneOf", "allOf", "not"})
#: Of all texts that are kept: each of a thousand items may be told of the thousands of values that it may have.
_MOST_CHARACTERS = 16_000_000
#: Of anyOf and its like, in all values of one object: each of its thousands of items may have hundreds.
_MOST_ALTERNATIVES = 200_000
_TYPE_NAMES = frozenset({"apiVersion", "kind"})
_PYTHON_TYPES: Mapping[str, type] = {"object": dict, "array": list, "string": str, "boolean": bool}
_NEARLY = 1e-9  # how near a float must be to a whole number to be taken for one


class Problem(NamedTuple):
    """A complaint. Two with the same text are one.

    Attributes:
        name: Where, below the value that is checked; None for a complaint that names no field.
        message: What a cause says.
    """

    text: str
    reason: str
    message: str
    name: str | None


@dataclass(slots=True)
class Result:
    """Problems by their texts, and how many checks went well: of alternatives the best is reported."""

    by_text: dict[str, Problem] = field(default_factory=dict)
    matches: int = 0
    _characters: int = 0

    def add(self, *problems: Problem) -> None:
        """
        Raises:
            StatusError: More is wrong than is told of.
        """
        for problem in problems:
            if self.by_text.setdefault(problem.text, problem) is problem:
                self._characters += len(problem.text) + len(problem.message)
        if self._characters > _MOST_CHARACTERS:
            raise errors.too_long_causes()

    def merge(self, other: Result) -> None:
        if other.by_text:
            self.add(*other.by_text.values())
        self.matches += other.matches


def validate(schema: Schema, value: Any, base: str = "", node: Correlated | None = None) -> list[Cause]:
    """What is wrong with a value.

    Args:
        base: The field the value stands in; messages do not name it, causes do.
        node: How it was before: what is unchanged is not complained of.
    """
    _left.alternatives = _MOST_ALTERNATIVES
    return [_cause(each, base) for each in _checked(schema, value, "", node).by_text.values()]


class _Left(threading.local):
    """How many alternatives may still be looked at, in one thread's call."""

    alternatives = 0


_left = _Left()


def _alternatives(schemas: Any, value: Any, path: str, node: Correlated | None) -> Iterator[Result]:
    """
    Raises:
        StatusError: 501, a real server takes its time for so many.
    """
    for each in schemas or ():
        if _left.alternatives <= 0:
            raise errors.not_implemented(f"an object with more than {_MOST_ALTERNATIVES} alternatives to look at")
        _left.alternatives -= 1
        yield _check(each, value, path, node)


def _cause(problem: Problem, base: str) -> Cause:
    name = (problem.name or "").removeprefix(".")
    place = f"{base}.{name}" if base and name else base or name
    return Cause(problem.reason, problem.message, place or "<nil>")


def _checked(schema: Schema, value: Any, path: str, node: Correlated | None) -> Result:
    result = _check(schema, value, path, node)
    if result.by_text and node is not None and node.equal():
        result.by_text = {}
    return result


def _check(schema: Schema, value: Any, path: str, node: Correlated | None) -> Result:
    result = Result()
    if value is None:
        _check_type(schema, value, path, result)
        _check_enum(schema, value, path, result)
        return result
    if schema.get("type") or _types(schema) or _format(schema):
        _check_type(schema, value, path, result)
        result.matches += 1
    _check_junctors(schema, value, path, node, result)
    if isinstance(value, str):
        _check_string(schema, value, path, result)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        _check_number(schema, _number(value), path, result)
    elif isinstance(value, list):
        _check_list(schema, value, path, node, result)
    elif isinstance(value, dict):
        _check_object(schema, value, path, node, result)
    _check_enum(schema, value, path, result)
    result.matches += 4
    return result


def _types(schema: Schema) -> list[str]:
    if schema.get(INT_OR_STRING):
        return ["integer", "string"]
    return [schema["type"]] if schema.get("type") else []


def _format(schema: Schema) -> str:
    """The format, "" if it means nothing for the type."""
    name, types = schema.get("format") or "", _types(schema)
    wanted = types[0] if len(types) == 1 else ""
    if wanted in {"", "string"}:
        return name if formats.is_known(name) else ""
    return name if name in _NUMBER_FORMATS.get(wanted, ()) else ""


def _check_type(schema: Schema, value: Any, path: str, result: Result) -> None:
    if type(value) is _PYTHON_TYPES.get(schema.get("type") or "") and not schema.get(INT_OR_STRING):
        result.matches += 1
        return
    types, format_ = _types(schema), _format(schema)
    if value is None:
        if types and not schema.get("nullable"):
            result.add(_type_problem(path, ",".join(types), "null"))
        else:
            result.matches += 1
        return
    found, found_format = _json_type(value)
    is_whole = found == "number" and _is_whole(value) and "integer" in types
    fits = found in types or is_whole or (found == "integer" and "number" in types)
    numeric = "number" in types or "integer" in types
    if format_ and not isinstance(value, str | list) and not fits and found_format != format_:
        result.add(_type_problem(path, format_, found_format))
    elif fits or (format_ and isinstance(value, str | list) and not numeric):
        result.matches += 1
    else:
        result.add(_type_problem(path, ",".join(types), found))


def _json_type(value: Any) -> tuple[str, str]:
    if isinstance(value, bool):
        return "boolean", ""
    if isinstance(value, int) and -_INT64 <= value < _INT64:
        return "integer", "int64"
    if isinstance(value, int | float):
        return "number", "float64"
    return ("string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"), ""


def _number(value: float) -> float:
    """A whole number too large for 64 bits is a float to a server."""
    return float(value) if isinstance(value, int) and not -_INT64 <= value < _INT64 else value


def _is_whole(value: float) -> bool:
    if not -_MOST_EXACT <= value <= _MOST_EXACT:
        return False
    whole = int(value)
    return value == whole or abs(value - whole) / (abs(value) + abs(whole)) < _NEARLY


def _type_problem(path: str, wanted: str, found: str) -> Problem:
    text = f"{path} in body must be of type {wanted}: {quoted(found)}"
    return Problem(text, "FieldValueTypeInvalid", f"Invalid value: {quoted(found)}: {text}", path)


def _problem(path: str, value: Any, complaint: str) -> Problem:
    text = f"{path} in body {complaint}"
    return Problem(text, "FieldValueInvalid", f"Invalid value: {shown(value)}: {text}", path)


def _unplaced(text: str) -> Problem:
    return Problem(text, "FieldValueInvalid", f'Invalid value: "": {text}', None)


def _check_enum(schema: Schema, value: Any, path: str, result: Result) -> None:
    allowed = schema.get("enum")
    if not allowed or (type(value) is str and value in facts_of(schema).texts):
        return
    if any(_is_one_of_enum(value, each) for each in allowed):
        return
    listed = ", ".join(quoted(each if isinstance(each, str) else shown(each)) for each in allowed)
    message = f"Unsupported value: {shown(value)}: supported values: {listed}"
    result.add(Problem(f"{path} in body should be one of {plain(allowed)}", "FieldValueNotSupported", message, path))


def _is_one_of_enum(value: Any, allowed: Any) -> bool:
    """Numbers are converted to the type of the allowed one, 1.5 to 1 too, as upstream does."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and isinstance(allowed, int) and not isinstance(allowed, bool):
        return int(value) == allowed
    if is_number and isinstance(allowed, float):
        return float(value) == allowed
    return value is not None and deep_equal(value, allowed)


def _check_junctors(schema: Schema, value: Any, path: str, node: Correlated | None, result: Result) -> None:
    result.matches += 1
    if not _JUNCTORS.intersection(schema):
        return
    where = quoted(path)
    _check_any_of(schema, value, path, node, result)
    one_of = list(_alternatives(schema.get("oneOf"), value, path, node))
    if one_of:
        good = [each for each in one_of if not each.by_text]
        if len(good) == 1:
            result.merge(good[0])
        else:
            found = f"Found {len(good)} valid alternatives" if good else "Found none valid"
            result.add(_unplaced(f"{where} must validate one and only one schema (oneOf). {found}"))
            if one_of[-1].by_text and not good:
                result.merge(_best(one_of))
    all_of = list(_alternatives(schema.get("allOf"), value, path, node))
    for each in all_of:
        result.merge(each)
    if any(each.by_text for each in all_of):
        none = "" if any(not each.by_text for each in all_of) else ". None validated"
        result.add(_unplaced(f"{where} must validate all the schemas (allOf){none}"))
    if schema.get("not") is not None and not _check(schema["not"], value, path, node).by_text:
        result.add(_unplaced(f"{where} must not validate the schema (not)"))


def _check_any_of(schema: Schema, value: Any, path: str, node: Correlated | None, result: Result) -> None:
    tried: list[Result] = []
    for each in _alternatives(schema.get("anyOf"), value, path, node):
        tried.append(each)
        if not each.by_text:
            result.merge(each)
            return
    if tried:
        result.add(_unplaced(f"{quoted(path)} must validate at least one schema (anyOf)"))
        result.merge(_best(tried))


def _best(results: list[Result]) -> Result:
    return max(results, key=lambda each: each.matches)


def _check_string(schema: Schema, value: str, path: str, result: Result) -> None:
    longest, shortest, pattern = schema.get("maxLength"), schema.get("minLength"), schema.get("pattern")
    if longest is not None and len(value) > longest:
        text = f"{path} in body should be at most {longest} chars long"
        result.add(
            Problem(text, "FieldValueTooLong", f"Too long: may not be more than {_counted(longest, 'byte')}", path)
        )
    elif shortest is not None and len(value) < shortest:
        result.add(_problem(path, value, f"should be at least {shortest} chars long"))
    elif pattern and not patterns.is_found(pattern, value):
        result.add(_problem(path, value, f"should match '{pattern}'"))
    format_ = _format(schema)
    if format_ and not formats.fits(format_, value):
        result.add(_type_problem(path, format_, value))


def _check_number(schema: Schema, value: float, path: str, result: Result) -> None:
    result.matches += 1
    result.add(*_range_problems(schema, value, "Checked", path))
    step, low, high = schema.get("multipleOf"), schema.get("minimum"), schema.get("maximum")
    if step is not None:
        result.add(*_range_problems(schema, step, "MultipleOf", path), *_step_problems(schema, value, step, path))
    if low is not None:
        result.add(*_range_problems(schema, low, "Minimum boundary", path))
        low, strict = _limit(schema, value, low), schema.get("exclusiveMinimum")
        if value <= low if strict else value < low:
            bound = "greater than" if strict else "greater than or equal to"
            result.add(_problem(path, value, f"should be {bound} {plain(low)}"))
    if high is not None:
        result.add(*_range_problems(schema, high, "Maximum boundary", path))
        high, strict = _limit(schema, value, high), schema.get("exclusiveMaximum")
        if value >= high if strict else value > high:
            bound = "less than" if strict else "less than or equal to"
            result.add(_problem(path, value, f"should be {bound} {plain(high)}"))


def _limit(schema: Schema, value: float, limit: float) -> float:
    """The limit an integer is held against is cut to an integer, unless that is wrong for the type."""
    is_integer = isinstance(value, int) and not list(_range_problems(schema, limit, "", ""))
    return int(limit) if is_integer else float(limit)


def _range_problems(schema: Schema, value: float, prefix: str, path: str) -> Iterator[Problem]:
    types, format_ = _types(schema), _format(schema)
    if types != ["integer"]:
        return
    limit = _INT_LIMITS.get(format_, _INT64)
    if type(value) is int and -limit <= value < limit:
        return
    exact = Decimal(repr(value))  # a float counts as it is printed
    if exact == exact.to_integral_value() and -limit <= exact < limit:
        return
    shape = f"with format {format_}" if format_ else "(default format)"
    yield _unplaced(f"{prefix} value must be of type integer {shape} in {path}")


def _step_problems(schema: Schema, value: float, step: float, path: str) -> Iterator[Problem]:
    if isinstance(value, int) and not list(_range_problems(schema, step, "", "")):
        step = int(step)
        if step > 0 and value % step == 0:
            return
    elif step > 0 and _is_whole(1 / step * value if step < 1 else value / step):
        return
    if step <= 0:
        text = f"factor MultipleOf declared for {path} must be positive: {plain(step)}"
        yield Problem(text, "FieldValueInvalid", f"Invalid value: {shown(step)}: {text}", path)
    else:
        yield _problem(path, value, f"should be a multiple of {plain(step)}")


def _check_list(schema: Schema, value: list[Any], path: str, node: Correlated | None, result: Result) -> None:
    result.matches += 1
    items = schema.get("items")
    if isinstance(items, dict):
        for index, item in enumerate(value):
            if quick := quick_matches(items, item):
                result.matches += quick
            else:
                below = node.index(index) if node is not None else None
                result.merge(_checked(items, item, f"{path}[{index}]", below))
    most, least = schema.get("maxItems"), schema.get("minItems")
    if least is not None and len(value) < least:
        result.add(_problem(path, len(value), f"should have at least {least} items"))
    if most is not None and len(value) > most:
        result.add(_too_many(path, len(value), most, "items"))


def _too_many(path: str, found: int, most: int, what: str) -> Problem:
    text = f"{path} in body should have at most {most} {what}"
    return Problem(text, "FieldValueTooMany", f"Too many: {found}: must have at most {_counted(most, 'item')}", path)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _check_object(schema: Schema, value: Mapping[str, Any], path: str, node: Correlated | None, result: Result) -> None:
    most, least = schema.get("maxProperties"), schema.get("minProperties")
    if least is not None and len(value) < least:
        result.add(_problem(path, len(value), f"should have at least {least} properties"))
    if most is not None and len(value) > most:
        result.add(_too_many(path, len(value), most, "properties"))
    properties, additional = schema.get("properties") or {}, schema.get("additionalProperties")
    for key, item in value.items():
        field = properties.get(key, additional)
        if isinstance(field, dict):
            if quick := quick_matches(field, item):
                result.matches += quick
            else:
                is_named = path or key not in _TYPE_NAMES
                below = node.key(key) if node is not None and is_named else None
                result.merge(_checked(field, item, f"{path}.{key}" if path or key not in properties else key, below))
        elif field is False:
            text = f"{path}.{key} in body is a forbidden property"
            result.add(Problem(text, "FieldValueInvalid", f"Invalid value: {shown(key)}: {text}", path))
    for key in schema.get("required") or ():
        if key not in value:
            text = f"{path}.{key} in body is required"
            result.add(Problem(text, "FieldValueRequired", "Required value", f"{path}.{key}"))
