from __future__ import annotations

import pytest

from btcctl.bitcoin.credential_rules import problem_with, trim


@pytest.mark.parametrize("value", ["pass\n", "pass\r\n", " pass\t", "\v\fpass"])
def test_blanks_around_a_value_do_not_count(value: str) -> None:
    assert trim(value) == "pass"


@pytest.mark.parametrize("value", ["\u00a0pass", "pass\u2003", "pa ss"])
def test_other_blanks_belong_to_the_value(value: str) -> None:
    assert trim(value) == value


@pytest.mark.parametrize(
    ("user", "password", "which"),
    [
        ("", "good", 0),
        ("good", "", 1),
        ("a\nb", "good", 0),
        ("good", "a\x7fb", 1),
        ("good", "a#b", 1),
        ("a:b", "good", 0),
    ],
)
def test_what_no_node_can_be_started_with_is_refused_and_it_is_said_which_it_is(
    user: str, password: str, which: int
) -> None:
    problem = problem_with(user, password)
    assert problem is not None
    assert problem[0] == which


@pytest.mark.parametrize("password", ["a:b", "a=b", '"quoted"', "ünlikely", "a b"])
def test_whatever_else_is_printable_is_a_password(password: str) -> None:
    assert problem_with("user", password) is None
