"""A server's own structs, which it shows where it says what an update would have changed.

They are those of the API under other names, in another order, and with everything that nobody set. Drawn from
pkg/apis/core/types.go of kubernetes 1.36.2 into `internal_types.json`: by struct and field, in order, what is in it
and, after a space, its name in the API if that is not the same but for capitals. Compared as
k8s.io/apimachinery/pkg/util/diff 0.36.2 does, whose library has its algorithm from Python's.
"""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from btcctl import codecs
from btcctl.apiserver.machinery.gofmt import HTML_ESCAPES

_MOST_LINES = 4000  # half a second at worst: it grows with their square
_HEAD_LINES = 2  # which name no files
_ZEROS: Mapping[str, Any] = {"string": "", "bool": False, "int": 0, "int-or-string": 0, "quantity": "0", "wire": {}}
#: What the API has in a pod's spec, and the server in its security context.
_OF_THE_HOST = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers")


def difference(struct: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """What is different in two values of a struct, as a unified diff; "" for values of more than `_MOST_LINES`.

    Args:
        struct: Its name in the server: "PodSpec".
        old: As the API has it.
    """
    before, after = (_text(_struct(struct, each)) for each in (old, new))
    if max(len(before), len(after)) > _MOST_LINES:
        return ""
    return "".join(list(difflib.unified_diff(before, after))[_HEAD_LINES:])


def as_server(struct: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """A value of the API as the server's own struct of that name, to be shown."""
    return _struct(struct, value)


def _text(value: Any) -> list[str]:
    text = json.dumps(value, indent=1, ensure_ascii=False).translate(HTML_ESCAPES)
    return [f"{line}\n" for line in text.split("\n")]


def _struct(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    if name == "PodSpec":
        own = {each: value[each] for each in _OF_THE_HOST if each in value}
        value = {**value, "securityContext": {**(value.get("securityContext") or {}), **own}}
    known = {key.lower(): each for key, each in value.items()}
    found: dict[str, Any] = {}
    for field, expression in _structs()[name].items():
        type_, _, renamed = expression.partition(" ")
        each = known.get((renamed or field).lower())
        found |= _sorted_below(each or {}) if type_ == "inline" else {field: _value(type_, each)}
    return found


def _value(type_: str, value: Any) -> Any:
    if type_[:1] == "*":
        return None if value is None else _value(type_[1:], value)
    if type_[:2] in {"[]", "{}"}:
        if not value:
            return None
        if isinstance(value, Mapping):
            return {key: _value(type_[2:], value[key]) for key in sorted(value)}
        return [_value(type_[2:], each) for each in value]
    if type_ in _ZEROS:
        return _ZEROS[type_] if value is None else _sorted_below(value)
    return _struct(type_, value or {})


def _sorted_below(value: Any) -> Any:
    """A part that is as in the API: its fields are in their order, and maps in that of their keys."""
    return {key: _sorted(each) for key, each in value.items()} if isinstance(value, Mapping) else value


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list) else value


@functools.cache
def _structs() -> Mapping[str, Mapping[str, str]]:
    found: Mapping[str, Mapping[str, str]] = codecs.decode(
        (resources.files(__package__) / "internal_types.json").read_bytes()
    )
    return found
