from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.backoff import ExponentialBackoff, jittered


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
