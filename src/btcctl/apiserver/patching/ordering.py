"""The order of the keys in a patched object, which a real server shows when it refuses one.

What a patch has looked into is written again with sorted keys; the rest stays as it was.
"""

from __future__ import annotations

from typing import Any


class Opened(dict[str, Any]):
    """An object whose keys are sorted when it is written."""


def copied(value: Any) -> Any:
    """A deep copy of a JSON value."""
    if isinstance(value, dict):
        return type(value)((key, copied(each)) for key, each in value.items())
    return [copied(each) for each in value] if isinstance(value, list) else value


def written(value: Any) -> Any:
    """The value in plain dicts, each in its order."""
    if isinstance(value, dict):
        keys = sorted(value) if isinstance(value, Opened) else value
        return {key: written(value[key]) for key in keys}
    return [written(each) for each in value] if isinstance(value, list) else value
