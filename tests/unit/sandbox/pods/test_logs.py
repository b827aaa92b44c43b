"""What `kubectl logs` shows of a log file."""

from __future__ import annotations

import pytest

from btcctl.sandbox.pods.logs import read_log


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
