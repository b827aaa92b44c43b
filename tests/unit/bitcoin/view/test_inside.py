from __future__ import annotations

from typing import Any

import pytest

from btcctl.bitcoin.view.hub import Hub
from btcctl.bitcoin.view.insides import CacheView, Controller, QueueView
from btcctl.bitcoin.view.model import Server, State
from btcctl.bitcoin.view.operator.inside import Inside, steadied
from btcctl.errors import BtcctlError
from btcctl.testing import FakeClock
from btcctl.threads import Stop

KEY = {
    "state": "running",
    "failures": 2,
    "next_try_seconds": None,
    "reconcile_id": "net-7",
    "running_seconds": 0.5,
    "last": {"reconcile_id": "net-6", "result": "error", "seconds": 0.25, "seconds_ago": 3.0, "error": "Odd: so"},
}
QUEUE = {"depth": 1, "delayed": 2, "running": 1, "next_due_seconds": 4.0, "keys": {"default/net": KEY}}
CACHE = {"synced": True, "objects": 3, "queued": 0, "events": 9, "last_event_seconds_ago": 2.0, "silent_seconds": 1.0}
STEP = {"number": 1, "at": 5.0, "stage": "handler", "of": "nets", "key": "default/net", "version": "9"}


class Pages:
    """Debug pages, as they are now; one that is an error is raised."""

    def __init__(self) -> None:
        self.pages: dict[str, Any] = {"queue": {"nets": QUEUE}, "informers": {"pods": CACHE}, "lead": {"leads": True}}
        self.steps: list[dict[str, Any]] = [{**STEP, "what": "pods", "reconcile": "net-7"}]
        self.asked: list[str] = []

    def fetch(self, page: str) -> Any:
        self.asked.append(page)
        if page.startswith("steps/"):
            last = int(page.removeprefix("steps/"))
            return {"steps": [each for each in self.steps if each["number"] > last]}
        found = self.pages[page]
        if isinstance(found, BtcctlError):
            raise found
        return found


class Once(Stop):
    """Ends a loop after it has gone round so many times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.left = times
        self.pauses: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout or 0.0)
        self.left -= 1
        if self.left <= 0:
            self.set()
        return self.is_set()


class Looked:
    def __init__(self, **more: Any) -> None:
        self.hub, self.pages, self.clock = Hub(), Pages(), FakeClock()
        self.inside = Inside(self.hub, self.pages.fetch, where="here", clock=self.clock, **more)
        self.page = self.hub.join("", lambda: None)
        self.taken()

    def taken(self) -> bytes:
        return self.page.take(lambda _: State(0.0, Server("0", "test")))

    def look(self, times: int = 1) -> Once:
        once = Once(times)
        self.inside.run(once)
        return once


@pytest.fixture
def looked() -> Looked:
    return Looked()


def test_queues_and_caches_are_shown_with_instants(looked):
    looked.look()
    picture, now = looked.inside.picture(), looked.clock.wall_time().timestamp()
    assert (picture.is_visible, picture.where) == (True, "here")
    (queue,), (cache,) = picture.queues, picture.caches
    assert (queue.name, queue.depth, queue.delayed, queue.running, queue.next_at) == ("nets", 1, 2, 1, now + 4)
    assert (cache.name, cache.objects, cache.heard_at, cache.changed_at) == ("pods", 3, now - 1, now - 2)
    (key,) = queue.keys
    assert (key.key, key.state, key.since, key.failures, key.next_at) == ("default/net", "running", now - 0.5, 2, 0.0)
    assert (key.last_result, key.last_error, key.last_at, key.last_seconds) == ("error", "Odd: so", now - 3, 0.25)


@pytest.mark.parametrize("leads", [True, False])
def test_whether_it_leads_is_shown(looked, leads: bool):
    looked.pages.pages["lead"] = {"leads": leads}
    looked.look()
    assert looked.inside.picture().is_leading is leads


def test_a_key_in_hand_says_which_change_led_to_it(looked):
    looked.look()
    assert looked.inside.picture().queues[0].keys[0].why == "pods 9"


def test_steps_are_told_once_and_the_next_look_asks_for_later_ones(looked):
    looked.look()
    assert looked.taken().count(b"event: steps") == 1
    looked.pages.steps.append({**STEP, "number": 2, "stage": "queue"})
    looked.look()
    told = looked.taken()
    assert told.count(b"event: steps") == 1
    assert b'"number":2' in told
    assert b'"number":1' not in told
    assert "steps/1" in looked.pages.asked
    assert [step.number for step in looked.inside.picture().steps] == [1, 2]


def test_nothing_new_is_not_told(looked):
    looked.look()
    looked.taken()
    looked.clock.advance(1.0)
    moved = {**CACHE, "last_event_seconds_ago": 3.01, "silent_seconds": 2.01}
    later = {**KEY, "running_seconds": 1.5, "last": {**KEY["last"], "seconds_ago": 4.0}}  # type: ignore[dict-item]
    looked.pages.pages = {
        "queue": {"nets": {**QUEUE, "next_due_seconds": 3.0, "keys": {"default/net": later}}},
        "informers": {"pods": moved},
        "lead": {"leads": True},
    }
    looked.look()
    assert b"event: controller" not in looked.taken()


def test_nobody_is_asked_while_nobody_looks(looked):
    looked.hub.leave(looked.page)
    looked.look(3)
    assert looked.pages.asked == []


def test_an_operator_that_cannot_be_looked_into_says_why_and_is_asked_less_often(looked):
    looked.pages.pages["queue"] = BtcctlError("no debug pages: turn them on")
    once = looked.look()
    picture = looked.inside.picture()
    assert not picture.is_visible
    assert picture.why_not == "no debug pages: turn them on"
    assert once.pauses[0] >= 5.0
    looked.pages.pages["queue"] = {"nets": QUEUE}
    looked.clock.advance(10.0)
    looked.look()
    assert looked.inside.picture().is_visible


def test_pages_that_make_no_sense_are_a_reason_too(looked):
    looked.pages.pages["queue"] = {"nets": {"depth": "many"}}
    looked.look()
    assert "no sense" in looked.inside.picture().why_not


def test_without_an_operator_there_is_only_the_reason():
    inside = Inside(Hub(), None, why_not="started without one")
    inside.run(Once(1))
    assert inside.picture() == Controller(why_not="started without one")


def test_instants_that_only_tremble_are_the_same():
    old = Controller(True, queues=[QueueView("q", next_at=10.0)], caches=[CacheView("c", heard_at=5.0)])
    near = Controller(True, queues=[QueueView("q", next_at=10.01)], caches=[CacheView("c", heard_at=5.02)])
    far = Controller(True, queues=[QueueView("q", next_at=11.0)], caches=[CacheView("c", heard_at=5.0)])
    assert steadied(near, old) == old
    assert steadied(far, old) == far
