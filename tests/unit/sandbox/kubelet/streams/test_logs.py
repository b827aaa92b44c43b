"""What `kubectl logs` shows of a log file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from btcctl.sandbox.kubelet.streams.logs import LogOptions, LogTail, read_log

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def second_of(offset: int) -> datetime:
    """A log of which each byte took a second, and whose first is a minute old."""
    return NOW - timedelta(seconds=60) + timedelta(seconds=offset)


def wanted(**query: Any) -> LogOptions:
    return LogOptions.of(query, NOW)


def tail_of(path: Path, options: LogOptions, is_over: Any = lambda: False) -> LogTail:
    return LogTail(path, options, second_of, is_over)


@pytest.mark.parametrize(
    ("query", "content"),
    [
        ({}, b"a\nb\nc\n"),
        ({"tailLines": ["2"]}, b"b\nc\n"),
        ({"tailLines": "9"}, b"a\nb\nc\n"),
        ({"tailLines": "0"}, b""),
        ({"limitBytes": ["3"]}, b"a\nb"),
        ({"sinceSeconds": "58"}, b"b\nc\n"),
        ({"sinceSeconds": "57", "tailLines": "5"}, b"c\n"),
        ({"sinceSeconds": "1"}, b""),
        ({"sinceTime": ["2026-01-01T11:59:04Z"]}, b"c\n"),
        ({"timestamps": "true", "tailLines": "1"}, b"2026-01-01T11:59:04.000000Z c\n"),
        ({"timestamps": ["true"], "limitBytes": "31"}, b"2026-01-01T11:59:00.000000Z a\n2"),
    ],
)
def test_the_query_says_how_much_of_a_log(tmp_path, query, content):
    path = tmp_path / "log"
    path.write_bytes(b"a\nb\nc\n")
    assert read_log(path, wanted(**query), second_of) == content


def test_a_log_that_is_not_there_is_empty(tmp_path):
    assert read_log(tmp_path / "none", wanted(), second_of) == b""


def test_a_carriage_return_ends_no_line(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"1%\r2%\r\n")
    assert read_log(path, wanted(tailLines="1"), second_of) == b"1%\r2%\r\n"


def test_a_followed_log_brings_what_was_there_then_what_comes_then_the_end(tmp_path):
    path, over = tmp_path / "log", False
    path.write_bytes(b"one\ntwo\n")
    tail = tail_of(path, wanted(tailLines="1"), lambda: over)
    assert tail.read() == b"two\n"
    assert tail.read() == b""
    path.write_bytes(b"one\ntwo\nthree\n")
    over = True
    assert tail.read() == b"three\n"
    assert tail.read() is None


def test_each_line_of_a_followed_log_has_its_time_once(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"a\nb")
    tail = tail_of(path, wanted(timestamps="true"))
    assert tail.read() == b"2026-01-01T11:59:00.000000Z a\n2026-01-01T11:59:02.000000Z b"
    path.write_bytes(b"a\nb more\nc\n")
    assert tail.read() == b" more\n2026-01-01T11:59:09.000000Z c\n"


def test_a_followed_log_ends_at_its_limit(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"one\n")
    tail = tail_of(path, wanted(limitBytes="6"))
    assert tail.read() == b"one\n"
    path.write_bytes(b"one\ntwo\n")
    assert [tail.read(), tail.read()] == [b"tw", None]


def test_a_followed_log_may_begin_later(tmp_path):
    tail = tail_of(tmp_path / "log", wanted())
    assert tail.read() == b""
    (tmp_path / "log").write_bytes(b"late")
    assert tail.read() == b"late"
