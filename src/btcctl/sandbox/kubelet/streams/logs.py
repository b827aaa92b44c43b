"""What `kubectl logs` shows of a log file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from btcctl.clock import rfc3339_micro

TRUE = frozenset({"1", "true", "True"})  #: as flags stand in queries
_READ_BYTES = 256 << 10

InstantOf = Callable[[int], datetime]  #: when the byte at an offset was written


@dataclass(frozen=True, slots=True)
class LogOptions:
    """What of a log is wanted.

    Attributes:
        tail: How many of the last lines; None for all.
        limit: How many bytes.
        since: Lines from then on.
        stamped: Each line begins with its time.
    """

    tail: int | None = None
    limit: int | None = None
    since: datetime | None = None
    stamped: bool = False

    @classmethod
    def of(cls, query: Mapping[str, Any], now: datetime) -> Self:
        """Read them from the query of `pods/log`, which was checked; with values or lists of values."""
        tail, limit = first_value(query, "tailLines"), first_value(query, "limitBytes")
        seconds, time = first_value(query, "sinceSeconds"), first_value(query, "sinceTime")
        since = now - timedelta(seconds=int(seconds)) if seconds else None
        return cls(
            tail=int(tail) if tail else None,
            limit=int(limit) if limit else None,
            since=datetime.fromisoformat(time) if time else since,
            stamped=first_value(query, "timestamps") in TRUE,
        )


def read_log(path: Path, options: LogOptions, instant_of: InstantOf) -> bytes:
    """What is wanted of a log file; b"" if there is none."""
    content, _ = _read(path, options, instant_of)
    return content


class LogTail:
    """A log file that grows: what `kubectl logs -f` shows.

    Args:
        is_over: Whether nothing more will be written to the file.
    """

    def __init__(self, path: Path, options: LogOptions, instant_of: InstantOf, is_over: Callable[[], bool]) -> None:
        self._path = path
        self._is_over = is_over
        self._instant_of = instant_of
        self._first, self._at = _read(path, options, instant_of)
        self._left = None if options.limit is None else options.limit - len(self._first)
        self._stamped = options.stamped
        self._at_line_start = not self._first or self._first.endswith(b"\n")

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
                data = file.read(_READ_BYTES)
        except FileNotFoundError:
            return b""
        begin, self._at = self._at, self._at + len(data)
        if self._stamped and data:
            starts, self._at_line_start = self._at_line_start, data.endswith(b"\n")
            data = _stamped(data, begin, self._instant_of, starts=starts)
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        return data


def first_value(query: Mapping[str, Any], name: str) -> str:
    """A query's parameter, "" if it has none of that name."""
    value = query.get(name, "")
    return str(value[0] if isinstance(value, list) and value else value or "")


def _read(path: Path, options: LogOptions, instant_of: InstantOf) -> tuple[bytes, int]:
    """What is wanted of what is there, and where to go on."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return b"", 0
    end, begin = len(content), 0
    if options.since is not None:
        begin = _first_since(content, options.since, instant_of)
    if options.tail is not None:
        lines = _lines(content[begin:])
        begin += sum(map(len, lines[: max(0, len(lines) - options.tail)]))
    content = content[begin:]
    if options.stamped:
        content = _stamped(content, begin, instant_of, starts=True)
    return (content if options.limit is None else content[: options.limit]), end


def _first_since(content: bytes, since: datetime, instant_of: InstantOf) -> int:
    """Where the first line begins that was written at that time or later: times only grow."""
    begin = 0
    for line in _lines(content):
        if instant_of(begin) >= since:
            break
        begin += len(line)
    return begin


def _stamped(content: bytes, begin: int, instant_of: InstantOf, *, starts: bool) -> bytes:
    """Each line with its time.

    Args:
        begin: Where the content is in the file.
        starts: Its first byte is the first of a line.
    """
    parts = []
    for line in _lines(content):
        if starts:
            parts.append(f"{rfc3339_micro(instant_of(begin))} ".encode())
        parts.append(line)
        begin, starts = begin + len(line), True
    return b"".join(parts)


def _lines(content: bytes) -> list[bytes]:
    """With their ends; a carriage return is no end."""
    *whole, last = content.split(b"\n")
    return [*(line + b"\n" for line in whole), *([last] if last else [])]
