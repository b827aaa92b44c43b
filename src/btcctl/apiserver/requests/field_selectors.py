"""Selectors: which objects a request is about. Field selectors, and those of labels in objects."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.labels import all_of, parse_labels
from btcctl.apiserver.served.registry import Served
from btcctl.apiserver.storage.collection import Body
from btcctl.apiserver.storage.conversions import as_served

_COMMON_FIELDS = ("metadata.name", "metadata.namespace")


def select(served: Served, namespace: str, labels: str, fields: str) -> Callable[[Body], bool]:
    """A predicate over bodies for a request's namespace and selectors.

    Raises:
        StatusError: A selector has wrong syntax or an unknown field.
    """
    has_labels = all_of(parse_labels(labels))
    wanted: dict[str, tuple[set[str], set[str]]] = {}  # by path: what the field has to be, and what it must not be
    for path, is_equal, value in parse_fields(served, fields):
        wanted.setdefault(path, (set(), set()))[0 if is_equal else 1].add(value)

    def matches(body: Body) -> bool:
        metadata = body["metadata"]
        if namespace and metadata.get("namespace") != namespace:
            return False
        if not has_labels(metadata.get("labels") or {}):
            return False
        seen = body if served.stored_as is None else as_served(body, served.type.api_version)
        for path, (equal, unequal) in wanted.items():
            value = field_value(seen, path)
            if value in unequal or not equal <= {value}:
                return False
        return True

    return matches


def parse_fields(served: Served, text: str) -> list[tuple[str, bool, str]]:
    """Path, whether equal is wanted (not unequal), and value of each term.

    Raises:
        StatusError: Its syntax is wrong, or the kind cannot be selected by that field.
    """
    terms = split_fields(text)
    for path, _, _ in terms:
        _check_field(served, path)
    return terms


def split_fields(text: str) -> list[tuple[str, bool, str]]:
    """The same for any kind.

    Raises:
        StatusError: Its syntax is wrong.
    """
    terms = []
    for part in re.split(r"(?<!\\),", text) if text else []:
        if not part:
            continue
        found = re.match(r"(?P<path>[^=!]*)(?P<operator>==|!=|=)(?P<value>.*)$", part, re.DOTALL)
        if found is None:
            raise errors.bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        path = found["path"]
        if not path and not found["value"]:
            continue
        terms.append((path, found["operator"] != "!=", re.sub(r"\\([\\,=])", r"\1", found["value"])))
    return terms


def field_value(body: Body, path: str) -> str:
    """What a field selector compares: "" for what is absent."""
    if path == "source":
        return str((body.get("source") or {}).get("component") or body.get("reportingComponent") or "")
    if path == "status.successful":  # of Jobs, which call it otherwise
        return str((body.get("status") or {}).get("succeeded") or 0)
    value: Any = body
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "false" if path in {"spec.unschedulable", "spec.hostNetwork"} else ""
    return str(value)


def _check_field(served: Served, path: str) -> None:
    if path in _COMMON_FIELDS:
        return
    known = served.kind.selectable_fields
    if known is not None and path in known:
        return
    if served.type.group_resource == "jobs.batch":
        raise errors.bad_request(f'field label "{path}" not supported for Job')
    if known is not None:
        raise errors.bad_request(f"field label not supported: {path}")
    common = ", ".join(f'"{each}"' for each in _COMMON_FIELDS)
    raise errors.bad_request(f'"{path}" is not a known field selector: only {common}')
