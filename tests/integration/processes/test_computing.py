"""What a reconcile has computed in other processes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest

from btcctl import (
    ComputingFailed,
    Controller,
    ControllerOptions,
    DeadlineExceeded,
    Interrupted,
    ObjectKey,
    Result,
    compute,
)
from btcctl.clock import SYSTEM_CLOCK
from btcctl.deadline import PendingCalls, limited_to
from btcctl.processes.computing import ComputingProcesses
from btcctl.threads import Latch, Runner, Stop
from tests.integration.processes import computations
from tests.integration.support import eventually

KEY = ObjectKey("default", "a")


@pytest.fixture
def processes() -> Iterator[ComputingProcesses]:
    made = ComputingProcesses("computing", 1)
    yield made
    made.close()


def call(processes: ComputingProcesses, function: object, *args: object) -> object:
    return processes.call(function, args, {})  # type: ignore[arg-type]


def test_a_process_is_kept_for_the_next_call_and_what_is_raised_there_is_raised_here(processes):
    first = call(processes, computations.pid)
    assert first != os.getpid()
    assert call(processes, computations.double, 21) == 42
    with pytest.raises(ValueError, match="no such thing"):
        call(processes, computations.fail, "no such thing")
    with pytest.raises(ComputingFailed, match="cannot be brought back"):
        call(processes, computations.unpicklable)
    with pytest.raises(TypeError, match="must be a function that stands in a module"):
        call(processes, lambda: None)
    assert call(processes, computations.pid) == first


def test_what_cannot_be_made_again_here_is_said_with_what_it_was(processes):
    with pytest.raises(ComputingFailed, match="cannot be brought back: Particular: 7: too small"):
        call(processes, computations.fail_particularly)
    with pytest.raises(ComputingFailed, match="cannot be brought back: ZeroDivisionError"):
        call(processes, computations.unwelcome)
    assert call(processes, computations.double, 21) == 42


def test_what_computes_gives_way_to_what_reacts(processes):
    assert call(processes, computations.niceness) > os.nice(0)


def test_a_deadline_ends_what_computes_and_another_process_takes_its_place(processes):
    first = call(processes, computations.pid)
    with pytest.raises(DeadlineExceeded), limited_to(0.2, SYSTEM_CLOCK):
        call(processes, computations.spin)
    eventually(lambda: not _lives(first))
    assert call(processes, computations.pid) != first


def test_a_process_that_ends_is_the_failure_of_that_call(processes):
    with pytest.raises(ComputingFailed, match="has ended"):
        call(processes, computations.die)
    assert call(processes, computations.double, 1) == 2


def test_work_that_is_broken_off_ends_what_it_has_computed(processes):
    calls, raised = PendingCalls(SYSTEM_CLOCK), []

    def work(_: Stop) -> None:
        with pytest.raises(Interrupted) as found, limited_to(None, SYSTEM_CLOCK, calls):
            call(processes, computations.spin)
        raised.append(found.value)

    call(processes, computations.pid)
    with Runner("work", work) as running:
        eventually(lambda: calls.break_off(SYSTEM_CLOCK.now()) or not running.is_alive())
    assert len(raised) == 1


@pytest.mark.parametrize("is_async", [False, True])
def test_a_reconcile_computes_elsewhere(is_async):
    pids, done = set(), Latch()

    def reconcile(_key: ObjectKey) -> Result:
        pids.add(compute(computations.pid))
        done.set()
        return Result()

    async def reconcile_async(key: ObjectKey) -> Result:
        return await asyncio.to_thread(reconcile, key)

    controller = Controller("net", reconcile_async if is_async else reconcile, options=ControllerOptions(processes=1))
    controller.queue.add(KEY)
    stop = Stop()
    done.on_set(stop.set)
    controller.run(stop)
    assert len(pids) == 1
    assert os.getpid() not in pids
    assert not any(_lives(each) for each in pids)


def test_without_processes_and_on_the_bench_it_is_computed_here():
    assert compute(computations.pid) == os.getpid()
    pids = []

    def reconcile(_key: ObjectKey) -> Result:
        pids.append(compute(computations.pid))
        return Result()

    controller = Controller("net", reconcile, options=ControllerOptions(processes=1))
    controller.queue.add(KEY)
    controller.process_next()
    assert pids == [os.getpid()]


def _lives(pid: object) -> bool:
    try:
        os.kill(int(str(pid)), 0)
    except ProcessLookupError:
        return False
    return True
