"""Requests to restart a pod's processes without a word."""

from __future__ import annotations

from queue import SimpleQueue

from btcctl.objects import ObjectKey
from btcctl.sandbox.kubelet.restarts import RestartRequests
from btcctl.testing.clock import FakeClock
from btcctl.threads import Runner

KEY = ObjectKey("ns", "p")


def test_a_request_is_begun_once():
    requests = RestartRequests(FakeClock())
    assert not requests.begin(KEY)
    requests.ask(KEY)
    assert requests.begin(KEY)
    assert not requests.begin(KEY)


def test_whoever_waits_is_told_when_it_is_done():
    clock = FakeClock()
    requests = RestartRequests(clock)
    requests.ask(KEY)
    answers: SimpleQueue[bool] = SimpleQueue()
    with Runner("waiter", lambda stop: answers.put(requests.wait(KEY, 5.0))):
        clock.wait_until_blocked()
        requests.begin(KEY)
        requests.finish(KEY)
        try:
            assert answers.get(timeout=60.0)
        finally:
            clock.advance(5.0)


def test_what_is_asked_for_in_the_middle_of_a_step_is_for_the_next_one():
    requests = RestartRequests(FakeClock())
    assert not requests.begin(KEY)
    requests.ask(KEY)
    requests.finish(KEY)
    assert requests.begin(KEY)


def test_a_pod_that_is_gone_is_not_waited_for():
    requests = RestartRequests(FakeClock())
    requests.ask(KEY)
    requests.cancel(KEY)
    assert requests.wait(KEY, 0.0)


def test_waiting_ends():
    clock = FakeClock()
    requests = RestartRequests(clock)
    requests.ask(KEY)
    answers: list[bool] = []
    with Runner("waiter", lambda stop: answers.append(requests.wait(KEY, 5.0))):
        clock.wait_until_blocked()
        clock.advance(5.0)
    assert answers == [False]


def test_without_a_request_there_is_nothing_to_wait_for():
    assert RestartRequests(FakeClock()).wait(KEY, 0.0)
