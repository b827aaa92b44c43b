"""A Lease in memory, and candidates for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from btcctl.errors import AlreadyExists, BtcctlError, Conflict
from btcctl.leaderelection.election import Timing
from btcctl.leaderelection.elector import Elector
from btcctl.leaderelection.fence import Fence
from btcctl.leaderelection.metrics import LeaderMetrics
from btcctl.leaderelection.record import LeaseRecord
from btcctl.objects import ObjectKey
from btcctl.testing.clock import FakeClock

KEY = ObjectKey("ns", "the-lease")
TIMING = Timing()


@dataclass
class Server:
    """The one Lease and its version."""

    record: LeaseRecord | None = None
    version: int = 0


@dataclass
class FakeLock:
    """One candidate's way to the Lease: remembers its calls, fails and dawdles as told."""

    server: Server
    clock: FakeClock
    key: ObjectKey = KEY
    calls: list[str] = field(default_factory=list)
    timeouts: list[float] = field(default_factory=list)
    failures: list[BtcctlError | None] = field(default_factory=list)  # of the next calls; None lets one pass
    seconds: float = 0.0  # what each call takes
    before: Callable[[str], None] = lambda verb: None  # what somebody else does while the call is on its way
    loses_answers: bool = False
    stored: Callable[[LeaseRecord], None] = lambda record: None  # told of each record of ours that the server takes
    _seen: int = -1

    def get(self, timeout: float) -> LeaseRecord | None:
        self._enter("get", timeout)
        self._seen = self.server.version
        return self.server.record

    def create(self, record: LeaseRecord, timeout: float) -> None:
        self._enter("create", timeout)
        if self.server.record is not None:
            raise AlreadyExists(409, "AlreadyExists")
        self._store(record)

    def update(self, record: LeaseRecord, timeout: float) -> None:
        self._enter("update", timeout)
        if self._seen != self.server.version:
            raise Conflict(409, "Conflict")
        self._store(record)

    def _store(self, record: LeaseRecord) -> None:
        self.server.record = record
        self.server.version += 1
        self.stored(record)
        if self.loses_answers:
            raise BtcctlError("no answer")
        self._seen = self.server.version

    def _enter(self, verb: str, timeout: float) -> None:
        self.calls.append(verb)
        self.timeouts.append(timeout)
        self.before(verb)
        if self.seconds:
            self.clock.advance(min(self.seconds, timeout))
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure


class Candidate:
    """An elector without a thread: `step` it. The pause is always the longest there may be."""

    def __init__(self, server: Server, clock: FakeClock, identity: str, *, take_over: bool = False) -> None:
        self.clock = clock
        self.lock = FakeLock(server, clock)
        self.fence = Fence(clock)
        self.metrics = LeaderMetrics("the-lease")
        self.elector = Elector(
            self.lock,
            self.fence,
            TIMING,
            identity=identity,
            clock=clock,
            take_over=take_over,
            observer=self.metrics,
            uniform=lambda _, high: high,
        )

    def step(self) -> float:
        return self.elector.step()

    def run_for(self, seconds: float) -> None:
        """Step when it is time to, until `seconds` are over."""
        end = self.clock.now() + seconds
        while True:
            pause = self.step()
            if self.clock.now() + pause >= end:
                self.clock.advance(end - self.clock.now())
                return
            self.clock.advance(pause)

    @property
    def leads(self) -> bool:
        return self.elector.leading.is_set()

    def may_act(self) -> bool:
        try:
            self.fence.check()
        except BtcctlError:
            return False
        return True
