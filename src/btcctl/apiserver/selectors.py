"""Label and field selectors: parsing, with a real server's complaints, and matching."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from btcctl.apiserver import statuses
from btcctl.apiserver.collection import Body
from btcctl.apiserver.registry import Served

_TOKEN = re.compile(r"\s*(!=|==|[=!<>(),]|[^\s=!<>(),]+)")
_SYMBOLS = frozenset({"!=", "==", "=", "!", "<", ">", "(", ")", ","})
_OPERATORS = frozenset({"in", "notin", "=", "==", "!=", "<", ">"})
_COMMON_FIELDS = ("metadata.name", "metadata.namespace")

# Source: each kind's AddFieldLabelConversionFunc and ToSelectableFields in Kubernetes 1.36.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "pods": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    "events": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    "namespaces": ("status.phase",),
    "nodes": ("spec.unschedulable",),
    "secrets": ("type",),
    "services": ("spec.clusterIP", "spec.type"),
}


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
            number, bound = int(value or ""), int(next(iter(self.values)))
        except ValueError:
            return False
        return number > bound if self.operator == "gt" else number < bound


def parse_labels(text: str) -> tuple[Requirement, ...]:
    """
    Raises:
        StatusError: Its syntax is wrong.
    """
    return tuple(_Parser(text).requirements())


def select(served: Served, namespace: str, labels: str, fields: str) -> Callable[[Body], bool]:
    """A predicate over bodies for a request's namespace and selectors.

    Raises:
        StatusError: A selector has wrong syntax or an unknown field.
    """
    requirements = parse_labels(labels)
    terms = parse_fields(served, fields)

    def matches(body: Body) -> bool:
        metadata = body["metadata"]
        if namespace and metadata.get("namespace") != namespace:
            return False
        own = metadata.get("labels") or {}
        if not all(each.matches(own) for each in requirements):
            return False
        return all((field_value(body, path) == value) == equal for path, equal, value in terms)

    return matches


def parse_fields(served: Served, text: str) -> list[tuple[str, bool, str]]:
    """Path, whether equal is wanted (not unequal), and value of each term.

    Raises:
        StatusError: Its syntax is wrong, or the kind cannot be selected by that field.
    """
    terms = []
    for part in re.split(r"(?<!\\),", text) if text else []:
        if not part:
            continue
        found = re.match(r"(?P<path>[^=!]*)(?P<operator>==|!=|=)(?P<value>.*)$", part, re.DOTALL)
        if found is None:
            raise statuses.bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        path = found["path"]
        _check_field(served, path)
        terms.append((path, found["operator"] != "!=", re.sub(r"\\([\\,=])", r"\1", found["value"])))
    return terms


def field_value(body: Body, path: str) -> str:
    """What a field selector compares: "" for what is absent."""
    if path == "source":
        return str((body.get("source") or {}).get("component") or body.get("reportingComponent") or "")
    value: Any = body
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "false" if path in {"spec.unschedulable", "spec.hostNetwork"} else ""
    return str(value)


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


def _check_field(served: Served, path: str) -> None:
    if path in _COMMON_FIELDS:
        return
    known: Sequence[str] = served.selectable_fields if served.is_custom else _FIELDS.get(served.type.plural, ())
    if path in known:
        return
    if served.is_custom or known:
        raise statuses.bad_request(f"field label not supported: {path}")
    common = ", ".join(f'"{each}"' for each in _COMMON_FIELDS)
    raise statuses.bad_request(f'"{path}" is not a known field selector: only {common}')


class _Parser:
    """The grammar of k8s.io/apimachinery/pkg/labels."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = [*_TOKEN.findall(text), ""]
        self._at = 0

    def requirements(self) -> Iterator[Requirement]:
        if self._peek() == "":
            return
        while True:
            yield self._requirement()
            word = self._next()
            if not word:
                return
            if word != ",":
                raise statuses.bad_request(f"found '{word}', expected: ',' or 'end of string'")
            if self._peek() in _SYMBOLS - {"!"} or not self._peek():
                raise statuses.bad_request(f"found '{self._peek()}', expected: identifier after ','")

    def _requirement(self) -> Requirement:
        word = self._next()
        if word in _SYMBOLS:
            if word.startswith("!") and word != "!=":
                return Requirement(self._next(), "!")
            raise statuses.bad_request(f"found '{word}', expected: !, identifier, or 'end of string'")
        if self._peek() in {"", ","}:
            return Requirement(word, "exists")
        operator = self._next()
        if operator not in _OPERATORS:
            expected = "in, notin, =, ==, !=, gt, lt"
            raise statuses.bad_request(f"unable to parse requirement: found '{operator}', expected: {expected}")
        if operator in {"in", "notin"}:
            return Requirement(word, operator, frozenset(self._set()))
        value = "" if self._peek() in {"", ","} else self._next()
        return self._comparison(word, operator, value)

    @staticmethod
    def _comparison(key: str, operator: str, value: str) -> Requirement:
        if operator in {"<", ">"}:
            if not value.lstrip("-").isdecimal():
                why = "for 'Gt', 'Lt' operators, the value must be an integer"
                raise statuses.bad_request(f'values[0][{key}]: Invalid value: "{value}": {why}')
            return Requirement(key, "gt" if operator == ">" else "lt", frozenset({value}))
        return Requirement(key, "notin" if operator == "!=" else "in", frozenset({value}))

    def _set(self) -> Iterator[str]:
        opening = self._next()
        if opening != "(":
            raise statuses.bad_request(f"unable to parse requirement: found '{opening}', expected: '('")
        while True:
            word = self._next()
            if word in {")", ","}:  # an empty value
                yield ""
                separator = word
            else:
                yield word
                separator = self._next()
            if separator == ")":
                return
            if separator != ",":
                raise statuses.bad_request(f"unable to parse requirement: found '{separator}', expected: ',' or ')'")

    def _peek(self) -> str:
        return self._tokens[self._at]

    def _next(self) -> str:
        word = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return word
