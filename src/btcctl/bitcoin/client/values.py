"""JSON that keeps numbers as they were written: an amount must not become another one on its way."""

from __future__ import annotations

import json
from typing import Any, NoReturn


class Number(str):
    """The text of a JSON number."""

    __slots__ = ()


def parse(text: str) -> Any:
    """Decode; every number is a `Number`.

    Raises:
        ValueError: It is no JSON.
    """
    return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=_refuse)


def compact(value: Any) -> str:
    """On one line, as it goes to the node."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quoted(name)}:{compact(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact, value)) + "]"
    return _scalar(value)


def pretty(value: Any, depth: int = 0) -> str:
    """For people, indented by two; an empty list or object takes two lines, as bitcoin-cli prints it."""
    inner, outer = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict):
        fields = [f"{inner}{_quoted(name)}: {pretty(each, depth + 1)}" for name, each in value.items()]
        return "\n".join(["{", *([",\n".join(fields)] if fields else []), f"{outer}}}"])
    if isinstance(value, list):
        items = [f"{inner}{pretty(each, depth + 1)}" for each in value]
        return "\n".join(["[", *([",\n".join(items)] if items else []), f"{outer}]"])
    return _scalar(value)


def shown(result: Any) -> str:
    """A result as it is printed: strings without their quotes, null as nothing."""
    if result is None:
        return ""
    return result if isinstance(result, str) else pretty(result)


def _scalar(value: Any) -> str:
    if isinstance(value, Number):
        return str(value)
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
