"""Durations as Go writes them, in `?timeout=`."""

from __future__ import annotations

import json
import re

import pytest

from btcctl.apiserver.requests.timeouts import parse_duration
from tests.unit.apiserver.calls import CONFIG_MAPS


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0.0), ("1s", 1.0), ("1m30s", 90.0), ("-1.5h", -5400.0), (".5ms", 0.0005), ("1.h", 3600.0)],
)
def test_a_duration_is_a_sum_of_terms(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", 'time: invalid duration ""'),
        ("x", 'time: invalid duration "x"'),
        ("1s-1s", 'time: unknown unit "s-" in duration "1s-1s"'),
        ("10", 'time: missing unit in duration "10"'),
        ("1s5", 'time: missing unit in duration "1s5"'),
        ("1y", 'time: unknown unit "y" in duration "1y"'),
    ],
)
def test_what_is_none_is_told_in_gos_words(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        parse_duration(text)


def test_a_request_with_a_bad_one_is_refused_and_does_nothing(server) -> None:
    answer = server.post(CONFIG_MAPS, {"metadata": {"name": "a"}}, timeout="10")
    why = 'invalid timeout specified in the request URL - time: missing unit in duration "10"'
    assert (answer.status, answer.message) == (400, why)
    assert server.get(f"{CONFIG_MAPS}/a").status == 404


def test_in_no_time_nothing_is_done(server) -> None:
    answer = server.send("POST", CONFIG_MAPS, {"metadata": {"name": "a"}}, timeout="1us")
    body = json.loads(answer.body)
    assert (answer.status, body["reason"], "kind" in body) == (504, "Timeout", False)
    assert server.get(f"{CONFIG_MAPS}/a", timeout="1m").status == 404


def test_a_watch_does_not_look_at_it(server) -> None:
    assert server.watch(CONFIG_MAPS, timeout="x").events == []
