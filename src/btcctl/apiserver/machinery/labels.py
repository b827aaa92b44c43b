"""Label selectors of a query: the grammar of k8s.io/apimachinery/pkg/labels, and its complaints."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.integers import IntegerError, parse_int
from btcctl.apiserver.machinery.names import label_value_complaints, qualified_name_complaints

_TOKEN = re.compile(r"!=|==|[=!<>(),]|[^\s=!<>(),]+")
_SYMBOLS = frozenset({"!=", "==", "=", "!", "<", ">", "(", ")", ",", ""})
_OPERATORS = {"in": "in", "notin": "notin", "=": "in", "==": "in", "!=": "notin", "<": "lt", ">": "gt"}
_END = "',' or 'end of string'"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One comma-separated part of a label selector."""

    key: str
    operator: str  #: in, notin, exists, !, gt, lt
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.key)
        if self.operator == "in":
            return value in self.values
        if self.operator == "notin":
            return value not in self.values
        if self.operator == "exists":
            return value is not None
        if self.operator == "!":
            return value is None
        return self._compares(value)

    def _compares(self, value: str | None) -> bool:
        try:
            number, bound = parse_int(value or ""), parse_int(next(iter(self.values)))
        except IntegerError:
            return False
        return number > bound if self.operator == "gt" else number < bound


def all_of(requirements: Iterable[Requirement]) -> Callable[[Mapping[str, str]], bool]:
    """Whether labels fulfil all of them: thousands of objects may be listed with thousands of requirements.

    So they are gathered by their keys, and those of keys that an object has not are not looked at one by one.
    """
    needed: set[str] = set()
    gathered: dict[str, dict[str, list[Requirement]]] = {}
    for each in requirements:
        if each.operator not in {"notin", "!"}:
            needed.add(each.key)
        gathered.setdefault(each.key, {}).setdefault(each.operator, []).append(each)
    by_key = {
        key: [_as_one(operator, each) for operator, each in operators.items()] for key, operators in gathered.items()
    }

    def matches(labels: Mapping[str, str]) -> bool:
        if len(needed) > len(labels) or any(key not in labels for key in needed):
            return False
        return all(each.matches(labels) for key in labels for each in by_key.get(key, ()))

    return matches


def _as_one(operator: str, same: list[Requirement]) -> Requirement:
    """What some requirements of one key and one operator come to."""
    first = same[0]
    if operator == "in":
        return Requirement(first.key, operator, frozenset.intersection(*(each.values for each in same)))
    if operator == "notin":
        return Requirement(first.key, operator, frozenset.union(*(each.values for each in same)))
    for each in same[1:] if operator in {"gt", "lt"} else ():
        bounds = [next(iter(one.values)) for one in (first, each)]
        try:
            is_stricter = parse_int(bounds[1]) > parse_int(bounds[0])
        except IntegerError:  # one is beyond 64 bits, which no label fulfils
            first = each if _is_beyond(bounds[1]) else first
            continue
        first = each if is_stricter is (operator == "gt") else first
    return first


def _is_beyond(bound: str) -> bool:
    try:
        parse_int(bound)
    except IntegerError:
        return True
    return False


class _Unreadable(ValueError):
    """What is wrong with one requirement."""


def parse_labels(text: str) -> tuple[Requirement, ...]:
    """
    Raises:
        StatusError: Its syntax is wrong.
    """
    return tuple(_Parser(text).requirements())


class _Parser:
    """One token of look-ahead; the end is the token ""."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = [*_TOKEN.findall(text), ""]
        self._at = 0

    def requirements(self) -> Iterator[Requirement]:
        if self._peek() in _SYMBOLS - {"!", ""}:
            raise _bad(self._peek(), "!, identifier, or 'end of string'")
        while self._peek():
            try:
                yield self._requirement()
            except _Unreadable as error:
                raise errors.bad_request(f"unable to parse requirement: {error}") from error
            word = self._next()
            if word not in {"", ","}:
                raise _bad(word, _END)
            if word and self._peek() in _SYMBOLS - {"!"}:
                raise _bad(self._peek(), "identifier after ','")

    def _requirement(self) -> Requirement:
        absent = self._peek() == "!"
        if absent:
            self._next()
        key = self._identifier()
        if complaints := qualified_name_complaints(key):
            raise _Unreadable(f'<nil>: Invalid value: "{key}": {"; ".join(complaints)}')
        if absent or self._peek() in {"", ","}:
            return Requirement(key, "!" if absent else "exists")
        operator = self._next()
        if operator not in _OPERATORS:
            raise _unexpected(operator, "in, notin, =, ==, !=, gt, lt")
        values = self._set() if operator in {"in", "notin"} else {self._value()}
        _check(key, _OPERATORS[operator], sorted(values))
        return Requirement(key, _OPERATORS[operator], frozenset(values))

    def _value(self) -> str:
        return "" if self._peek() in {"", ","} else self._identifier()

    def _identifier(self) -> str:
        word = self._next()
        if word in _SYMBOLS:
            raise _unexpected(word, "identifier")
        return word

    def _set(self) -> set[str]:
        opening = self._next()
        if opening != "(":
            raise _Unreadable(f"found '{opening}' expected: '('")
        if self._peek() in _SYMBOLS - {",", ")"}:
            raise _unexpected(self._peek(), "',', ')' or identifier")
        values = set()
        while True:  # each turn reads a value, which may be empty, and what ends it
            values.add("" if self._peek() in {",", ")"} else self._identifier())
            separator = self._next()
            if separator == ")":
                return values
            if separator != ",":
                raise _unexpected(separator, "',' or ')'")

    def _peek(self) -> str:
        return self._tokens[self._at]

    def _next(self) -> str:
        word = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return word


def _check(key: str, operator: str, values: list[str]) -> None:
    complaints = []
    for index, value in enumerate(values):
        if operator in {"gt", "lt"} and not re.fullmatch(r"[+-]?\d+", value):
            why = "for 'Gt', 'Lt' operators, the value must be an integer"
            complaints.append(f'values[{index}]: Invalid value: "{value}": {why}')
        if why := "; ".join(label_value_complaints(value)):
            complaints.append(f'values[{index}][{key}]: Invalid value: "{value}": {why}')
    if complaints:
        raise _Unreadable(complaints[0] if len(complaints) == 1 else f"[{', '.join(complaints)}]")


def _unexpected(word: str, expected: str) -> _Unreadable:
    return _Unreadable(f"found '{word}', expected: {expected}")


def _bad(word: str, expected: str) -> errors.StatusError:
    return errors.bad_request(f"found '{word}', expected: {expected}")


def matches_selector(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """A metav1.LabelSelector of an object's spec against labels; an empty one matches everything."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_expression(each).matches(labels) for each in selector.get("matchExpressions") or ())


def selector_text(selector: Mapping[str, Any] | None) -> str:
    """A metav1.LabelSelector as a query would write it: a Scale's `status.selector`."""
    if not selector:
        return ""
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for each in selector.get("matchExpressions") or ():
        key, operator, values = each["key"], each["operator"].lower(), ",".join(sorted(each.get("values") or ()))
        parts.append({"exists": key, "doesnotexist": f"!{key}"}.get(operator, f"{key} {operator} ({values})"))
    return ",".join(parts)


def _expression(expression: Mapping[str, Any]) -> Requirement:
    operator = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}.get(expression["operator"], "in")
    return Requirement(expression["key"], operator, frozenset(expression.get("values") or ()))
