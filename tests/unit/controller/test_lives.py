"""What goes on as long as an object lives: timers and daemons."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from btcctl import App, ObjectKey
from btcctl.app.app import built
from btcctl.controller.lives.daemons import Daemons
from btcctl.controller.lives.timers import Timer
from btcctl.testing import FakeClient, FakeClock
from btcctl.threads import Latch, Stop
from tests.unit.webhooks.volumes import Volume, volume

KEY = ObjectKey("default", "a")


class Calls:
    def __init__(self) -> None:
        self.at: list[float] = []
        self.fails = 0
        self.app: App | None = None

    def __call__(self, key: ObjectKey) -> None:
        assert self.app
        self.at.append(self.app.clock.now())
        if self.fails:
            self.fails -= 1
            raise ValueError("not yet")


def timer_of(calls: Calls, **options: Any) -> Callable[[App], None]:
    def build(app: App) -> None:
        calls.app = app
        app.every(60.0, Volume, calls, jitter=0.0, **options)

    return build


def test_a_timer_calls_from_when_the_object_is_seen_to_its_end(operator_env):
    calls = Calls()
    env = operator_env(timer_of(calls), types=[Volume])
    env.create(volume())
    env.advance(130.0)
    assert calls.at == [0.0, 60.0, 120.0]
    env.delete(Volume, "a")
    env.advance(300.0)
    assert len(calls.at) == 3


def test_a_change_of_the_object_brings_no_call_forward_and_a_namesake_begins_anew(operator_env):
    calls = Calls()
    env = operator_env(timer_of(calls, first_after=10.0), types=[Volume])
    env.create(volume())
    env.advance(30.0)
    env.update(Volume, "a", lambda body: body["spec"].update(size="2Gi"))
    assert calls.at == [10.0]
    env.partition(Volume)
    env.delete(Volume, "a")
    env.create(volume())
    env.heal()
    env.advance(10.0)
    assert calls.at == [10.0, 40.0]


def test_a_call_that_fails_comes_back_soon_and_then_in_step(operator_env):
    calls = Calls()
    calls.fails = 1
    env = operator_env(timer_of(calls), types=[Volume])
    env.create(volume())
    env.advance(61.0)
    assert calls.at == [0.0, 0.005, 60.005]


def test_a_timer_may_be_a_coroutine(operator_env):
    seen: list[str] = []

    async def look(key: ObjectKey) -> None:
        seen.append(str(key))

    env = operator_env(lambda app: app.every(60.0, Volume, look), types=[Volume])
    env.create(volume())
    env.advance(70.0)
    assert seen == ["default/a"] * 2
    assert env.key("a", "volumes-look").result == "requeue_after"


def test_jitter_spreads_calls_within_its_part():
    timer = Timer(100.0, lister_of(), FakeClock(), jitter=0.1, rng=random.Random(7))
    pauses = [timer.begin(KEY) for _ in range(200)]
    assert 90.0 <= min(pauses) < 92.0
    assert 108.0 < max(pauses) <= 110.0


def lister_of() -> Any:
    return App(FakeClient(types=[Volume]), "x").factory.informer(Volume).lister


@pytest.mark.parametrize("options", [{"seconds": 0}, {"seconds": float("inf")}, {"jitter": 1}, {"first_after": -1}])
def test_a_timer_that_cannot_be_is_refused(options):
    with pytest.raises(ValueError, match="must be"):
        Timer(**{"seconds": 1.0, "lister": lister_of(), "clock": FakeClock(), **options})


class Running:
    """An operator with daemons, in threads."""

    def __init__(self, function: Callable[[ObjectKey, Stop], None]) -> None:
        self.client = FakeClient(types=[Volume])
        app = App(self.client, "x")
        self.daemons: Daemons = app.daemon(Volume, function, name="follow")
        self.manager = built(lambda _: None, app)

    def __enter__(self) -> Running:
        self.manager.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.manager.stop()


def test_a_daemon_runs_from_the_birth_of_its_object_to_its_death():
    begun, ended = Latch(), Latch()

    def follow(_key: ObjectKey, stop: Stop) -> None:
        begun.set()
        stop.wait()
        ended.set()

    with Running(follow) as running:
        volumes = running.client.resource(Volume)
        volumes.create(volume())
        assert begun.wait(30.0)
        assert running.daemons.running() == [KEY]
        volumes.delete(KEY)
        assert ended.wait(30.0)


def test_a_daemon_that_raises_begins_again_and_one_that_returns_does_not():
    calls, again = [], Latch()

    def follow(key: ObjectKey, _stop: Stop) -> None:
        calls.append(key)
        if len(calls) < 3:
            raise ValueError("not yet")
        again.set()

    with Running(follow) as running:
        running.client.resource(Volume).create(volume())
        assert again.wait(30.0)
    assert len(calls) == 3
    assert running.daemons.running() == []


def test_a_stop_ends_all_daemons_and_one_that_heeds_none_is_named():
    begun, let_go = Latch(), Latch()

    def hang(_key: ObjectKey, _stop: Stop) -> None:
        begun.set()
        let_go.wait(60.0)

    running = Running(hang)
    running.manager.start()
    running.client.resource(Volume).create(volume())
    assert begun.wait(30.0)
    with pytest.raises(TimeoutError, match="daemon of default/a"):
        running.manager.stop(0.1)
    let_go.set()


def test_a_namesake_has_a_daemon_of_its_own_which_begins_after_the_first_has_ended():
    log: list[str] = []
    first, second = Latch(), Latch()

    def follow(_key: ObjectKey, stop: Stop) -> None:
        (second if log else first).set()
        log.append("begin")
        stop.wait()
        log.append("end")

    with Running(follow) as running:
        volumes = running.client.resource(Volume)
        volumes.create(volume())
        assert first.wait(30.0)
        volumes.delete(KEY)
        volumes.create(volume())
        assert second.wait(30.0)
    assert log == ["begin", "end"] * 2
