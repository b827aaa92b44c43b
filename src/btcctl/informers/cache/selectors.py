"""Label selectors, as the API server reads them, for objects that are in a cache already. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

Labels: TypeAlias = Mapping[str, str]
LabelSelector: TypeAlias = Callable[[Labels], bool]

_KEY = r"[A-Za-z0-9][A-Za-z0-9._/-]*"
_REQUIREMENT = re.compile(
    rf"\s*(?:!\s*(?P<absent>{_KEY})"
    rf"|(?P<key>{_KEY})(?:\s*(?P<op>==|=|!=|<|>)\s*(?P<value>[A-Za-z0-9._-]*)"
    r"|\s+(?P<set>in|notin)\s*\((?P<values>[^()]*)\))?)\s*(?:,|$)"
)
_FIELD_EQUALS = re.compile(r"^([^=!]*)==")


def parse_selector(text: str) -> LabelSelector:
    """A test of labels: `a=b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`, `a>1`, `a<1`, joined by commas.

    "" selects everything. As on the server, `!=` and `notin` also select what has no such label.

    Raises:
        TypeError: It is no text.
        ValueError: It is no label selector.
    """
    given: Any = text  # by programs that no type checker has seen
    if not isinstance(given, str):
        raise TypeError(f"a label selector is text like 'app=web,tier!=db', not of type {type(given).__name__}")
    return _parsed(text)


def in_one_spelling(selector: str) -> str:
    """A label selector as everybody writes it who means the same: `b==1, a in (y,x)` is `a in (x,y),b=1`.

    Raises:
        TypeError: It is no text.
        ValueError: It is no label selector.
    """
    parse_selector(selector)
    return ",".join(sorted({_spelled(each) for each in _requirements(selector)}))


def fields_in_one_spelling(selector: str) -> str:
    """Likewise of a field selector: `b==1,a=2` is `a=2,b=1`. What it means, and whether it is one, the server says.

    Raises:
        TypeError: It is no text.
    """
    given: Any = selector  # likewise
    if not isinstance(given, str):
        raise TypeError(f"a field selector is text like 'metadata.name=web', not of type {type(given).__name__}")
    if "\\" in selector:  # with commas and equals signs in its values
        return selector
    terms = {_FIELD_EQUALS.sub(r"\1=", each, count=1) for each in selector.split(",") if each}
    return ",".join(sorted(terms))


@lru_cache(maxsize=256)
def _parsed(text: str) -> LabelSelector:
    requirements = [_requirement(each) for each in _requirements(text)]
    return lambda labels: all(each(labels) for each in requirements)


def _requirements(text: str) -> list[re.Match[str]]:
    found: list[re.Match[str]] = []
    at = 0
    while at < len(text) or text[:at].rstrip().endswith(","):
        match = _REQUIREMENT.match(text, at)
        if match is None:
            raise ValueError(f"{text!r} is no label selector: {text[at:]!r} is no requirement")
        found.append(match)
        at = match.end()
    return found


def _spelled(match: re.Match[str]) -> str:
    if absent := match["absent"]:
        return f"!{absent}"
    key, op, value = match["key"], match["op"] or match["set"], match["value"]
    if op is None:
        return key
    if op in {"<", ">"}:
        return f"{key}{op}{value}"
    values = sorted({value} if match["op"] else {each.strip() for each in match["values"].split(",")})
    if len(values) == 1:
        return f"{key}{'!=' if op in {'!=', 'notin'} else '='}{values[0]}"
    return f"{key} {op} ({','.join(values)})"


def _requirement(match: re.Match[str]) -> LabelSelector:
    if absent := match["absent"]:
        return lambda labels: absent not in labels
    key, op, value = match["key"], match["op"] or match["set"], match["value"]
    if op is None:
        return lambda labels: key in labels
    if op in {"<", ">"}:
        return _comparison(key, op, value)
    values = {value} if match["op"] else {each.strip() for each in match["values"].split(",")}
    if op in {"!=", "notin"}:
        return lambda labels: labels.get(key) not in values
    return lambda labels: labels.get(key) in values


def _comparison(key: str, op: str, limit: str) -> LabelSelector:
    if not _is_integer(limit):
        raise ValueError(f"{key}{op}{limit} is no requirement: {limit!r} is no integer")
    number = int(limit)

    def compare(labels: Labels) -> bool:
        value = labels.get(key, "")
        return _is_integer(value) and (int(value) > number if op == ">" else int(value) < number)

    return compare


def _is_integer(text: str) -> bool:
    return re.fullmatch(r"-?[0-9]{1,18}", text) is not None
