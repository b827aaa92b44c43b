"""When a node dials the peers on its addnode list: a state machine without a clock of its own.

Measured on Bitcoin Core: a look every 2 s while there is nothing to dial; after a pass with
any attempt, successful or not, 60 s; 0.5 s after each attempt; at most 8 links of its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

SLOTS = 8
IDLE_SECONDS = 2.0
AFTER_ATTEMPT_SECONDS = 60.0
SPACING_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Dial:
    """Try this peer now, and come back when it is connected or has failed."""

    name: str


@dataclass(frozen=True, slots=True)
class Sleep:
    """Come back after this many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class AwaitSlot:
    """Come back when one of the dialler's links has ended."""


class Dialler:
    """Says what to do next; the caller does it and asks again."""

    def __init__(self) -> None:
        self._pass: deque[str] | None = None
        self._tried = False
        self._spacing = False

    def step(self, unconnected: Sequence[str], free_slots: int) -> Dial | Sleep | AwaitSlot:
        """The next thing to do.

        Args:
            unconnected: Listed peers without a link. A pass works through those of its beginning.
            free_slots: Links that may still be made.
        """
        if self._spacing:
            self._spacing = False
            return Sleep(SPACING_SECONDS)
        if self._pass is None:
            if free_slots <= 0:
                return AwaitSlot()
            self._pass, self._tried = deque(unconnected), False
        if not self._pass or free_slots <= 0:
            self._pass = None
            return Sleep(AFTER_ATTEMPT_SECONDS if self._tried else IDLE_SECONDS)
        self._tried = self._spacing = True
        return Dial(self._pass.popleft())
