"""What `kubectl logs` shows of a log file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def read_log(path: Path, query: Mapping[str, Any]) -> bytes:
    """The end of a log file as the query wants it; b"" if there is none.

    Args:
        query: Of `pods/log`, with values or lists of values; `tailLines` and `limitBytes` are heeded.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return b""
    tail, limit = first_value(query, "tailLines"), first_value(query, "limitBytes")
    if tail:
        lines = content.splitlines(keepends=True)
        content = b"".join(lines[max(0, len(lines) - int(tail)) :])
    return content[: int(limit)] if limit else content


def first_value(query: Mapping[str, Any], name: str) -> str:
    """A query's parameter, "" if it has none of that name."""
    value = query.get(name, "")
    return str(value[0] if isinstance(value, list) and value else value or "")
