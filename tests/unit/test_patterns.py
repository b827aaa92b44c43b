from __future__ import annotations

import re
import sys
from typing import Any

import pytest

from btcctl.patterns import again


@pytest.fixture(params=["as it is", "before 3.11.5"], autouse=True)
def version(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    if request.param != "as it is":
        monkeypatch.setattr(sys, "version_info", (3, 11, 4))


@pytest.mark.parametrize(
    ("text", "end"), [("", 0), ("a1;", 3), ("a1;b2;", 6), ("a1;b2;c", 6), ("a1;b2;c3", 6), ("x", 0), ("a1;bb;", 3)]
)
def test_a_group_matches_as_often_as_it_can_and_ends_with_a_whole_round(text: str, end: int) -> None:
    found = re.match(again("[a-w][0-9];"), text)
    assert found is not None
    assert found.end() == end


@pytest.mark.parametrize(("quantifier", "fits"), [("*", True), ("?", True), ("+", False)])
def test_it_may_be_missing_or_not(quantifier: Any, fits: bool) -> None:
    assert bool(re.fullmatch(again("ab", quantifier) + "c", "c")) == fits
    assert re.fullmatch(again("ab", quantifier) + "c", "abc")


def test_none_of_it_is_given_back() -> None:
    assert re.match(again("ab") + "ab", "abab") is None
    assert re.match(again("(?!ab;)[a-z]+;") + "ab;", "xy;z;ab;")


def test_where_it_is_bounded_a_caller_goes_on_where_it_ended() -> None:
    pattern, text, at, rounds = re.compile(again("[a-z];", bound="2")), "a;b;c;d;e;!", 0, 0
    while (end := pattern.match(text, at).end()) > at:  # type: ignore[union-attr]
        at, rounds = end, rounds + 1
    assert at == len(text) - 1
    assert rounds == (1 if sys.version_info >= (3, 11, 5) else 3)
