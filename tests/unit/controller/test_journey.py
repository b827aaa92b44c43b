"""A change on its way through an operator, seen at each stage."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from btcctl.controller.controller import Controller
from btcctl.controller.debugging import DebugPages
from btcctl.controller.journey import MAX_STEPS, Journey, Step
from btcctl.controller.manager import Manager
from btcctl.controller.reconciling.result import Result
from btcctl.informers.factory import SharedInformerFactory
from btcctl.objects import ObjectKey
from btcctl.resources import CONFIG_MAPS
from btcctl.testing.fake_client import FakeClient

LIMIT_SECONDS = 30.0
KEY = ObjectKey("default", "a")
STAGES = ["reflector", "fifo", "cache", "handler", "queue", "reconcile", "done"]


class Operator:
    """One controller of ConfigMaps; what it reconciles fails if it says so."""

    def __init__(self) -> None:
        self.client = FakeClient()
        self.maps = self.client.resource(CONFIG_MAPS, "default")
        factory = SharedInformerFactory(self.client)
        self.informer = factory.informer(CONFIG_MAPS)
        self.controller = Controller("net", self.reconcile, workers=1)
        self.controller.watch(self.informer)
        self.manager = Manager(factory, [self.controller])
        self.journey = Journey(self.manager)

    def reconcile(self, key: ObjectKey) -> Result:
        found = self.informer.lister.get(key)
        if found is not None and "fails" in (found.body().get("data") or {}):
            raise ValueError("as it was asked to")
        return Result()

    def steps(self, key: ObjectKey = KEY) -> list[Step]:
        return [each for each in self.journey.since(0) if each.key == key]


@pytest.fixture
def operator() -> Iterator[Operator]:
    """Its caches are kept by threads; what a worker does, the test does."""
    operator = Operator()
    operator.manager.factory.start()
    assert operator.informer.wait_for_sync(LIMIT_SECONDS)
    yield operator
    operator.manager.factory.stop()


def create(operator: Operator, **data: str) -> None:
    operator.maps.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data})


def test_a_change_is_seen_at_every_stage_in_their_order(operator):
    create(operator)
    operator.controller.process_next()
    steps = operator.steps()
    assert [each.stage for each in steps] == STAGES
    assert [each.number for each in steps] == sorted(each.number for each in steps)
    assert [each.at for each in steps] == sorted(each.at for each in steps)


def test_each_step_says_what_it_is_of(operator):
    create(operator)
    operator.controller.process_next()
    by_stage = {each.stage: each for each in operator.steps()}
    version = operator.maps.get(KEY).resource_version
    assert [by_stage[stage].version for stage in STAGES] == [version] * 4 + [""] * 3
    assert [by_stage[stage].of for stage in STAGES] == ["configmaps"] * 3 + ["net"] * 4
    assert [by_stage[stage].what for stage in STAGES] == ["ADDED"] * 3 + ["configmaps", "", "", "success"]
    assert {by_stage[stage].reconcile for stage in STAGES[3:]} == {"net-1"}


def test_a_failure_is_told_with_its_reason(operator):
    create(operator, fails="yes")
    operator.controller.process_next()
    done = next(each for each in operator.steps() if each.stage == "done")
    assert done.what == "error: ValueError: as it was asked to"


def test_only_later_steps_are_told_to_who_knows_the_others(operator):
    create(operator)
    operator.controller.process_next()
    last = operator.journey.since(0)[-1].number
    assert operator.journey.since(last) == []
    operator.maps.delete(KEY)
    operator.controller.process_next()
    assert [each.what for each in operator.journey.since(last)][:3] == ["DELETED"] * 3


def test_the_steps_are_a_debug_page(operator):
    create(operator)
    operator.controller.process_next()
    page = DebugPages(operator.manager, journey=operator.journey).page("steps/0")
    assert page is not None
    assert [each["stage"] for each in page["steps"]] == STAGES
    assert page["steps"][0]["key"] == "default/a"
    assert DebugPages(operator.manager).page("steps/0") is None
    assert DebugPages(operator.manager, journey=operator.journey).page("steps/x") is None


def test_only_the_last_steps_are_remembered():
    operator = Operator()
    for _ in range(MAX_STEPS):
        operator.controller.journal.begin(KEY)
        operator.controller.journal.end(KEY, "success")
    assert len(operator.journey.since(0)) == MAX_STEPS
    assert operator.journey.since(0)[0].number == MAX_STEPS + 1


def test_who_is_not_observed_any_more_tells_nothing(operator):
    operator.informer.observe(None)
    create(operator)
    operator.controller.process_next()
    assert {each.stage for each in operator.steps()} == set(STAGES[3:])
