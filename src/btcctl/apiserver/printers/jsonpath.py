"""The JSONPath of Kubernetes' printer columns.

Fields (`.a.b`, `['a']`), indexes and slices (`[0]`, `[-1:]`), all (`[*]`, `.*`), any depth (`..a`), several
(`[0,2]`), and filters (`[?(@.type=="Ready")]`, `[?(@.a)]`). Source: k8s.io/client-go/util/jsonpath.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from btcctl.apiserver.machinery.integers import saturated

#: At any step: `..a..a..a` leads to a value by every way there is, of which there may be as many as atoms.
_MOST_VALUES = 100_000
#: From all values that were found so far to those they lead to.
Step = Callable[[Sequence[Any]], list[Any]]

_TOKEN = re.compile(
    r"""
    (?P<deep>\.\.)(?P<deep_field>[^\W\d](?:\\.|[^\s.,\[\]$@{}\\])*)?
  | \.(?P<field>(?:\\.|[^\s.,\[\]$@{}\\])+)
  | \[\?\((?P<filter>(?:[^"')]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*)\)\]
  | \[(?P<array>[^\]\n]*)\]
    """,
    re.VERBOSE,
)
_SLICE = re.compile(r"(-?\d*)(:-?\d*)?(:-?\d*)?")
_COMPARED = re.compile(r"([^!<>=]+)([!<>=]+)(.+)", re.DOTALL)
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda left, right: bool(left == right),
    "!=": lambda left, right: bool(left != right),
    "<": lambda left, right: bool(left < right),
    "<=": lambda left, right: bool(left <= right),
    ">": lambda left, right: bool(left > right),
    ">=": lambda left, right: bool(left >= right),
}


def find(path: str, value: Any) -> list[Any]:
    """Everything `path` leads to, in order; [] if it leads nowhere.

    Raises:
        ValueError: The path is malformed, or does not fit the value.
    """
    return _walked(_parse(path), [value])


def _walked(steps: Iterable[Step], values: list[Any]) -> list[Any]:
    for step in steps:
        values = step(values)
    return values


def _listed(values: Iterable[Any]) -> list[Any]:
    """
    Raises:
        ValueError: There are more than any path is followed to.
    """
    found = list(islice(values, _MOST_VALUES + 1))
    if len(found) > _MOST_VALUES:
        raise ValueError("JSONPath: leads to too many values")
    return found


@lru_cache(maxsize=1024)
def _parse(path: str) -> tuple[Step, ...]:
    text = path.strip().removeprefix("{").removesuffix("}").lstrip("$@")
    steps: list[Step] = []
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise ValueError(f"JSONPath {path!r}: cannot understand {text[position:]!r}")
        steps += _steps(token)
        position = token.end()
    return tuple(steps)


def _steps(token: re.Match[str]) -> list[Step]:
    if token["deep"] is not None:
        return [_deep, *([_field(token["deep_field"])] if token["deep_field"] else [])]
    if token["field"] is not None:
        return [_all if token["field"] == "*" else _field(token["field"])]
    if token["filter"] is not None:
        return [_filter(token["filter"])]
    return _array(token["array"])


def _array(text: str) -> list[Step]:
    parts = [part.strip(" ") for part in text.split(",")]
    if len(parts) > 1:
        return [_union([_array(part) for part in parts])]
    if len(text) > 1 and text[0] == text[-1] == "'":
        return list(_parse(f".{text[1:-1]}"))  # so that a dot in it is one, unless it is escaped
    found = _SLICE.fullmatch(":" if text == "*" else text)
    if found is None:
        raise ValueError(f"JSONPath: invalid array index {text}")
    begin, end, step = (None if not part or part == ":" else saturated(part.lstrip(":")) for part in found.groups())
    return [_slice(begin, end, step, is_one=found[2] is None)]


def _field(name: str) -> Step:
    key = name.replace("\\", "")
    return lambda values: [each[key] for each in values if isinstance(each, dict) and key in each]


def _slice(begin: int | None, end: int | None, step: int | None, *, is_one: bool) -> Step:
    def found_in(values: Sequence[Any]) -> Iterator[Any]:
        for value in values:
            if value is None:
                continue
            if not isinstance(value, list):
                raise ValueError("JSONPath: not an array")  # noqa: TRY004 - it is the path that does not fit
            first = begin or 0
            first += len(value) if first < 0 else 0
            last = first + 1 if is_one else len(value) if end is None else end + len(value) * (end < 0)
            if first == last:
                return
            if not (0 <= first < len(value) and 0 <= last <= len(value) and first <= last):
                raise ValueError("JSONPath: array index out of bounds")
            if step is not None and step <= 0:
                raise ValueError("JSONPath: step must be > 0")
            yield from islice(value, first, last, step or 1)

    return lambda values: _listed(found_in(values))


def _union(parts: Sequence[Sequence[Step]]) -> Step:
    return lambda values: _listed(each for steps in parts for each in _walked(steps, list(values)))


def _all(values: Sequence[Any]) -> list[Any]:
    return _listed(each for value in values for each in _inside(value))


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, str):
        return value.encode()  # numbers, as a text of Go's has
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _deep(values: Sequence[Any]) -> list[Any]:
    return _listed(each for value in values for each in _collections(value))


def _collections(value: Any) -> Iterator[Any]:
    """What has something in it, at every depth; the outer first."""
    left = [value]
    while left:
        each = left.pop()
        if each and isinstance(each, dict | list | str):
            yield each
        if isinstance(each, dict | list):
            left += reversed(list(_inside(each)))


def _filter(text: str) -> Step:
    compared = _COMPARED.fullmatch(text)
    if compared is None:
        steps = _parse(text.strip())
        return lambda values: [each for each in _items(values) if _walked(steps, [each])]
    left, right = _parse(compared[1].strip()), _operand(compared[3].strip())
    holds = _OPERATORS.get(compared[2])

    def matches(item: Any) -> bool:
        lefts, rights = _walked(left, [item]), right([item])
        if not lefts or not rights:
            return False
        types = {type(each) for each in (*lefts[:1], *rights[:1])}
        if holds is None or len(lefts) > 1 or len(rights) > 1 or len(types) > 1 or None in lefts:
            raise ValueError("JSONPath: cannot compare these")
        try:
            return holds(lefts[0], rights[0])
        except TypeError as error:
            raise ValueError(f"JSONPath: {error}") from error

    return lambda values: [each for each in _items(values) if matches(each)]


def _items(values: Sequence[Any]) -> list[Any]:
    if not all(isinstance(each, list) for each in values):
        raise ValueError("JSONPath: not an array, which cannot be filtered")
    return _listed(each for value in values for each in value)


def _operand(text: str) -> Step:
    if text[0] in "@$.":
        steps = _parse(text)
        return lambda values: _walked(steps, list(values))
    literal = _literal(text)
    return lambda _: [literal]


def _literal(text: str) -> Any:
    if text[0] in "'\"" and text[-1] == text[0] and len(text) > 1:
        return text[1:-1]
    if text in {"true", "false"}:
        return text == "true"
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"JSONPath: {text!r} is neither a text, a number nor a boolean") from None
