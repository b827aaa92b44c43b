"""What `kubectl logs` shows of a log file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_READ_BYTES = 256 << 10


def read_log(path: Path, query: Mapping[str, Any]) -> bytes:
    """The end of a log file as the query wants it; b"" if there is none.

    Args:
        query: Of `pods/log`, with values or lists of values; `tailLines` and `limitBytes` are heeded.
    """
    content, _ = _read(path, query)
    return content


class LogTail:
    """A log file that grows: what `kubectl logs -f` shows.

    Args:
        query: As for `read_log`.
        is_over: Whether nothing more will be written to the file.
    """

    def __init__(self, path: Path, query: Mapping[str, Any], is_over: Callable[[], bool]) -> None:
        self._path = path
        self._is_over = is_over
        self._first, self._at = _read(path, query)
        limit = first_value(query, "limitBytes")
        self._left = int(limit) - len(self._first) if limit else None

    def read(self) -> bytes | None:
        """What has come since the last call, perhaps b""; None: nothing more will come."""
        first, self._first = self._first, b""
        if first:
            return first
        if self._left == 0:
            return None
        is_over = self._is_over()  # asked before the last look at the file
        data = self._read_on()
        return None if is_over and not data else data

    def _read_on(self) -> bytes:
        try:
            with self._path.open("rb") as file:
                file.seek(self._at)
                data = file.read(_READ_BYTES if self._left is None else min(self._left, _READ_BYTES))
        except FileNotFoundError:
            return b""
        self._at += len(data)
        if self._left is not None:
            self._left -= len(data)
        return data


def first_value(query: Mapping[str, Any], name: str) -> str:
    """A query's parameter, "" if it has none of that name."""
    value = query.get(name, "")
    return str(value[0] if isinstance(value, list) and value else value or "")


def _read(path: Path, query: Mapping[str, Any]) -> tuple[bytes, int]:
    """What is wanted of what is there, and where to go on."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return b"", 0
    at = len(content)
    tail, limit = first_value(query, "tailLines"), first_value(query, "limitBytes")
    if tail:
        lines = content.splitlines(keepends=True)
        content = b"".join(lines[max(0, len(lines) - int(tail)) :])
    return (content[: int(limit)], at) if limit else (content, at)
