"""Threads that take turns as a test says, and can lose theirs after any instruction of the queue."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from types import FrameType

import btcctl.workqueue.queue
from btcctl.testing.clock import FakeClock
from btcctl.threads import Runner
from tests.unit.workqueue.instructions import Instructions

REAL_LIMIT_SECONDS = 60.0  # a broken test fails, it does not hang
FOR_GOOD = 10**9
INSTRUCTIONS = Instructions(btcctl.workqueue.queue)

#: (which thread, how many instructions)
Turn = tuple[int, int]


class WouldBlock(Exception):
    """A thread has nothing to do but to wait for the others."""


class ImpatientClock(FakeClock):
    """Nobody waits."""

    def wait(self, condition: threading.Condition, timeout: float | None) -> bool:
        raise WouldBlock


class _Player(Runner):
    """One thread: runs `play` as far as it is let."""

    def __init__(self, number: int, play: Callable[[], None], turn_over: threading.Semaphore) -> None:
        super().__init__(f"player-{number}", lambda _: self._main_loop())
        self.ended = False
        self.instructions = 0
        self._play = play
        self._turn_over = turn_over
        self._go = threading.Semaphore(0)
        self._left = 0

    def take_turn(self, instructions: int) -> None:
        self._left = instructions
        self._go.release()
        assert self._turn_over.acquire(timeout=REAL_LIMIT_SECONDS)

    def _main_loop(self) -> None:
        self._go.acquire(timeout=REAL_LIMIT_SECONDS)
        try:
            with INSTRUCTIONS.calling(self._step):
                self._play()
        finally:
            self.ended = True
            self._turn_over.release()

    def _step(self, frame: FrameType) -> None:
        """Only what runs without the queue's lock can be interrupted, or the next one would block."""
        if _is_waiting(frame):
            return
        self.instructions += 1
        self._left -= 1
        if self._left < 0:
            self._turn_over.release()
            self._go.acquire(timeout=REAL_LIMIT_SECONDS)


def _is_waiting(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_name == "_wait":
            return True
        frame = frame.f_back
    return False


def interleave(
    plays: Sequence[Callable[[], None]], turns: Iterable[Turn], between: Callable[[], None] = lambda: None
) -> list[int]:
    """Run `plays` in threads of their own, in the order of `turns`; then each to its end.

    Args:
        between: Called between two turns, while every thread stands still.

    Returns:
        How many instructions of the queue each was seen to run.
    """
    turn_over = threading.Semaphore(0)
    players = [_Player(number, play, turn_over) for number, play in enumerate(plays)]
    with INSTRUCTIONS:
        for player in players:
            player.start()
        try:
            for number, instructions in turns:
                if not players[number].ended:
                    players[number].take_turn(instructions)
                    between()
        finally:
            for player in players:
                if not player.ended:
                    player.take_turn(FOR_GOOD)
        for player in players:
            player.stop()
    return [player.instructions for player in players]
