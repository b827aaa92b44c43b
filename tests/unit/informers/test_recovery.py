from __future__ import annotations

import pytest

from btcctl.backoff import ExponentialBackoff
from btcctl.errors import ApiError, BtcctlError, ConnectionRefused, Gone, ServerTimeout, TooManyRequests, Unauthorized
from btcctl.informers.recovery import RELIST_BACKOFF, RetryDelays, is_expired, is_too_large, relist_reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Gone(410, "Expired"), "expired"),
        (ApiError(410), "expired"),
        (ApiError(400, "Expired"), "expired"),
        (ServerTimeout(504, "Timeout", "Timeout: Too large resource version: 5, current: 3"), "too_large"),
        (ApiError(500, details={"causes": [{"message": "Too large resource version"}]}), "too_large"),
        (ServerTimeout(504, "Timeout", "etcd"), None),
        (Unauthorized(401), None),
        (ConnectionRefused("refused"), None),
        (ApiError(500, "", "Too large resource version, says somebody else"), "error"),
    ],
)
def test_an_error_tells_whether_a_list_is_needed(error: BtcctlError, reason: str | None):
    assert relist_reason(error) == reason
    assert is_expired(error) == (reason == "expired")
    assert is_too_large(error) == (reason == "too_large")


def test_delays_are_those_of_client_go():
    delays = [RetryDelays().after(ConnectionRefused(""), now=0.0) for _ in range(100)]
    assert all(0.8 <= delay <= 1.6 for delay in delays)
    assert len(set(delays)) > 90
    assert 30.0 <= RELIST_BACKOFF.delay(38) <= 60.0


def test_quiet_is_counted_from_the_end_of_the_last_wait():
    delays = RetryDelays(ExponentialBackoff(base=60.0, cap=600.0), quiet_seconds=100.0)
    error = ConnectionRefused("")
    assert [delays.after(error, now) for now in (1000.0, 1060.0 + 100.0, 1160.0 + 120.0 + 101.0)] == [60.0, 120.0, 60.0]


def test_the_server_may_ask_for_more_than_the_back_off_and_never_for_less():
    delays = RetryDelays(ExponentialBackoff(base=2.0, cap=2.0))
    asked = [0.5, 7.0, None]
    assert [delays.after(TooManyRequests(429, retry_after=each), 0.0) for each in asked] == [2.0, 7.0, 2.0]
