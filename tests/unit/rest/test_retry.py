from __future__ import annotations

import pytest

from btcctl.backoff import ExponentialBackoff
from btcctl.errors import ApiError
from btcctl.rest.retry import RetryPolicy

POLICY = RetryPolicy(attempts=3, total_seconds=10.0, backoff=ExponentialBackoff(base=1.0, cap=4.0))


def delay(
    code: int, retry_after: float | None = 1.0, *, failures: int = 1, waited: float = 0.0, idempotent: bool = True
):
    error = ApiError.of(code, retry_after=retry_after)
    return POLICY.delay(error, failures=failures, waited=waited, idempotent=idempotent)


@pytest.mark.parametrize("code", [429, 503, 504])
def test_an_answer_with_a_retry_after_is_retried(code: int):
    assert delay(code) == 1.0


@pytest.mark.parametrize("code", [429, 503, 504])
def test_an_answer_without_one_is_not(code: int):
    assert delay(code, None) is None


@pytest.mark.parametrize("code", [400, 404, 409, 410, 500])
def test_other_errors_are_not_retried(code: int):
    assert delay(code) is None


def test_only_a_refusal_by_flow_control_is_retried_for_what_must_not_be_done_twice():
    assert delay(429, idempotent=False) == 1.0
    assert delay(503, idempotent=False) is None
    assert delay(504, idempotent=False) is None


def test_the_servers_wait_is_a_minimum():
    assert delay(429, 3.0, failures=1) == 3.0
    assert delay(429, 0.0, failures=2) == 2.0


def test_attempts_are_bounded():
    assert delay(429, failures=2) is not None
    assert delay(429, failures=3) is None


def test_a_wait_beyond_the_total_is_not_begun():
    assert delay(429, 4.0, waited=6.0) == 4.0
    assert delay(429, 4.0, waited=6.5) is None
    assert delay(429, 600.0) is None


def test_a_version_that_is_too_large_is_not_asked_for_again():
    too_large = {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]}
    error = ApiError.of(504, "Timeout", details=too_large, retry_after=1.0)
    assert POLICY.delay(error, failures=1, waited=0.0, idempotent=True) is None
