from __future__ import annotations

import pytest

from btcctl.backoff import ExponentialBackoff
from btcctl.errors import (
    ApiError,
    BtcctlError,
    ConnectionRefused,
    DecodeError,
    Forbidden,
    Gone,
    MethodNotAllowed,
    NotFound,
    ServerTimeout,
    ServiceUnavailable,
    TooManyRequests,
    TransportError,
    Unauthorized,
)
from btcctl.informers.options import RELIST_BACKOFF, UNREACHABLE_BACKOFF
from btcctl.informers.reflector.recovery import (
    EndedAtOnce,
    RetryDelays,
    is_expired,
    is_refusal_for_good,
    is_too_large,
    relist_reason,
)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Gone(410, "Expired"), "expired"),
        (ApiError(410), "expired"),
        (ApiError(400, "Expired"), "expired"),
        (ServerTimeout(504, "Timeout", "Timeout: Too large resource version: 5, current: 3"), "too_large"),
        (ApiError(500, details={"causes": [{"message": "Too large resource version"}]}), "too_large"),
        (ServerTimeout(504, "Timeout", "etcd"), ""),
        (Unauthorized(401), ""),
        (ConnectionRefused("refused"), ""),
        (ApiError(500, "", "Too large resource version, says somebody else"), "error"),
    ],
)
def test_an_error_tells_whether_a_list_is_needed(error: BtcctlError, reason: str):
    assert relist_reason(error) == reason
    assert is_expired(error) == (reason == "expired")
    assert is_too_large(error) == (reason == "too_large")


@pytest.mark.parametrize(
    ("error", "is_meant"),
    [
        (Forbidden(403), True),
        (Unauthorized(401), True),
        (NotFound(404), True),
        (MethodNotAllowed(405), True),
        (ApiError(501), True),
        (TooManyRequests(429), False),
        (Gone(410), False),
        (ApiError(400, "Expired"), False),
        (ServiceUnavailable(503), False),
        (ApiError(0), False),
        (EndedAtOnce("at once"), False),
        (DecodeError("?"), False),
    ],
)
def test_some_refusals_are_meant_for_good(error: BtcctlError, is_meant: bool):
    assert is_refusal_for_good(error) == is_meant


def test_delays_after_answers_are_those_of_client_go():
    delays = [RetryDelays().after(TooManyRequests(429)) for _ in range(100)]
    assert all(0.8 <= delay <= 1.6 for delay in delays)
    assert len(set(delays)) > 90
    assert 30.0 <= RELIST_BACKOFF.delay(38) <= 60.0


def test_delays_without_an_answer_stay_below_five_seconds():
    assert all(0.4 <= UNREACHABLE_BACKOFF.delay(1) <= 0.5 for _ in range(100))
    assert all(4.0 <= UNREACHABLE_BACKOFF.delay(1000) <= 5.0 for _ in range(100))


def test_no_answer_and_an_answer_are_counted_apart_and_both_forgotten_by_a_success():
    delays = RetryDelays(ExponentialBackoff(base=1.0, cap=9.0), ExponentialBackoff(base=0.1, cap=9.0))
    errors = [TransportError("reset"), TooManyRequests(429), EndedAtOnce("at once"), ConnectionRefused("refused")]
    assert [delays.after(each) for each in errors] == [0.1, 1.0, 2.0, 0.2]
    delays.succeeded()
    assert [delays.after(each) for each in errors] == [0.1, 1.0, 2.0, 0.2]


def test_the_server_may_ask_for_more_than_the_back_off_and_never_for_less():
    delays = RetryDelays(ExponentialBackoff(base=2.0, cap=2.0))
    asked = [0.5, 7.0, None, 1e9]
    assert [delays.after(TooManyRequests(429, retry_after=each)) for each in asked] == [2.0, 7.0, 2.0, 600.0]


@pytest.mark.parametrize("code", [401, 502, 503, 504])
def test_what_may_be_back_soon_is_asked_for_every_five_seconds(code: int):
    delays = RetryDelays()
    assert max(delays.after(ApiError.of(code)) for _ in range(100)) <= 5.0


@pytest.mark.parametrize("code", [400, 403, 410, 500, 502, 504])
def test_only_who_is_busy_may_ask_for_more(code: int):
    delays = RetryDelays(ExponentialBackoff(base=2.0, cap=2.0))
    assert delays.after(ApiError.of(code, retry_after=500.0)) == 2.0
