"""What a queue says of itself, to metrics and for debugging."""

from __future__ import annotations

from enum import Enum

import msgspec


class QueueStatistics(msgspec.Struct, frozen=True):
    """One queue at one instant."""

    depth: int  #: keys that need work and that no worker has taken up, those being processed among them
    delayed: int  #: keys held back until later
    next_due_seconds: float | None  #: until the first of these is due
    running_seconds: tuple[float, ...]  #: for how long each key that is being processed has been
    retries: int  #: how often a key was held back
    unknown_done: int  #: how often `done` was called for a key that was not being processed


class KeyPhase(Enum):
    """Where a key is; of two places, the first of these."""

    RUNNING = "running"  #: a worker has it
    QUEUED = "queued"
    DELAYED = "delayed"
    IDLE = "idle"  #: nowhere


class KeyState(msgspec.Struct, frozen=True):
    """One key at one instant. All fields are False or None for a key that was never added, or is done."""

    is_dirty: bool  #: it needs work that no worker has taken up
    running_seconds: float | None  #: for how long a worker has had it
    due_seconds: float | None  #: in how long it will be added

    @property
    def phase(self) -> KeyPhase:
        if self.running_seconds is not None:
            return KeyPhase.RUNNING
        if self.is_dirty:
            return KeyPhase.QUEUED
        return KeyPhase.IDLE if self.due_seconds is None else KeyPhase.DELAYED
