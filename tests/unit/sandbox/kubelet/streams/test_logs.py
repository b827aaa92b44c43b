"""What `kubectl logs` shows of a log file."""

from __future__ import annotations

import pytest

from btcctl.sandbox.kubelet.streams.logs import LogTail, read_log


@pytest.mark.parametrize(
    ("query", "content"),
    [
        ({}, b"a\nb\nc\n"),
        ({"tailLines": ["2"]}, b"b\nc\n"),
        ({"tailLines": "9"}, b"a\nb\nc\n"),
        ({"tailLines": "0"}, b""),
        ({"limitBytes": ["3"]}, b"a\nb"),
    ],
)
def test_the_query_says_how_much_of_a_log(tmp_path, query, content):
    path = tmp_path / "log"
    path.write_bytes(b"a\nb\nc\n")
    assert read_log(path, query) == content


def test_a_log_that_is_not_there_is_empty(tmp_path):
    assert read_log(tmp_path / "none", {}) == b""


def test_a_followed_log_brings_what_was_there_then_what_comes_then_the_end(tmp_path):
    path, over = tmp_path / "log", False
    path.write_bytes(b"one\ntwo\n")
    tail = LogTail(path, {"tailLines": ["1"]}, lambda: over)
    assert tail.read() == b"two\n"
    assert tail.read() == b""
    path.write_bytes(b"one\ntwo\nthree\n")
    over = True
    assert tail.read() == b"three\n"
    assert tail.read() is None


def test_a_followed_log_ends_at_its_limit(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"one\n")
    tail = LogTail(path, {"limitBytes": ["6"]}, lambda: False)
    assert tail.read() == b"one\n"
    path.write_bytes(b"one\ntwo\n")
    assert [tail.read(), tail.read()] == [b"tw", None]


def test_a_followed_log_may_begin_later(tmp_path):
    tail = LogTail(tmp_path / "log", {}, lambda: False)
    assert tail.read() == b""
    (tmp_path / "log").write_bytes(b"late")
    assert tail.read() == b"late"
