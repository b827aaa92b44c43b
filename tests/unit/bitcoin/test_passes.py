from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import pytest

from btcctl.bitcoin.mesh import Mesh, MeshGoal, MeshReport
from btcctl.bitcoin.passes import BackgroundPasses, ThreadPool
from btcctl.bitcoin.rpc import Credentials
from btcctl.bitcoin.spec.shape import Shape
from btcctl.bitcoin.topology import Member
from btcctl.objects import ObjectKey

KEY, OTHER = ObjectKey("d", "a"), ObjectKey("d", "b")


def goal(*addresses: str) -> MeshGoal:
    return MeshGoal(
        [Member(n, each, ready=True) for n, each in enumerate(addresses)], Shape(len(addresses)), Credentials("", "")
    )


class Scene:
    """Passes that take until `release` is called, and who was told of their end."""

    def __init__(self, pool: ThreadPool) -> None:
        self.made: list[MeshGoal] = []
        self.told: list[ObjectKey] = []
        self._may_end, self._has_ended = threading.Semaphore(0), threading.Semaphore(0)
        self.passes = BackgroundPasses(cast("Mesh", self), pool, self._notify)

    def sync(self, goal: MeshGoal) -> MeshReport:
        self.made.append(goal)
        assert self._may_end.acquire(timeout=60)
        return MeshReport(skipped={len(self.made)})

    def _notify(self, key: ObjectKey) -> None:
        self.told.append(key)
        self._has_ended.release()

    def release(self) -> None:
        self._may_end.release()
        assert self._has_ended.acquire(timeout=60)


@pytest.fixture
def pool() -> Iterator[ThreadPool]:
    pool = ThreadPool("test", 2)
    pool.start()
    yield pool
    pool.stop()


@pytest.fixture
def scene(pool: ThreadPool) -> Scene:
    return Scene(pool)


def test_whoever_looks_does_not_wait_and_is_told_when_there_is_something_new(scene: Scene) -> None:
    assert scene.passes.look(KEY, goal("a")).report is None
    scene.release()
    assert scene.told == [KEY]
    seen = scene.passes.look(KEY, goal("a"))
    assert (seen.is_new, seen.report) == (True, MeshReport(skipped={1}))


def test_a_network_has_one_pass_at_a_time_and_the_next_begins_when_it_is_looked_at_again(scene: Scene) -> None:
    for _ in range(3):
        scene.passes.look(KEY, goal("a"))
    scene.release()
    scene.passes.look(KEY, goal("a"))  # takes what is new
    assert scene.passes.look(KEY, goal("a")).report == MeshReport(skipped={1})
    scene.release()
    assert len(scene.made) == 2


def test_the_same_nodes_are_asked_again_by_what_is_known_of_them_now(scene: Scene) -> None:
    scene.passes.look(KEY, goal("a", "b"))
    scene.release()
    assert not scene.passes.again(KEY, frozenset(), frozenset())  # what the last pass saw is to be told first
    scene.passes.look(KEY, goal("a", "b"))
    assert scene.passes.again(KEY, frozenset({"c"}), frozenset({"b"}))
    assert not scene.passes.again(KEY, frozenset(), frozenset())  # one at a time
    scene.release()
    assert scene.made[-1] == replace(goal("a", "b"), gone=frozenset({"c"}), suspects=frozenset({"b"}))
    assert scene.passes.look(KEY, goal("a", "b")).is_new


def test_nodes_that_nobody_has_asked_for_are_not_asked_again(scene: Scene) -> None:
    assert not scene.passes.again(KEY, frozenset(), frozenset())


def test_what_was_seen_of_other_nodes_is_not_handed_out(scene: Scene) -> None:
    scene.passes.look(KEY, goal("a"))
    scene.release()
    seen = scene.passes.look(KEY, goal("a", "b"))
    assert (seen.is_new, seen.report) == (False, None)
    scene.release()
    assert scene.passes.look(KEY, goal("a", "b")).is_new


def test_what_was_seen_of_other_nodes_is_not_handed_out_while_these_are_looked_at_either(scene: Scene) -> None:
    scene.passes.look(KEY, goal("a"))
    scene.release()
    for _ in range(3):
        assert scene.passes.look(KEY, goal("a", "b")).report is None
    scene.release()
    assert scene.passes.look(KEY, goal("a", "b")).report == MeshReport(skipped={2})


def test_nor_is_what_was_seen_before_the_last_pass_over_them_which_is_not_over(scene: Scene) -> None:
    scene.passes.look(KEY, goal("a"))
    scene.release()
    scene.passes.look(KEY, goal("a"))
    assert scene.passes.look(KEY, goal("a")).report == MeshReport(skipped={1})  # and the next pass is under way
    assert scene.passes.look(KEY, goal("a", "b")).report is None
    scene.release()


def test_a_pass_that_hangs_keeps_no_other_network_waiting(scene: Scene) -> None:
    scene.passes.look(KEY, goal("a"))
    scene.passes.look(OTHER, goal("b"))
    scene.release()
    assert len(scene.told) == 1
    scene.release()


def test_of_a_network_that_is_gone_nobody_is_told(scene: Scene, pool: ThreadPool) -> None:
    scene.passes.look(KEY, goal("a"))
    scene.passes.forget(KEY)
    scene.passes.look(OTHER, goal("b"))
    scene._may_end.release()
    scene.release()
    assert scene.told == [OTHER]


def test_tasks_run_at_once_and_all_have_run_in_the_end(pool: ThreadPool) -> None:
    together = threading.Barrier(3, timeout=60)  # the pool's two and the caller
    ran: list[int] = []

    def task(number: int) -> Callable[[], Any]:
        return lambda: (together.wait(), ran.append(number))

    pool.run_all([task(each) for each in range(3)])
    assert sorted(ran) == [0, 1, 2]


def test_a_pool_whose_threads_are_all_taken_still_gets_everything_done(pool: ThreadPool) -> None:
    ran: list[int] = []
    done = threading.Semaphore(0)

    def outer(number: int) -> Callable[[], None]:
        def run() -> None:
            pool.run_all([lambda: ran.append(number)] * 20)
            done.release()

        return run

    for number in range(4):
        pool.submit(outer(number))
    assert all(done.acquire(timeout=60) for _ in range(4))
    assert len(ran) == 80


def test_what_a_task_raises_is_raised_once_all_have_run(pool: ThreadPool) -> None:
    ran: list[int] = []

    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        pool.run_all([fail, *[lambda: ran.append(1)] * 5])
    assert len(ran) == 5


def test_a_task_that_raises_leaves_its_thread_alive(pool: ThreadPool) -> None:
    def fail() -> None:
        raise ValueError("no")

    done = threading.Event()
    for _ in range(4):
        pool.submit(fail)
    pool.submit(done.set)
    assert done.wait(60.0)
