from __future__ import annotations

from btcctl.bitcoin.rpc import RpcUnavailable
from btcctl.bitcoin.silences import Silences
from btcctl.testing.clock import FakeClock

FAILURE = RpcUnavailable("no")


def test_a_node_that_did_not_answer_is_left_alone_for_longer_each_time_and_never_for_long() -> None:
    clock = FakeClock()
    silences = Silences(clock)
    waits = []
    for _ in range(8):
        silences.note("a", FAILURE)
        began = clock.now()
        while silences.failure_of("a") is FAILURE:
            clock.advance(0.5)
        waits.append(clock.now() - began)
    assert waits == sorted(waits) or max(waits) <= 36.5
    assert waits[0] <= 1.5
    assert 30 <= waits[-1] <= 36.5


def test_a_node_that_failed_once_has_not_failed_again() -> None:
    silences = Silences(FakeClock())
    silences.note("a", FAILURE)
    assert not silences.has_failed_again("a")
    silences.note("a", FAILURE)
    assert silences.has_failed_again("a")
    assert not silences.has_failed_again("b")


def test_a_node_that_answered_is_asked_at_once_and_its_past_is_forgotten() -> None:
    silences = Silences(FakeClock())
    silences.note("a", FAILURE)
    silences.forget("a")
    assert silences.failure_of("a") is None
    assert silences.failure_of("b") is None
