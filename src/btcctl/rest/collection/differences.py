"""The merge patch (RFC 7386) that makes one JSON object of another. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from btcctl.json_values import is_same_json


def merge_patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """What to send so that `old` becomes `new`: {} if they are the same JSON.

    A list that differs is sent whole. A None in `new` is the absence of the field: a merge patch knows no other.
    """
    patch: dict[str, Any] = {name: None for name, value in old.items() if value is not None and new.get(name) is None}
    for name, value in new.items():
        before = old.get(name)
        if value is None:
            continue
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            inner = merge_patch(before, value)
            if inner:
                patch[name] = inner
        elif not is_same_json(value, before):
            patch[name] = value
    return patch
