"""Whatever transforms, indices, predicates and handlers raise: one call has failed, and the informer goes on."""

from __future__ import annotations

import asyncio
import threading

import pytest

from btcctl.informers.shared_informer import SharedInformer
from btcctl.informers.sharing.filters import FilteringHandler, PredicateHandler
from btcctl.informers.sharing.notifications import EventHandler, HandlerFuncs
from btcctl.objects import Object
from tests.unit.informers.support import LiveSource, key, pod


class Unprintable(Exception):
    def __str__(self) -> str:
        raise asyncio.CancelledError


class Classless(Exception):
    @property
    def __class__(self) -> type:
        raise LookupError("no class")


class Annotated(Exception):
    """What writes its traceback asks for its notes."""

    @property
    def __notes__(self) -> list[str]:
        raise asyncio.CancelledError("no notes")


RAISED = [
    *(asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit, MemoryError),
    *(Unprintable, Classless, Annotated),
]


class Foreign:
    """Code of somebody else's, which raises for the object `bad`; and a handler that waits for `good`."""

    def __init__(self, raised: type[BaseException]) -> None:
        self.raised = raised
        self.told_of_good = threading.Event()

    def check(self, obj: Object | None) -> None:
        if obj is not None and obj.name == "bad":
            raise self.raised

    def transform(self, obj: Object) -> Object:
        self.check(obj)
        return obj

    def index(self, obj: Object) -> list[str]:
        self.check(obj)
        return [obj.name]

    def keep(self, obj: Object) -> bool:
        self.check(obj)
        return True

    def wants(self, old: Object | None, new: Object | None) -> bool:
        self.check(new)
        return True

    def on_add(self, obj: Object, in_initial_list: bool) -> None:
        if obj.name == "good" and not in_initial_list:
            self.told_of_good.set()

    def raising(self) -> EventHandler:
        def on_add(obj: Object, in_initial_list: bool) -> None:
            self.check(obj)
            self.on_add(obj, in_initial_list)

        return HandlerFuncs(on_add=on_add)


@pytest.fixture(params=RAISED, ids=lambda each: each.__name__)
def foreign(request: pytest.FixtureRequest) -> Foreign:
    return Foreign(request.param)


def goes_on(informer: SharedInformer, source: LiveSource, foreign: Foreign, handler: EventHandler) -> None:
    informer.add_handler(handler)
    with informer:
        assert informer.wait_for_sync(10.0)
        source.put("bad")
        source.put("good")
        assert foreign.told_of_good.wait(60.0)
        assert informer.lister.get(key("good")) is not None
        assert informer.why_dead() == ""


def test_a_transform_that_raises_fails_for_one_object(foreign):
    source = LiveSource(pod("bad", 5))
    informer = SharedInformer(source, name="pods", transform=foreign.transform)
    goes_on(informer, source, foreign, HandlerFuncs(on_add=foreign.on_add))
    assert informer.lister.keys() == [key("good")]


def test_an_index_function_that_raises_fails_for_one_object(foreign):
    source = LiveSource(pod("bad", 5))
    informer = SharedInformer(source, name="pods", indexers={"name": foreign.index})
    goes_on(informer, source, foreign, HandlerFuncs(on_add=foreign.on_add))
    assert informer.lister.by_index("name", "bad") == []
    assert informer.lister.get(key("bad")) is not None


def test_an_index_that_is_added_later_and_raises_fails_for_one_object(foreign):
    with SharedInformer(LiveSource(pod("bad", 5), pod("good", 6)), name="pods") as informer:
        assert informer.wait_for_sync(10.0)
        informer.add_index("name", foreign.index)
        assert [each.name for each in informer.lister.by_index("name", "good")] == ["good"]
        assert informer.statistics().quarantined == 1


@pytest.mark.parametrize("around", ["nothing", "filter", "predicate"])
def test_a_handler_that_raises_is_told_the_next_thing(foreign, around):
    plain = HandlerFuncs(on_add=foreign.on_add)
    handlers: dict[str, EventHandler] = {
        "nothing": foreign.raising(),
        "filter": FilteringHandler(plain, foreign.keep),
        "predicate": PredicateHandler(plain, foreign.wants),
    }
    source = LiveSource(pod("bad", 5))
    informer = SharedInformer(source, name="pods")
    goes_on(informer, source, foreign, handlers[around])
