from __future__ import annotations

import pytest

from btcctl import (
    App,
    AppOptions,
    ControllerOptions,
    Elector,
    LeaseLock,
    Metrics,
    ObjectKey,
    Result,
    mutates,
    validates,
)
from btcctl.leaderelection.fence import Fence
from btcctl.testing import FakeClient
from btcctl.threads import Latch
from tests.unit.app.greeter import ConfigMap, Greeting, GreetingStatus, build, greeting


class Service:
    """Says when it was started and stopped."""

    def __init__(self, name: str, said: list[str], started: Latch | None = None) -> None:
        self._name, self._said, self._started = name, said, started

    def start(self) -> None:
        self._said.append(f"{self._name} started")
        if self._started is not None:
            self._started.set()

    def stop(self, timeout: float = 0.0) -> None:
        self._said.append(f"{self._name} stopped")


def app(**more: object) -> App:
    return App(FakeClient(types=[Greeting], field_manager="greeter"), "greeter", **more)  # type: ignore[arg-type]


def test_an_app_runs_on_the_bench(operator_env):
    env = operator_env(build, types=[Greeting], field_manager="greeter")
    env.create(greeting())
    assert env.get(ConfigMap, "a").data == {"text": "Hello, Ada!"}
    assert env.get(Greeting, "a").status == GreetingStatus(said=True)
    assert env.events("a") == ["Greeted"]
    env.assert_quiescent()


def test_controllers_have_the_app_s_options_unless_they_have_their_own():
    made = app(options=AppOptions(workers=7))
    first = made.controller(Greeting).reconciles(lambda key: Result())
    second = made.controller(ConfigMap).reconciles(
        lambda key: Result(), name="mine", options=ControllerOptions(workers=1)
    )
    assert [each.name for each in made.manager().controllers] == ["greetings", "mine"]
    assert (first.workers, second.workers) == (7, 1)


def test_caches_are_of_the_namespaces_that_were_chosen():
    made = app(options=AppOptions(namespaces=("a", "b")))
    informer = made.factory.informer(Greeting).informer
    assert informer is made.factory.informer(Greeting, namespace=["a", "b"]).informer


def test_all_that_is_counted_is_in_one_registry():
    metrics = Metrics()
    made = app(metrics=metrics)
    build_ = made.controller(Greeting).reconciles(lambda key: Result())
    text = metrics.text().decode()
    assert 'controller_runtime_max_concurrent_reconciles{controller="greetings"} 2' in text
    assert build_.name == "greetings"


def test_nothing_is_added_once_the_manager_is_made():
    made = app()
    build(made)
    assert made.manager() is made.manager()
    with pytest.raises(RuntimeError, match="a service was added to greeter after its manager was made"):
        made.service(Service("late", []))
    with pytest.raises(RuntimeError, match="a controller was added"):
        build(made)


def test_an_app_without_anything_to_do_says_how_to_give_it_something():
    with pytest.raises(ValueError, match=r"greeter has nothing to do: app.controller\(Database\)"):
        app().manager()


@pytest.mark.parametrize(
    ("mistake", "complaint"),
    [
        (lambda app: app.webhooks(lambda request: None), "is no hook: @validates"),
        (lambda app: app.webhooks(validates(Greeting)), "is no hook: @validates"),
        (lambda app: app.webhooks([]), "is no hook: @validates"),
        (lambda app: validates(lambda request: None), "a kind is a ResourceType"),
        (lambda app: mutates(lambda request: None), "a kind is a ResourceType"),
        (lambda app: app.add("greetings"), "'greetings' is no controller"),
        (lambda app: app.every(5.0, Greeting, None), "a timer calls a function of a key, not None"),
        (
            lambda app: app.controller(Greeting).reconciles(lambda key: Result(), options={"workers": 1}),
            "options is of type dict, must be ControllerOptions",
        ),
    ],
)
def test_mistakes_are_told_where_they_are_made(mistake, complaint):
    with pytest.raises(TypeError, match=complaint):
        mistake(app())


def test_a_service_that_has_to_lead_waits_for_that_and_another_does_not():
    client, said, started = FakeClient(types=[Greeting]), list[str](), Latch()
    elector = Elector(LeaseLock(client, ObjectKey("default", "greeter")), Fence())
    made = App(client, "greeter", elector=elector)
    made.service(Service("always", said))
    made.service(Service("leading", said, started), leading=True)
    manager = made.manager()
    manager.start()
    assert said[0] == "always started"
    assert started.wait(60.0)
    assert elector.leading.is_set()
    manager.stop()
    assert said[2:] == ["leading stopped", "always stopped"]


def test_without_an_election_such_a_service_runs_too():
    said: list[str] = []
    made = app()
    made.service(Service("leading", said), leading=True)
    made.manager().start()
    made.manager().stop()
    assert said == ["leading started", "leading stopped"]
