"""Daemons on the bench: in the test's steps, on its time."""

from __future__ import annotations

import threading

import pytest

from btcctl import App, ObjectKey, Stop
from btcctl.clock import sleep
from tests.unit.app.greeter import ConfigMap, Greeting, greeting


class Diary:
    """What a daemon does, and when."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.app: App | None = None

    def build(self, app: App) -> None:
        self.app = app
        app.daemon(Greeting, self.follow)

    def follow(self, key: ObjectKey, stop: Stop) -> None:
        assert self.app is not None
        self.note(f"{key.name} begins")
        while not stop.wait(10.0):
            self.note(f"{key.name} looks")
        sleep(1.0, self.app.clock)
        self.note(f"{key.name} ends")

    def note(self, what: str) -> None:
        assert self.app is not None
        self.said.append(f"{self.app.clock.now():g} {what}")


@pytest.fixture
def diary() -> Diary:
    return Diary()


def test_a_daemon_lives_as_long_as_its_object(operator_env, diary):
    env = operator_env(diary.build, types=[Greeting])
    env.create(greeting())
    assert diary.said == ["0 a begins"]
    env.advance(25.0)
    env.delete(Greeting, "a")
    env.advance(5.0)
    assert diary.said == ["0 a begins", "10 a looks", "20 a looks", "26 a ends"]


def test_two_take_turns_in_one_order(operator_env, diary):
    env = operator_env(diary.build, types=[Greeting])
    env.create(greeting("a"), greeting("b"))
    env.advance(10.0)
    assert diary.said == ["0 a begins", "0 b begins", "10 a looks", "10 b looks"]


def test_one_that_fails_begins_again_and_is_a_failure_of_its_key(operator_env):
    began: list[float] = []

    def build(app: App) -> None:
        def follow(key: ObjectKey, stop: Stop) -> None:
            began.append(app.clock.now())
            if len(began) < 3:
                raise ValueError("not yet")
            stop.wait()

        app.daemon(Greeting, follow)

    env = operator_env(build, types=[Greeting])
    env.create(greeting())
    env.advance(1.0)
    assert len(began) == 3
    assert began[0] == 0.0 < began[1] < began[2]


def test_what_a_daemon_writes_is_seen(operator_env):
    def build(app: App) -> None:
        def follow(key: ObjectKey, stop: Stop) -> None:
            app.client.resource(ConfigMap, "default").create(ConfigMap(data={"seen": key.name}, **named(key.name)))

        app.daemon(Greeting, follow)

    env = operator_env(build, types=[Greeting])
    env.create(greeting())
    assert env.get(ConfigMap, "a").data == {"seen": "a"}
    env.advance(60.0)
    assert env.writes() == ["create default/a"], "one that returns is not begun again"


def named(name: str) -> dict[str, object]:
    made = ConfigMap()
    made.metadata.name = name
    return {"metadata": made.metadata}


def test_a_restart_kills_them_where_they_wait(operator_env, diary):
    env = operator_env(diary.build, types=[Greeting])
    env.create(greeting())
    env.advance(12.0)
    env.restart()
    assert diary.said == ["0 a begins", "10 a looks", "12 a begins"]
    assert len([each for each in threading.enumerate() if "greetings-follow" in each.name]) == 1
