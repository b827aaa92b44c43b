"""The part of Kubernetes' JSONPath that printer columns use.

Fields (`.a.b`, `['a.b']`), indexes (`[0]`, `[-1]`), all (`[*]`, `.*`) and comparing filters
(`[?(@.type=="Ready")]`). Source: k8s.io/client-go/util/jsonpath.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from btcctl.apiserver.machinery.integers import saturated

#: From one value to those it leads to.
Step = Callable[[Any], Iterable[Any]]

_TOKEN = re.compile(
    r"""
    \.(?P<field>(?:\\.|[^.\[\]\\])+)
  | \[(?P<quote>['"])(?P<quoted>.*?)(?P=quote)\]
  | \[(?P<index>-?\d+)\]
  | \[(?P<all>\*)\]
  | \[\?\(\s*@(?P<path>[^=!<>]*?)\s*(?P<operator>==|!=|<=|>=|<|>)\s*(?P<literal>.+?)\s*\)\]
    """,
    re.VERBOSE,
)
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
        ValueError: The path is malformed, or uses what is not supported here.
    """
    found = [value]
    for step in _parse(path):
        found = [each for one in found for each in step(one)]
    return found


@lru_cache(maxsize=1024)
def _parse(path: str) -> tuple[Step, ...]:
    text = path.strip().removeprefix("{").removesuffix("}").removeprefix("$")
    steps = []
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise ValueError(f"JSONPath {path!r}: cannot understand {text[position:]!r}")
        steps.append(_step(token))
        position = token.end()
    return tuple(steps)


def _step(token: re.Match[str]) -> Step:
    if token["index"] is not None:
        return _index(saturated(token["index"]))
    if token["all"] is not None or token["field"] == "*":
        return _all
    if token["operator"] is not None:
        return _filter(token["path"], _OPERATORS[token["operator"]], _literal(token["literal"]))
    name = token["quoted"] if token["quoted"] is not None else token["field"]
    return _field(re.sub(r"\\(.)", r"\1", name))


def _field(name: str) -> Step:
    return lambda value: [value[name]] if isinstance(value, dict) and name in value else []


def _index(index: int) -> Step:
    def step(value: Any) -> list[Any]:
        return [value[index]] if isinstance(value, list) and -len(value) <= index < len(value) else []

    return step


def _all(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _filter(path: str, holds: Callable[[Any, Any], bool], literal: Any) -> Step:
    steps = _parse(path)

    def matches(value: Any) -> bool:
        found = [value]
        for step in steps:
            found = [each for one in found for each in step(one)]
        try:
            return bool(found) and holds(found[0], literal)
        except TypeError:
            return False

    return lambda value: [each for each in _all(value) if matches(each)]


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
