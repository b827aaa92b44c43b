"""Takes a lease, renews it, gives it back: the loop around `Election`, and the operations in client-go's order."""

from __future__ import annotations

import random
import socket
import threading
import uuid
from collections.abc import Callable
from typing import Protocol

import msgspec

from btcctl.clock import AWAKE_CLOCK, Clock
from btcctl.errors import LeaseLost, describe_error
from btcctl.leaderelection.election import JITTER, Election, Timing
from btcctl.leaderelection.failures import Failures
from btcctl.leaderelection.fence import Fence
from btcctl.leaderelection.lock import Lock
from btcctl.leaderelection.record import LeaseRecord
from btcctl.leaderelection.release import give_back
from btcctl.logging import get_logger
from btcctl.mistakes import check_has, check_is, check_text
from btcctl.objects import ObjectKey
from btcctl.threads import Latch, Runner, Stop

logger = get_logger(__name__)


class Observer(Protocol):
    """Counts; `btcctl.leaderelection.metrics.LeaderMetrics` fits."""

    is_leading: bool
    slow_paths: int


def unique_identity() -> str:
    """Host name and a random part, as controller-runtime has it: a restarted process is another candidate."""
    return f"{socket.gethostname()}_{uuid.uuid4()}"


class _Ending(msgspec.Struct):
    """How it ends. Set by the thread that stops us, and by the loop at its end."""

    resigned: bool = False  #: a lease that runs out from now on is no loss
    abandoned: bool = False  #: a reconcile may still be at work: the lease is not given back
    given_back: bool = False
    why_lost: str = ""
    unraised: LeaseLost | None = None


