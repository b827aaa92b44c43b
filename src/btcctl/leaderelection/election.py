"""Who leads, as far as one candidate may believe. Pure: what was read and written, and when, is passed in.

All instants are this machine's monotonic seconds. Whether another's lease has run out is judged by
how long its record has not changed here, never by the times written in it: clocks may differ.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from btcctl.clock import rfc3339_micro
from btcctl.errors import ConfigError
from btcctl.leaderelection.record import MAX_INT32, LeaseRecord, is_time

# client-go's JitterFactor. There it lengthens the wait; here it shortens it, so that a dead leader is
# replaced within lease + retry.
JITTER = 1.2
RELEASED_SECONDS = 1  # client-go's duration of a lease that was given back

_NEVER = float("-inf")
_LATER = float("inf")


class Timing(msgspec.Struct, frozen=True):
    """How long things take; client-go's defaults.

    Attributes:
        lease_seconds: For how long the others keep still after the last sign of the leader.
        renew_deadline_seconds: For how long the leader believes that it leads, from the beginning
            of its last successful renewal. What is left of the lease is for effects in flight.
        retry_seconds: The longest pause between two attempts to take or renew it.
    """

    lease_seconds: float = 15.0
    renew_deadline_seconds: float = 10.0
    retry_seconds: float = 2.0

    def __post_init__(self) -> None:
        lease, deadline, retry = self.lease_seconds, self.renew_deadline_seconds, self.retry_seconds
        if not (1 <= lease <= MAX_INT32 and lease == int(lease)):
            raise ConfigError(f"the lease duration is {lease:g} s, must be whole seconds, from 1 to {MAX_INT32}")
        if not lease > deadline > JITTER * retry > 0:
            raise ConfigError(
                f"lease duration {lease:g} s, renew deadline {deadline:g} s and retry period {retry:g} s: "
                f"each must be longer than the next, the deadline longer than {JITTER:g} retry periods"
            )

    @property
    def call_seconds(self) -> float:
        """What one call may take: two must fit into the deadline."""
        return self.renew_deadline_seconds / 2


class Election:
    """One candidate's view. Not thread-safe: one thread owns it.

    Args:
        identity: Ours; unique among the candidates, also from start to start.
        timing: How long a lease lasts, and a belief.
        take_over: Take the lease, once, from its holder; begin only when the other's time is over.
    """

    def __init__(self, identity: str, timing: Timing, *, take_over: bool = False) -> None:
        self.identity = identity
        self.record: LeaseRecord | None = None  #: as last read or written
        self.leads_from = _LATER
        self.leads_until = _NEVER
        self._timing = timing
        self._take_over = take_over
        self._rivals_until = _NEVER

    @property
    def rivals_until(self) -> float:
        """When the time of the last other holder that was seen is over."""
        return self._rivals_until

    def holds(self, now: float) -> bool:
        """Whether the lease is ours, and the deadline has not passed."""
        return now < self.leads_until

    def leads(self, now: float) -> bool:
        """Whether effects may begin."""
        return self.leads_from <= now < self.leads_until

    def saw(self, record: LeaseRecord | None, now: float) -> None:
        """The Lease was read: `record`, or None because there is none."""
        if record is not None and record.holder != self.identity:
            self.leads_from, self.leads_until = _LATER, _NEVER
            if not record.holder:
                self._rivals_until = _NEVER  # it was given back: no process acts any more
            elif record != self.record:
                self._rivals_until = now + record.duration_seconds
        self.record = record

    def may_take(self, now: float) -> bool:
        """Whether it is ours to write: free, given back, ours already, or run out.

        A Lease that was deleted does not shorten the time of the holder it had.
        """
        if self.record is not None and self.record.holder == self.identity:
            return True
        return now >= self._rivals_until or (self._take_over and self.record is not None)

    def record_to_write(self, wall_time: datetime) -> LeaseRecord:
        """What takes the lease, or renews it."""
        now = rfc3339_micro(wall_time)
        old = self.record or LeaseRecord()
        seconds = int(self._timing.lease_seconds)
        if old.holder == self.identity:
            return LeaseRecord(
                self.identity, seconds, old.acquire_time if is_time(old.acquire_time) else now, now, old.transitions
            )
        transitions = min(old.transitions + (self.record is not None), MAX_INT32)
        return LeaseRecord(self.identity, seconds, now, now, transitions)

    def record_to_release(self, wall_time: datetime) -> LeaseRecord:
        """What gives it back: the next candidate need not wait."""
        now = rfc3339_micro(wall_time)
        transitions = 0 if self.record is None else self.record.transitions
        return LeaseRecord("", RELEASED_SECONDS, now, now, transitions)

    def wrote(self, record: LeaseRecord, sent_at: float) -> None:
        """The server has accepted a record of ours, which was sent at `sent_at`.

        No rival can have seen it before that, so none takes over before that + its duration.
        """
        if record.holder != self.identity:
            self.leads_from, self.leads_until = _LATER, _NEVER
        else:
            self.leads_from = min(self.leads_from, max(sent_at, self._rivals_until))
            self.leads_until = sent_at + self._timing.renew_deadline_seconds
            self._take_over = False
        self.record = record
