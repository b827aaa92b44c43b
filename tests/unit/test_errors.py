from __future__ import annotations

import pytest

from btcctl import errors
from btcctl.errors import describe_error


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (404, "NotFound", errors.NotFound),
        (404, "", errors.NotFound),
        (409, "Conflict", errors.Conflict),
        (409, "AlreadyExists", errors.AlreadyExists),
        (410, "Expired", errors.Gone),
        (422, "Invalid", errors.Invalid),
        (429, "TooManyRequests", errors.TooManyRequests),
        (418, "Teapot", errors.ApiError),
    ],
)
def test_a_status_becomes_the_most_specific_error(code, reason, expected):
    error = errors.ApiError.from_status({"code": code, "reason": reason, "message": "m"})
    assert type(error) is expected
    assert (error.code, error.reason, error.message) == (code, reason, "m")


def test_the_header_wins_over_the_body_for_retry_after():
    status = {"code": 429, "details": {"retryAfterSeconds": 7}}
    assert errors.ApiError.from_status(status).retry_after == 7
    assert errors.ApiError.from_status(status, retry_after=2.0).retry_after == 2.0


def test_nulls_in_a_status_count_as_missing():
    error = errors.ApiError.from_status({"code": 500, "reason": None, "message": None, "details": None})
    assert (error.reason, error.message, error.details, error.causes) == ("", "", {}, [])


@pytest.mark.parametrize("nonsense", ["soon", -1, None, [1]])
def test_a_retry_after_that_makes_no_sense_counts_as_none(nonsense):
    status = {"code": 503, "details": {"retryAfterSeconds": nonsense}}
    assert errors.ApiError.from_status(status).retry_after is None


class Unprintable(Exception):
    def __str__(self) -> str:
        raise SystemExit("no text")


class Text(str):
    """Whose methods are foreign code."""

    __slots__ = ()

    def __len__(self) -> int:
        raise SystemExit("no length")

    __bool__ = __format__ = __len__  # type: ignore[assignment]


class OddlyPrintable(Exception):
    def __str__(self) -> str:
        return Text("odd")


class Nameless(type):
    """A metaclass, which may answer for its classes as it likes."""

    @property
    def __name__(cls) -> str:
        raise SystemExit("no name")


class OfNameless(Exception, metaclass=Nameless):
    pass


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("broken"), "ValueError: broken"),
        (OfNameless("broken"), "OfNameless: broken"),
        (OddlyPrintable(), "OddlyPrintable: odd"),
        (KeyError(), "KeyError"),
        (Unprintable(), "Unprintable: (its message cannot be shown: SystemExit)"),
        (ValueError("x" * 5000), "ValueError: " + "x" * 4096 + "… (5000 characters)"),
    ],
)
def test_any_exception_can_be_described(error, text):
    assert describe_error(error) == text


def test_an_error_that_an_author_derives_is_not_what_a_servers_answer_becomes():
    class QuotaUsedUp(errors.Forbidden):
        def __init__(self, who: str) -> None:
            super().__init__(403, "QuotaUsedUp", who)

    assert type(errors.ApiError.of(403, "Forbidden", "no")) is errors.Forbidden
    assert QuotaUsedUp("me").message == "me"
