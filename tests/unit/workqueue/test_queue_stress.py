"""Threads that collide as often as they can."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from btcctl.clock import SYSTEM_CLOCK
from btcctl.threads import Runner, Stop
from btcctl.workqueue.queue import ShutDown, WorkQueue

KEYS = 7
ADDS = 10_000
ADDERS = 3
WORKERS = 5


@pytest.fixture(autouse=True)
def threads_switch_all_the_time() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


class Ledger:
    """A version per key: adders raise it, then add the key; workers note what they see."""

    def __init__(self) -> None:
        self.queue: WorkQueue[int] = WorkQueue(SYSTEM_CLOCK)
        self.wanted: Counter[int] = Counter()
        self.seen: Counter[int] = Counter()
        self.collisions: list[int] = []
        self._in_hand: set[int] = set()
        self._lock = threading.Lock()

    def add_many(self, stop: Stop) -> None:
        for number in range(ADDS):
            key = number % KEYS
            with self._lock:
                self.wanted[key] += 1
            if number % 3:
                self.queue.add(key)
            else:
                self.queue.add_after(key, 0.0005)

    def work(self, stop: Stop) -> None:
        while True:
            try:
                key = self.queue.get()
            except ShutDown:
                return
            self._handle(key)
            self.queue.done(key)

    def _handle(self, key: int) -> None:
        with self._lock:
            if key in self._in_hand:
                self.collisions.append(key)
            self._in_hand.add(key)
            version = self.wanted[key]
        with self._lock:
            self._in_hand.discard(key)
            self.seen[key] = version


def test_no_key_is_in_two_workers_and_none_is_lost() -> None:
    ledger = Ledger()
    workers = [Runner(f"worker-{number}", ledger.work) for number in range(WORKERS)]
    adders = [Runner(f"adder-{number}", ledger.add_many) for number in range(ADDERS)]
    for runner in (*workers, *adders):
        runner.start()
    for adder in adders:
        adder.stop(timeout=60.0)
    for key in range(KEYS):
        ledger.queue.add(key)  # what is still delayed is dropped by the drain
    assert ledger.queue.drain(timeout=60.0) == []
    for worker in workers:
        worker.stop()
    assert ledger.collisions == []
    assert ledger.seen == ledger.wanted
    assert ledger.queue.unknown_done == 0


def test_shutting_down_at_any_moment_ends_every_worker_and_loses_nothing_that_was_queued() -> None:
    for rounds in range(30):
        ledger = Ledger()
        workers = [Runner(f"worker-{number}", ledger.work) for number in range(3)]
        for worker in workers:
            worker.start()
        for key in range(rounds):
            ledger.wanted[key] += 1
            ledger.queue.add(key)
        if rounds % 2:
            ledger.queue.shut_down()
        else:
            assert ledger.queue.drain(timeout=30.0) == []
        for worker in workers:
            worker.stop()
        assert ledger.seen == ledger.wanted
