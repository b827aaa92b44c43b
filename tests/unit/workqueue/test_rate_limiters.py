"""How long a key that failed has to wait, in client-go's numbers."""

from __future__ import annotations

import math

import pytest

from btcctl.testing.clock import FakeClock
from btcctl.workqueue.rate_limited import RateLimitingQueue
from btcctl.workqueue.rate_limiters import (
    BucketRateLimiter,
    FastSlowRateLimiter,
    ItemExponentialRateLimiter,
    MaxOfRateLimiter,
)


def test_delays_double_from_5_ms_to_1000_s() -> None:
    limiter: ItemExponentialRateLimiter[str] = ItemExponentialRateLimiter()
    delays = [limiter.delay("a") for _ in range(20)]
    assert delays[:4] == [0.005, 0.01, 0.02, 0.04]
    assert delays[17] == pytest.approx(655.36)
    assert delays[18:] == [1000.0, 1000.0]


def test_a_thousand_failures_do_not_overflow() -> None:
    limiter: ItemExponentialRateLimiter[str] = ItemExponentialRateLimiter(cap=300.0)
    assert [limiter.delay("a") for _ in range(2000)][-1] == 300.0


def test_each_key_counts_its_own_failures() -> None:
    limiter: ItemExponentialRateLimiter[str] = ItemExponentialRateLimiter()
    limiter.delay("a")
    limiter.delay("a")
    assert limiter.delay("b") == 0.005
    assert (limiter.num_requeues("a"), limiter.num_requeues("b"), limiter.num_requeues("c")) == (2, 1, 0)


def test_forgetting_starts_anew() -> None:
    limiter: ItemExponentialRateLimiter[str] = ItemExponentialRateLimiter()
    limiter.delay("a")
    limiter.forget("a")
    limiter.forget("unknown")
    assert limiter.num_requeues("a") == 0
    assert limiter.delay("a") == 0.005


def test_jitter_only_lengthens_a_delay() -> None:
    limiter: ItemExponentialRateLimiter[int] = ItemExponentialRateLimiter(base=1.0, jitter=0.5)
    delays = [limiter.delay(key) for key in range(100)]
    assert min(delays) >= 1.0
    assert max(delays) <= 1.5
    assert len(set(delays)) > 1


def test_a_bucket_lets_a_burst_through_and_spaces_the_rest() -> None:
    clock = FakeClock()
    limiter: BucketRateLimiter[str] = BucketRateLimiter(per_second=10.0, burst=2, clock=clock)
    assert [limiter.delay("a") for _ in range(4)] == pytest.approx([0.0, 0.0, 0.1, 0.2])
    clock.advance(10.0)
    assert limiter.delay("a") == 0.0


def test_fast_and_slow_is_fast_for_a_number_of_failures_in_a_row() -> None:
    limiter: FastSlowRateLimiter[str] = FastSlowRateLimiter(fast=0.1, slow=60.0, attempts=3)
    assert [limiter.delay("a") for _ in range(5)] == [0.1, 0.1, 0.1, 60.0, 60.0]
    assert limiter.delay("b") == 0.1
    assert limiter.num_requeues("a") == 5
    limiter.forget("a")
    assert limiter.delay("a") == 0.1


@pytest.mark.parametrize(("fast", "slow", "attempts"), [(-1.0, 1.0, 1), (2.0, 1.0, 1), (1.0, 2.0, -1)])
def test_nonsense_is_not_fast_and_slow(fast: float, slow: float, attempts: int) -> None:
    with pytest.raises(ValueError, match="not fast and slow"):
        FastSlowRateLimiter(fast, slow, attempts)


def test_max_of_asks_every_limiter_and_takes_the_longest_delay() -> None:
    quick: ItemExponentialRateLimiter[str] = ItemExponentialRateLimiter(base=1.0)
    slow: ItemExponentialRateLimiter[str] = ItemExponentialRateLimiter(base=3.0)
    both = MaxOfRateLimiter(slow, quick)
    assert both.delay("a") == 3.0
    assert both.num_requeues("a") == 1
    both.forget("a")
    assert (quick.num_requeues("a"), slow.num_requeues("a")) == (0, 0)


def test_max_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        MaxOfRateLimiter()


def test_a_failed_key_comes_back_after_its_delay() -> None:
    clock = FakeClock()
    queue: RateLimitingQueue[str] = RateLimitingQueue(clock)
    assert queue.add_rate_limited("a") == 0.005
    assert queue.idle()
    clock.advance(0.005)
    assert queue.get() == "a"
    assert queue.num_requeues("a") == 1


def test_a_minimum_outweighs_a_shorter_back_off() -> None:
    clock = FakeClock()
    queue: RateLimitingQueue[str] = RateLimitingQueue(clock)
    assert queue.add_rate_limited("a", minimum=7.0) == 7.0
    clock.advance(6.9)
    assert queue.idle()
    clock.advance(0.1)
    assert queue.get() == "a"


def test_forgetting_does_not_take_a_key_out_of_the_queue() -> None:
    queue: RateLimitingQueue[str] = RateLimitingQueue(FakeClock())
    queue.add("a")
    queue.forget("a")
    assert queue.get() == "a"


@pytest.mark.parametrize("says", [math.nan, math.inf])
def test_a_limiter_that_says_no_number_does_not_lose_the_key_nor_bring_it_back_at_once(says: float) -> None:
    class Odd(ItemExponentialRateLimiter[str]):
        def delay(self, key: str) -> float:
            return says

    queue: RateLimitingQueue[str] = RateLimitingQueue(FakeClock(), rate_limiter=Odd())
    assert queue.add_rate_limited("a", minimum=1.0) == 1000.0
    assert queue.add_rate_limited("b", minimum=says) == 1000.0
