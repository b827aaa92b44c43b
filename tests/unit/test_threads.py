from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest

from btcctl.testing.clock import FakeClock
from btcctl.threads import Latch, Runner, Stop, stack_of


def test_a_wait_ends_when_its_time_is_over():
    clock = FakeClock()
    latch, woken = Latch(clock), []
    with Runner("waiter", lambda _stop: woken.append(latch.wait(5.0))):
        clock.wait_until_blocked()
        clock.advance(4.9)
        assert woken == []
        clock.advance(0.2)
    assert woken == [False]


def test_a_wait_ends_as_soon_as_a_latch_is_set():
    latch, woken = Latch(), []
    with Runner("waiter", lambda _stop: woken.append(latch.wait())):
        latch.set()
    assert woken == [True]


def test_a_runner_is_stopped_by_a_latch_of_its_own():
    woken: list[bool] = []
    runner = Runner("waiter", lambda stop: woken.append(stop.wait()))
    runner.start()
    runner.stop()
    assert woken == [True]


def test_callbacks_run_once_when_a_latch_is_set_and_at_once_if_it_was():
    latch, calls = Latch(), []
    latch.on_set(lambda: calls.append("before"))
    forget = latch.on_set(lambda: calls.append("taken back"))
    forget()
    latch.set()
    latch.set()
    latch.on_set(lambda: calls.append("after"))
    assert calls == ["before", "after"]


def test_what_killed_a_thread_is_raised_once_by_stop():
    def fail(stop: Stop) -> None:
        raise LookupError("gone")

    seen: list[BaseException] = []
    runner = Runner("doomed", fail, on_failure=seen.append)
    runner.start()
    with pytest.raises(LookupError, match="gone"):
        runner.stop()
    runner.stop()
    assert [str(error) for error in seen] == ["gone"]


def test_a_thread_that_does_not_stop_is_reported_by_name():
    release = Stop()
    runner = Runner("stubborn", lambda stop: release.wait(10.0))
    runner.start()
    with pytest.raises(TimeoutError, match="stubborn did not stop"):
        runner.stop(timeout=0.01)
    release.set()
    runner.stop()


def test_a_runner_may_be_stopped_before_it_starts_and_from_its_own_thread():
    Runner("never", lambda stop: None).stop()
    runner: list[Runner] = []
    runner.append(Runner("own", lambda stop: runner[0].stop()))
    runner[0].start()
    runner[0].stop()
    assert not runner[0].is_alive()


def test_the_stack_of_a_thread_ends_where_it_is_and_that_of_an_ended_one_is_empty():
    begun, go_on, idents = threading.Event(), threading.Event(), []

    def wait_here(stop: Stop) -> None:
        idents.append(threading.get_ident())
        begun.set()
        go_on.wait(10.0)

    with Runner("waiter", wait_here):
        assert begun.wait(10.0)
        assert any(line.endswith(" wait_here") for line in stack_of(idents[0]))
        go_on.set()
    assert stack_of(-1) == []


def test_a_death_is_told_even_if_the_line_about_it_cannot_be_written():
    def fail(stop: Stop) -> None:
        raise LookupError("gone")

    class FullDisk(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise OSError("disk full")

    seen: list[BaseException] = []
    logging.getLogger("btcctl").addHandler(handler := FullDisk())
    runner = Runner("doomed", fail, on_failure=seen.append)
    runner.start()
    with pytest.raises(LookupError, match="gone"):
        runner.stop()
    logging.getLogger("btcctl").removeHandler(handler)
    assert [str(error) for error in seen] == ["gone"]


def test_a_callback_that_raises_keeps_no_other_from_being_called():
    latch, called = Latch(), []
    latch.on_set(lambda: 1 // 0)
    latch.on_set(lambda: called.append("the other"))
    latch.set()
    assert called == ["the other"]


@pytest.mark.parametrize(("raised", "gets_out"), [(asyncio.CancelledError, False), (KeyboardInterrupt, True)])
def test_of_what_a_callback_raises_only_what_may_be_the_programs_end_gets_out_and_in_the_main_thread_alone(
    raised, gets_out
):
    latches, called = [Latch(), Latch()], []

    def fail() -> None:
        raise raised

    for latch in latches:
        latch.on_set(fail)
        latch.on_set(lambda: called.append("the other"))
    with pytest.raises(raised) if gets_out else nullcontext():
        latches[0].set()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(latches[1].set).result()
    assert called == ["the other", "the other"]
