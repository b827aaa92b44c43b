"""Adders and workers that are interrupted after any instruction of the queue: thousands of interleavings."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from btcctl.workqueue.queue import WorkQueue
from tests.properties import EFFORT, effort
from tests.unit.workqueue.interleaving import FOR_GOOD, ImpatientClock, Turn, WouldBlock, interleave

ADDERS = 2
WORKERS = 3
# Some turns end anywhere, some take one through a whole add, or a whole get and done.
LENGTHS = st.one_of(st.integers(1, 70), st.sampled_from([50, 130, 200]))
TURNS = st.lists(st.tuples(st.integers(0, ADDERS + WORKERS - 1), LENGTHS), min_size=5, max_size=25)
KEYS = st.lists(st.sampled_from("aaab"), max_size=3)


class Watch:
    """An observer: with one the queue has more to do."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.works: list[float] = []
        self.waited, self.worked = self.waits.append, self.works.append

    def watch(self, queue: WorkQueue[str]) -> None:
        """Nothing of it is wanted."""

    def flush(self) -> None:
        """There is time enough at the end."""


class Scene:
    """A version per key: adders raise it, then add the key; workers note what they see."""

    def __init__(self) -> None:
        self.watch = Watch()
        self.queue: WorkQueue[str] = WorkQueue(ImpatientClock(), observer=self.watch)
        self.wanted: Counter[str] = Counter()
        self.added: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.runs: Counter[str] = Counter()
        self.in_hand: set[str] = set()

    def add(self, *keys: str) -> None:
        for key in keys:
            self.wanted[key] += 1
            version = self.wanted[key]
            self.queue.add(key)
            self.added[key] = max(self.added[key], version)

    def get(self) -> str:
        key = self.queue.get()
        assert key not in self.in_hand, "two workers have it"
        self.in_hand.add(key)
        self.runs[key] += 1
        self.seen[key] = self.wanted[key]
        return key

    def done(self, key: str) -> None:
        self.in_hand.remove(key)
        self.queue.done(key)

    def work(self) -> None:
        for _ in range(8):
            try:
                key = self.get()
            except WouldBlock:
                return
            self.done(key)

    def look(self) -> None:
        assert len(self.queue) <= len(self.wanted), "a key is in the queue twice"
        if any(self.added[key] > self.seen[key] for key in self.added):
            assert not self.queue.idle(), "there is work that nobody has seen"

    def end(self) -> None:
        """Work off what is left, and look back."""
        self.work()
        assert self.seen == self.wanted
        assert all(self.runs[key] <= self.wanted[key] for key in self.runs)
        assert self.queue.idle()
        assert len(self.queue) == 0
        assert self.queue.unknown_done == 0
        assert len(self.watch.waits) == len(self.watch.works) == self.runs.total()


def play(turns_for: Callable[[int, int], list[Turn]], first: int, second: int, adders: int) -> list[int]:
    """A worker is done with a key while it is added again and another worker waits for it."""
    scene = Scene()
    scene.add("a")
    scene.get()
    plays = [lambda: scene.add("a"), lambda: scene.done("a"), scene.work, *[lambda: scene.add("a")] * (adders - 1)]
    instructions = interleave(plays, turns_for(first, second), scene.look)
    scene.end()
    return instructions


def everywhere(turns_for: Callable[[int, int], list[Turn]], outer: int, inner: int, *, adders: int = 1) -> int:
    """Interrupt two players after each pair of instructions, or every third at little effort.

    Which third is random, and another for each instruction of the outer one.

    Returns:
        How many pairs were tried.
    """
    step = 3 if EFFORT == 1 else 1
    lengths = play(turns_for, 0, 0, adders)
    pairs = first = 0
    while first <= lengths[outer]:
        second = random.randrange(step)
        while second <= lengths[inner]:
            lengths = play(turns_for, first, second, adders)
            second, pairs = second + step, pairs + 1
        first += 1
    return pairs


ADD, DONE, WORK, LATER = range(4)


def test_an_add_that_a_done_interrupts_anywhere_leads_to_one_more_run() -> None:
    assert everywhere(lambda m, n: [(ADD, m), (DONE, n), (ADD, FOR_GOOD), (WORK, FOR_GOOD)], ADD, DONE) > 200


def test_a_done_that_an_add_interrupts_anywhere_queues_the_key_once() -> None:
    assert everywhere(lambda m, n: [(DONE, m), (ADD, n), (DONE, FOR_GOOD), (ADD, FOR_GOOD)], DONE, ADD) > 200


def test_a_done_that_a_get_interrupts_anywhere_leaves_the_key_to_one_worker() -> None:
    assert everywhere(lambda m, n: [(ADD, FOR_GOOD), (DONE, m), (WORK, n), (DONE, FOR_GOOD)], DONE, WORK) > 200


def test_a_done_that_two_adds_interrupt_anywhere_queues_the_key_once() -> None:
    turns = everywhere(
        lambda m, n: [(ADD, m), (DONE, n), (LATER, FOR_GOOD), (DONE, FOR_GOOD), (ADD, FOR_GOOD)], ADD, DONE, adders=2
    )
    assert turns > 200


def look_beside_a_done(done_for: int, look_for: int) -> list[int]:
    """A key that is to be done again is finished and taken, while another thread asks whether all is done."""
    scene = Scene()
    scene.add("a")
    scene.get()
    scene.add("a")
    found: list[bool] = []

    def finish() -> None:
        scene.done("a")
        scene.get()

    turns = [(0, done_for), (1, look_for), (0, FOR_GOOD)]
    instructions = interleave([finish, lambda: found.append(scene.queue.idle())], turns)
    assert found == [False], "a key that was there all the time was not seen"
    return instructions


def test_a_key_that_goes_from_hand_to_hand_is_seen_wherever_a_look_at_it_is_interrupted() -> None:
    step = 3 if EFFORT == 1 else 1
    done_takes, look_takes = look_beside_a_done(0, 0)
    for first in range(done_takes + 1):
        for second in range(random.randrange(step), look_takes + 1, step):
            look_beside_a_done(first, second)
    assert (done_takes, look_takes) > (50, 20)


@effort(300)
@given(adds=st.lists(KEYS, min_size=ADDERS, max_size=ADDERS), turns=TURNS)
def test_no_add_is_lost_or_counts_twice_and_no_key_is_in_two_hands(adds: list[list[str]], turns: list[Turn]) -> None:
    scene = Scene()
    adders = [lambda keys=keys: scene.add(*keys) for keys in adds]
    interleave([*adders, *[scene.work] * WORKERS], turns, scene.look)
    scene.end()
