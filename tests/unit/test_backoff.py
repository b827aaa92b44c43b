from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.backoff import ExponentialBackoff, TokenBucket, jittered


def test_delays_double_from_base_to_cap():
    backoff = ExponentialBackoff(base=0.8, cap=30.0)
    assert [backoff.delay(n) for n in range(8)] == [0.0, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0]


@given(st.integers(min_value=1, max_value=10**9))
def test_no_number_of_failures_overflows_or_leaves_the_jittered_range(failures):
    delay = ExponentialBackoff(base=0.8, cap=30.0, jitter=1.0).delay(failures)
    assert 0.8 <= delay <= 60.0


@pytest.mark.parametrize("wrong", [{"base": -1.0}, {"base": 31.0}, {"factor": 0.5}, {"jitter": -0.1}])
def test_a_backoff_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match="not a back-off"):
        ExponentialBackoff(**({"base": 1.0, "cap": 30.0} | wrong))


@given(st.floats(min_value=0.1, max_value=1e6))
def test_jitter_stays_within_its_fraction(seconds):
    assert 0.899 * seconds <= jittered(seconds, 0.1) <= 1.101 * seconds


def test_a_token_bucket_allows_its_burst_and_then_one_per_refill():
    bucket = TokenBucket(per_second=0.5, burst=3)
    assert [bucket.take(now=10.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(now=11.9)
    assert bucket.take(now=12.0)


def test_a_token_bucket_never_holds_more_than_its_burst():
    bucket = TokenBucket(per_second=1.0, burst=2)
    bucket.take(now=0.0)
    assert [bucket.take(now=1e6) for _ in range(3)] == [True, True, False]


def test_a_reservation_waits_for_tokens_still_to_come():
    bucket = TokenBucket(per_second=2.0, burst=1)
    assert [bucket.reserve(now=0.0) for _ in range(3)] == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(("per_second", "burst"), [(0.0, 1), (1.0, 0)])
def test_a_bucket_that_never_refills_or_holds_nothing_is_refused(per_second, burst):
    with pytest.raises(ValueError, match="not a token bucket"):
        TokenBucket(per_second, burst)