class Elector:
    """One candidate. It leads at most once: having lost the lease, the process must end.

    Args:
        lock: The lease.
        fence: Opened while we lead.
        identity: Ours; no two candidates may have the same.
        clock: What the lease is measured with.
        take_over: Take the lease from its holder.
        observer: Told what to count.
        uniform: Source of randomness for the pauses.

    Attributes:
        leading: Set once effects may begin.
        lost: Set once we led and do no longer.
        answer_seconds: How long the server has taken for an answer lately: the slowest, and less each time that
            it was faster.
    """

    def __init__(
        self,
        lock: Lock,
        fence: Fence,
        timing: Timing = Timing(),
        *,
        identity: str = "",
        clock: Clock = AWAKE_CLOCK,
        take_over: bool = False,
        observer: Observer | None = None,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        check_has("the lock", lock, "update", "a LeaseLock(client, ObjectKey(namespace, name))")
        check_is("the fence", fence, Fence, "the Fence() that transports were given")
        check_is("the timing", timing, Timing, "a Timing(15, 10, 2)")
        check_is("the identity", identity, str, 'a text that no other process has, or ""')
        check_text("the identity", identity)
        self.identity = identity or unique_identity()
        self.leading = Latch(clock)
        self.lost = Latch(clock)
        self.answer_seconds = 0.0
        self._lock = lock
        self._fence = fence
        self._timing = timing
        self._clock = clock
        self._observer = observer
        self._uniform = uniform
        self._election = Election(self.identity, timing, take_over=take_over)
        self._failures = Failures(lock.key, clock, timing.renew_deadline_seconds)
        self._ending = _Ending()
        self._has_written = False
        self._last_rival = ""
        self._runner = Runner(f"leader-{lock.key.name}", self.run, clock=clock, on_failure=self._note_end)
        self._guard = threading.Lock()  # guards the loss that is not reported yet

    @property
    def lease(self) -> ObjectKey:
        """What all candidates of an installation have in common."""
        return self._lock.key

    @property
    def holder(self) -> str:
        """The identity that held the lease when it was last read or written, "" if none."""
        record = self._election.record
        return "" if record is None else record.holder

    @property
    def expired(self) -> bool:
        """Whether we led and the deadline has passed, even if the loop hangs and has not noticed."""
        return self.leading.is_set() and not self._ending.given_back and not self._election.holds(self._clock.now())

    @property
    def why_lost(self) -> str:
        """Once `lost` is set: who took the lease, or for how long and why it was not renewed."""
        return self._ending.why_lost

    def problem(self) -> str:
        """For a health check: what is wrong with the lease, "" if nothing is."""
        return f"lease {self._lock.key} is lost" if self.lost.is_set() or self.expired else ""

    def why_unready(self) -> str:
        """For a readiness check: why we can neither take the lease nor renew it, "" if we can.

        At once if we are not allowed to, otherwise once it has lasted for as long as the renew deadline.
        """
        return self._failures.why_unready()

    def start(self) -> None:
        """Run in a thread of its own."""
        self._runner.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Give the lease back if it is ours, and end. The work must have ended before. Idempotent.

        Raises:
            LeaseLost: We led, and lost it; raised once.
            TimeoutError: A call hangs.
        """
        self._runner.stop(timeout)
        with self._guard:
            error, self._ending.unraised = self._ending.unraised, None
        if error is not None:
            raise error

    def resign(self) -> None:
        """We are about to stop. If the lease runs out before the work has ended, that is no loss any more."""
        self._ending.resigned = True

    def abandon(self) -> None:
        """Do not give the lease back at the end: a reconcile may still be at work. It runs out by itself."""
        self._ending.abandoned = True
        self._fence.close()

    def run(self, stop: Stop) -> None:
        """Take the lease and keep it until `stop` is set, or until it is lost. Blocks."""
        try:
            while not stop.is_set():
                stop.wait(self.step())
            if self.expired:
                raise LeaseLost(self._why_lost())
        except LeaseLost as error:
            log = logger.warning if self._ending.resigned else logger.error
            log("lease lost", lease=str(self._lock.key), error=str(error))
            self._ending.why_lost = str(error)
            with self._guard:
                self._ending.unraised = None if self._ending.resigned else error
            self.lost.set()
        else:
            self._release()
        finally:
            self._fence.close()
            self._count(is_leading=False)

    def step(self) -> float:
        """Take or renew the lease, once, if that can be done now.

        Returns:
            Seconds until the next step.

        Raises:
            LeaseLost: We led, and do no longer.
        """
        began_at = self._clock.now()
        deadline = self._election.leads_until
        if not self.expired:
            try:
                self._attempt()
                self._failures.clear()
            except Exception as error:
                self._failures.note(error)
        now = self._clock.now()
        if self.leading.is_set() and (now >= deadline or not self._election.holds(now)):
            raise LeaseLost(self._why_lost())
        self._publish(now)
        return self._pause(now, began_at)

    def _attempt(self) -> None:
        """client-go's tryAcquireOrRenew: write on what is known; read first if that fails or is not ours."""
        if self._election.holds(self._clock.now()):
            try:
                self._write(self._lock.update)
                return
            except Exception as error:
                self._failures.note(error)
                self._count_slow_path()
        asked_at = self._clock.now()
        record = self._lock.get(self._call_seconds())
        now = self._note_answer(asked_at)
        self._election.saw(record, now)
        if self.leading.is_set() and self.holder not in {"", self.identity}:
            return  # lost, even if the other's time is over already: it may have acted
        if self._election.may_take(now):
            self._write(self._lock.create if record is None else self._lock.update)

    def _write(self, write: Callable[[LeaseRecord, float], None]) -> None:
        sent_at = self._clock.now()
        record = self._election.record_to_write(self._clock.wall_time())
        self._has_written = True
        write(record, self._call_seconds())
        self._note_answer(sent_at)
        self._election.wrote(record, sent_at)

    def _note_answer(self, asked_at: float) -> float:
        """The server has answered; returns the time."""
        now = self._clock.now()
        self.answer_seconds = max(now - asked_at, self.answer_seconds / 2)
        return now

    def _call_seconds(self) -> float:
        """So that one call that hangs leaves time for another before the deadline."""
        left = self._election.leads_until - self._clock.now()
        return min(self._timing.call_seconds, left) if left > 0 else self._timing.call_seconds

    def _publish(self, now: float) -> None:
        """Open the fence while we lead; log changes of the leader."""
        if self._election.leads(now):
            self._fence.extend(self._election.leads_until)
            if not self.leading.is_set():
                logger.info("leading", lease=str(self._lock.key), identity=self.identity)
                self._count(is_leading=True)
                self.leading.set()
        if self.holder not in {"", self.identity, self._last_rival}:
            self._last_rival = self.holder
            logger.info("waiting for the lease", lease=str(self._lock.key), holder=self.holder)

    def _pause(self, now: float, began_at: float) -> float:
        """Until the next attempt is due, or something changes by itself.

        From the beginning of one attempt to that of the next: a slow server must not cost the deadline twice.
        """
        retry = self._timing.retry_seconds
        due = max(0.0, began_at + self._uniform(retry / JITTER, retry) - now)
        instants = (self._election.rivals_until, self._election.leads_from, self._election.leads_until)
        return min([due, *(each - now for each in instants if each > now)])

    def _release(self) -> None:
        """Give it back, unless there may be work that has not ended."""
        if self._ending.abandoned or not self._has_written:
            return
        self._fence.close()
        self._ending.given_back = True
        try:
            is_free = give_back(self._lock, self._election, self._clock, seconds=2 * self._timing.call_seconds)
        except Exception as error:
            self._failures.note(error)
            is_free = False
        if not is_free:
            logger.warning("the lease could not be given back: it runs out by itself", lease=str(self._lock.key))

    def _why_lost(self) -> str:
        holder = self.holder
        if holder not in {"", self.identity}:
            return f"lease {self._lock.key} was taken by {holder}"
        seconds = self._timing.renew_deadline_seconds
        return f"lease {self._lock.key} was not renewed for {seconds:g} s: {self._failures.last or 'no time to run'}"

    def _note_end(self, error: BaseException) -> None:
        """The loop itself failed: nobody renews any more."""
        self._ending.why_lost = f"lease {self._lock.key} is not renewed any more: {describe_error(error)}"
        self.lost.set()

    def _count(self, *, is_leading: bool) -> None:
        if self._observer is not None:
            self._observer.is_leading = is_leading

    def _count_slow_path(self) -> None:
        if self._observer is not None:
            self._observer.slow_paths += 1
