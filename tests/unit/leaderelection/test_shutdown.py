"""A candidate is asked to stop at every line that it passes."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import pytest

from btcctl.errors import TransportError
from btcctl.leaderelection import election, elector, fence, release
from btcctl.leaderelection.record import LeaseRecord
from btcctl.testing.clock import FakeClock
from btcctl.threads import Stop
from tests.properties import EFFORT
from tests.sweep import Place, sweep
from tests.unit.leaderelection import support
from tests.unit.leaderelection.support import TIMING, Candidate, Server

MODULES = (election, elector, fence, release, support)
PASSES = 2 * EFFORT  # the second renewal knows more than the first attempt
PLAY_SECONDS = 7.0  # some renewals
CALL_SECONDS = 0.25
# What may be under way is an update, a read and a write; then the lease is given back.
GRACE_SECONDS = 3 * CALL_SECONDS + TIMING.call_seconds
DOWN = TransportError("unreachable")


class HurriedClock(FakeClock):
    """Nobody waits: the time is over at once. After PLAY_SECONDS the play is, too."""

    def __init__(self) -> None:
        super().__init__()
        self.stop = Stop(self)

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        assert timeout is not None
        self.advance(timeout)
        if self.now() > PLAY_SECONDS:
            self.stop.set()
        return False


class Scene:
    """One candidate from its start to its end. Somebody else may do something when it makes its nth call."""

    def __init__(self, disturb: Callable[[Scene, int], None]) -> None:
        self.clock = HurriedClock()
        self.server = Server()
        self.a = Candidate(self.server, self.clock, "a")
        self.lock = self.a.lock
        self.lock.seconds = CALL_SECONDS
        self.lock.before = lambda _: self.before(disturb)
        self.lock.stored = self.note
        self.written = ""  # by us: "a" takes or renews, "-" gives back
        self.acted_at: float | None = None
        self.written_then = ""
        self.is_due = False  # whether it was stopped by us, not by the end of the play
        self.is_down = False  # whether the last call found nobody
        self.grace_seconds = GRACE_SECONDS
        self.may_write = "a?-?"  # after the stop
        self.theirs: LeaseRecord | None = None  # what another holds it with
        self.wrong: list[str] = []  # an error raised here would count as the lock's

    def play(self) -> None:
        self.a.elector.run(self.clock.stop)

    def act(self) -> None:
        self.acted_at, self.written_then, self.is_due = self.clock.now(), self.written, not self.clock.stop.is_set()
        self.clock.stop.set()

    def before(self, disturb: Callable[[Scene, int], None]) -> None:
        self.is_down = False
        disturb(self, len(self.lock.calls) - 1)
        self.lock.failures = [DOWN] if self.is_down else []

    def note(self, record: LeaseRecord) -> None:
        self.written += record.holder or "-"
        if not record.holder and self.a.may_act():
            self.wrong.append("work could begin while the lease was given back")

    def rival(self, holder: str) -> None:
        """Somebody else writes to the Lease."""
        self.server.record = LeaseRecord(holder, 15, transitions=7)
        self.server.version += 1
        self.theirs = self.server.record if holder else None

    def check(self, place: Place | None) -> None:
        assert self.wrong == [], place
        assert not self.a.may_act(), place
        assert not self.a.metrics.is_leading, place
        record = self.server.record
        assert self.theirs in {None, record}, place
        if self.acted_at is not None and self.is_due:
            assert self.clock.now() - self.acted_at <= self.grace_seconds, place
            assert re.fullmatch(self.may_write, self.written.removeprefix(self.written_then)), (place, self.written)
        if record is not None and record.holder == "a":
            assert self.a.elector.lost.is_set() or self.is_down, place


class AbandoningScene(Scene):
    """The work has not ended, and may still be under way."""

    def act(self) -> None:
        if not self.clock.stop.is_set():
            self.a.elector.abandon()
        super().act()

    def note(self, record: LeaseRecord) -> None:
        super().note(record)
        if not record.holder and self.is_due:
            self.wrong.append("given back although somebody may be at work")

    def check(self, place: Place | None) -> None:
        assert self.wrong == [], place
        assert not self.a.may_act(), place


def undisturbed(scene: Scene, call: int) -> None:
    """Take it, renew it, give it back."""


def given_back_by_another(scene: Scene, call: int) -> None:
    """It is held by another, who then gives it back."""
    if call == 0:
        scene.rival("b")
    if call == 2:
        scene.rival("")


def held_by_another(scene: Scene, call: int) -> None:
    if call == 0:
        scene.rival("b")


def taken_by_another(scene: Scene, call: int) -> None:
    if call == 4:
        scene.rival("b")


def written_to(scene: Scene, call: int) -> None:
    """Somebody puts labels on it all the time."""
    scene.server.version += call % 3 == 2


def unreachable_now_and_then(scene: Scene, call: int) -> None:
    scene.is_down = call % 3 == 0


def unreachable_for_good(scene: Scene, call: int) -> None:
    scene.is_down = call > 2


def stopped_for_long(scene: Scene, call: int) -> None:
    """The whole process is, for longer than it may lead."""
    if call == 3:
        scene.clock.advance(12.0)
        scene.grace_seconds += 12.0


def answers_get_lost(scene: Scene, call: int) -> None:
    scene.may_write = "a?a?-?"  # what was taken is not known to be
    scene.lock.loses_answers = call in {1, 3}


def deleted(scene: Scene, call: int) -> None:
    if call == 3:
        scene.server.record = None
        scene.server.version += 1


STORIES = (
    undisturbed,
    given_back_by_another,
    held_by_another,
    taken_by_another,
    written_to,
    unreachable_now_and_then,
    unreachable_for_good,
    stopped_for_long,
    answers_get_lost,
    deleted,
)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
@pytest.mark.parametrize("scene", [Scene, AbandoningScene])
def test_a_stop_at_any_line_ends_it_in_time_and_leaves_the_lease_to_whom_it_belongs(scene, story) -> None:
    sweep(MODULES, lambda: scene(story), passes=PASSES, is_alone=True, least=60)
