"""JSON Merge Patch, as kube-apiserver's library takes it.

Unlike RFC 7386 it leaves nulls that stand in lists alone. Source: gopkg.in/evanphx/json-patch.v4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from btcctl.apiserver.patching.ordering import Opened


def merge(target: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """The target as the patch leaves it; neither argument is changed.

    Returns:
        It, with the keys of each object that was looked into in `Opened` ones.
    """
    merged = Opened(target)
    for key, value in patch.items():
        current = merged.get(key)
        if value is None:
            merged.pop(key, None)
        elif not isinstance(current, Mapping):
            merged[key] = _without_nulls(value)
        else:
            merged[key] = merge(current, value) if isinstance(value, Mapping) else value
    return merged


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Opened((key, _without_nulls(each)) for key, each in value.items() if each is not None)
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value
