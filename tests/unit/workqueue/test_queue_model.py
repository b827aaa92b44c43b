"""The queue against a model of what it promises, in many interleavings of several workers."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from btcctl.testing.clock import FakeClock
from btcctl.workqueue.background import AGED_SECONDS
from btcctl.workqueue.queue import ShutDown, WorkQueue
from tests.properties import effort

KEYS = st.sampled_from("abcde")
SECONDS = st.sampled_from([-1.0, 0.0, 1.0, 2.0, 3.0, 5.0, 8.0])
WORKERS = 3


class QueueModel(RuleBasedStateMachine):
    """`waiting`: keys to hand out, in order. `again`: keys to hand out once more after done.

    `behind`: keys in the background.
    """

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.queue: WorkQueue[str] = WorkQueue(self.clock)
        self.waiting: list[str] = []
        self.behind: set[str] = set()
        self.places: list[tuple[float, str]] = []  # in the background, void ones too
        self.was_behind = False
        self.again: set[str] = set()
        self.processing: list[str] = []
        self.due_at: dict[str, tuple[float, int]] = {}  # when, and a number: the first of two equals goes first
        self.polls: set[str] = set()  # keys due for the background
        self.delays = 0
        self.unknown_done = 0
        self.is_shut_down = False

    def _expect_add(self, key: str) -> None:
        if self.is_shut_down:
            return
        if key in self.processing:
            self.again.add(key)
        elif key not in self.waiting:
            self.waiting.append(key)
            if key in self.behind:
                self.behind.remove(key)

    def _take(self) -> str:
        aged = bool(self.places) and self.clock.now() - self.places[0][0] >= AGED_SECONDS
        if self.behind:
            self.was_behind = aged and not self.was_behind
        if self.waiting and not (self.behind and self.was_behind):
            return self.waiting.pop(0)
        while True:
            key = self.places.pop(0)[1]
            if key in self.behind:
                self.behind.remove(key)
                return key

    def _due(self) -> set[str]:
        return {key for key, (at, _) in self.due_at.items() if at <= self.clock.now()}

    def _release(self) -> None:
        for _, key in sorted((due, key) for key, due in self.due_at.items() if due[0] <= self.clock.now()):
            del self.due_at[key]
            (self._expect_background if key in self.polls else self._expect_add)(key)
            self.polls.discard(key)

    @rule(key=KEYS)
    def add(self, key: str) -> None:
        self.queue.add(key)
        self._expect_add(key)

    @rule(key=KEYS)
    def add_background(self, key: str) -> None:
        self.queue.add_background(key)
        self._expect_background(key)

    def _expect_background(self, key: str) -> None:
        if key in self.processing and not self.is_shut_down:
            self.again.add(key)
        elif not self.is_shut_down and key not in self.waiting and key not in self.behind:
            self.behind.add(key)
            self.places.append((self.clock.now(), key))

    @rule(key=KEYS, seconds=SECONDS, background=st.booleans())
    def add_after(self, key: str, seconds: float, background: bool) -> None:
        self.queue.add_after(key, seconds, background=background)
        if seconds <= 0:
            (self._expect_background if background else self._expect_add)(key)
        elif not self.is_shut_down:
            if background and key not in self.due_at:
                self.polls.add(key)
            elif not background:
                self.polls.discard(key)
            self.delays += 1
            at = self.clock.now() + seconds
            if at < self.due_at.get(key, (float("inf"), 0))[0]:
                self.due_at[key] = (at, self.delays)

    @rule(seconds=st.sampled_from([0.5, 1.0, 4.0]))
    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @precondition(lambda self: len(self.processing) < WORKERS)
    @rule()
    def get(self) -> None:
        if not (self.waiting or self.behind or self.is_shut_down or self._due() - set(self.processing)):
            return  # it would block
        self._release()
        if self.waiting or self.behind:
            key = self._take()
            self.processing.append(key)
            assert self.queue.get() == key
        elif self.is_shut_down:
            try:
                self.queue.get()
            except ShutDown:
                return
            raise AssertionError("a key from an empty queue")

    @rule(key=KEYS)
    def done(self, key: str) -> None:
        self.queue.done(key)
        if key not in self.processing:
            self.unknown_done += 1
            return
        self.processing.remove(key)
        if key in self.again:
            self.again.remove(key)
            self.waiting.append(key)

    @rule()
    def shut_down(self) -> None:
        self.queue.shut_down()
        self.is_shut_down = True
        self.due_at.clear()
        self.polls.clear()

    @rule()
    def drain(self) -> None:
        left = self.queue.drain(timeout=0.0)
        assert sorted(left) == sorted([*self.processing, *self.waiting, *self.behind])
        self.is_shut_down = True
        self.waiting.clear()
        self.behind.clear()
        self.places.clear()
        self.again.clear()
        self.due_at.clear()
        self.polls.clear()

    @invariant()
    def agrees_with_the_model(self) -> None:
        assert self.queue.unknown_done == self.unknown_done
        is_busy = bool(self.waiting or self.behind or self.processing or self._due())
        assert self.queue.idle() != is_busy
        assert len(self.queue) == len(self.waiting) + len(self.behind)


QueueModel.TestCase.settings = effort(150, steps=40)
TestQueueModel = QueueModel.TestCase
