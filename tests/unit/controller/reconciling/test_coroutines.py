"""Reconciles that are coroutines: in a test's thread, and many at a time in an event loop."""

from __future__ import annotations

import asyncio
import threading

import msgspec
import pytest

from btcctl import (
    CONFIG_MAPS,
    App,
    Controller,
    ControllerOptions,
    Metadata,
    ObjectKey,
    Result,
    ServiceUnavailable,
    TypedObject,
)
from btcctl.testing import JumpingClock, capture_logs
from btcctl.threads import Latch, Stop
from tests.unit.controller.support import kill
from tests.unit.webhooks.volumes import Volume, VolumeStatus, volume

KEYS = [ObjectKey("default", str(number)) for number in range(5)]


class Sight:
    """What runs at a time."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.threads: set[str] = set()

    def __enter__(self) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        self.threads.add(threading.current_thread().name)

    def __exit__(self, *_: object) -> None:
        self.now -= 1


def run(controller: Controller, until: Latch, drain_seconds: float = 10.0) -> None:
    """Until something has happened; then drain."""
    stop = Stop()
    until.on_set(stop.set)
    controller.run(stop, drain_seconds=drain_seconds)


def test_as_many_as_there_are_workers_wait_at_a_time_in_one_thread():
    sight, done, left, are_three = Sight(), Latch(), [*KEYS], asyncio.Event()

    async def reconcile(key: ObjectKey) -> Result:
        with sight:
            if sight.now == 3:
                are_three.set()
            await are_three.wait()
            await asyncio.sleep(0.05)  # a fourth one would come meanwhile
        left.remove(key)
        if not left:
            done.set()
        return Result()

    controller = Controller("net", reconcile, workers=3)
    for key in KEYS:
        controller.queue.add(key)
    run(controller, done)
    assert (sight.most, sight.threads) == (3, {"net-loop"})


def test_what_a_coroutine_raises_is_its_failure_and_ends_nothing():
    done, calls = Latch(), []

    async def reconcile(key: ObjectKey) -> Result:
        calls.append(key)
        if len(calls) == 1:
            raise asyncio.CancelledError
        done.set()
        return Result()

    controller = Controller("net", reconcile)
    controller.queue.add(KEYS[0])
    run(controller, done)
    assert len(calls) == 2
    assert controller.why_dead() == ""


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_what_a_task_of_a_coroutines_own_raises_ends_nothing_either(error):
    done, calls = Latch(), []

    async def part() -> None:
        raise error

    async def reconcile(key: ObjectKey) -> Result:
        calls.append(key)
        if len(calls) == 1:
            await asyncio.create_task(part())
        done.set()
        return Result()

    controller = Controller("net", reconcile)
    controller.queue.add(KEYS[0])
    try:
        run(controller, done)
    except BaseException as raised:
        raise AssertionError(f"{type(raised).__name__} got out") from None  # or it would end the test run
    assert (len(calls), controller.why_dead()) == (2, "")


async def stops_the_loop() -> None:
    asyncio.get_running_loop().stop()
    await asyncio.sleep(0.01)


async def cancels_whatever_runs() -> None:
    for each in asyncio.all_tasks() - {asyncio.current_task()}:
        each.cancel()
    await asyncio.sleep(0.01)


async def exhausts_an_iterator_in_a_thread() -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):  # which a coroutine could not be told of
        await asyncio.to_thread(next, iter(()))


@pytest.mark.parametrize(
    "what_it_does",
    [stops_the_loop, cancels_whatever_runs, exhausts_an_iterator_in_a_thread],
    ids=lambda it: it.__name__,
)
def test_what_a_coroutine_does_to_its_loop_ends_no_other(what_it_does):
    done, calls = Latch(), []

    async def reconcile(key: ObjectKey) -> Result:
        calls.append(key)
        if len(calls) == 1:
            await what_it_does()
            return Result(requeue_after=0.005)
        done.set()
        return Result()

    controller = Controller("net", reconcile)
    controller.queue.add(KEYS[0])
    run(controller, done)
    assert (len(calls), controller.why_dead()) == (2, "")


def test_a_deadline_cancels_what_waits():
    done, waits = Latch(), [3600.0]

    async def reconcile(_key: ObjectKey) -> Result:
        await asyncio.sleep(waits.pop() if waits else 0.0)
        done.set()
        return Result()

    controller = Controller("net", reconcile, options=ControllerOptions(reconcile_timeout=0.2))
    controller.queue.add(KEYS[0])
    with capture_logs() as lines:
        run(controller, done)
    assert "DeadlineExceeded: not done within 0.2 s" in [each.get("error") for each in lines]


def test_a_stop_cancels_what_does_not_end_and_no_key_has_failed():
    begun, ended = Latch(), []

    async def reconcile(key: ObjectKey) -> Result:
        begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append(key)
        return Result()

    controller = Controller("net", reconcile)
    controller.queue.add(KEYS[0])
    run(controller, begun, drain_seconds=0.01)
    assert ended == [KEYS[0]]
    assert controller.journal.last(KEYS[0]).result == "interrupted"


def test_a_coroutine_that_heeds_no_cancellation_is_reported():
    begun, let_go = Latch(), threading.Event()

    async def reconcile(_key: ObjectKey) -> Result:
        begun.set()
        let_go.wait(30)  # blocks the loop
        return Result()

    controller = Controller("net", reconcile)
    controller.queue.add(KEYS[0])
    try:
        with pytest.raises(TimeoutError):
            run(controller, begun, drain_seconds=0.01)
    finally:
        let_go.set()


def test_a_failure_of_our_own_ends_the_controller():
    async def reconcile(_key: ObjectKey) -> Result:
        return Result()

    controller = Controller("net", reconcile)
    kill(controller, RuntimeError("ours"))
    controller.queue.add(KEYS[0])
    controller.start()
    assert controller.died.wait(30.0)
    assert "ours" in controller.why_dead()
    with pytest.raises(RuntimeError, match="ours"):
        controller.stop()


class ConfigMap(TypedObject, resource=CONFIG_MAPS):
    data: dict[str, str] = msgspec.field(default_factory=dict)


def build(app: App) -> None:
    volumes, maps = app.client.resource(Volume), app.client.resource(ConfigMap)
    cached = app.factory.informer(Volume).lister

    async def reconcile(key: ObjectKey) -> Result:
        found = cached.get(key)
        if found is None:
            return Result()
        await asyncio.sleep(5)  # somebody else's answer
        wanted = ConfigMap(metadata=Metadata(name=found.name), data={"size": found.spec.size})
        await asyncio.gather(
            asyncio.to_thread(maps.apply, wanted, owner=found),
            asyncio.to_thread(volumes.write_status, found, VolumeStatus("Ready")),
        )
        return Result()

    app.controller(Volume).reconciles(reconcile, options=ControllerOptions(reconcile_timeout=60.0))


def test_on_the_bench_a_pause_moves_the_time_and_threads_are_none(operator_env):
    env = operator_env(build, types=[Volume])
    before = threading.active_count()
    env.create(volume())
    assert env.clock.now() == 10.0  # the status that it wrote brings it back once
    assert env.get(Volume, "a").status.phase == "Ready"
    assert env.writes() == ["patch default/a", "update default/a/status", "patch default/a"]
    assert threading.active_count() == before


def test_on_the_bench_a_call_that_fails_in_a_thread_backs_off(operator_env):
    env = operator_env(build, types=[Volume])
    env.fail("patch", ConfigMap, ServiceUnavailable, retry_after=7)
    env.create(volume())
    assert env.key("a").next_try == 12.0  # seven seconds after it failed
    env.advance(20.0)
    assert env.names(ConfigMap) == ["a"]


def test_on_the_bench_a_deadline_is_on_the_clock_of_the_test(operator_env):
    async def hang(_key: ObjectKey) -> Result:
        await asyncio.sleep(3600)
        return Result()

    def build_hanging(app: App) -> None:
        app.controller(Volume).reconciles(hang, options=ControllerOptions(reconcile_timeout=60.0))

    env = operator_env(build_hanging, types=[Volume])
    env.create(volume())
    assert env.key("a").error == "DeadlineExceeded: not done within 60 s"
    assert env.clock.now() == 60.0


def test_on_the_bench_a_wait_for_nothing_is_an_error():
    async def reconcile(_key: ObjectKey) -> Result:
        await asyncio.Event().wait()
        return Result()

    controller = Controller("net", reconcile, clock=JumpingClock())
    controller.queue.add(KEYS[0])
    with pytest.raises(AssertionError, match="nobody will bring about"):
        controller.process_next()


def test_on_the_bench_what_a_task_of_a_coroutines_own_raises_backs_off(operator_env):
    async def part() -> None:
        raise SystemExit("of a library")

    async def reconcile(_key: ObjectKey) -> Result:
        await asyncio.create_task(part())
        return Result()

    env = operator_env(lambda app: app.controller(Volume).reconciles(reconcile), types=[Volume])
    env.create(volume())
    assert env.key("a").failures > 0


def test_on_the_bench_of_a_test_that_is_a_coroutine_itself_it_is_said_what_to_do(operator_env):
    async def test() -> None:
        env = operator_env(build, types=[Volume])
        env.create(volume())

    with pytest.raises(RuntimeError, match="def, not async def"):
        asyncio.run(test())
