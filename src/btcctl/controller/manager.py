"""Starts the parts of an operator in order, and stops them in reverse."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from btcctl.clock import SYSTEM_CLOCK, Clock, bounded
from btcctl.controller.controller import Controller
from btcctl.controller.keys.clusters import Clusters
from btcctl.controller.leading import Service, WhenLeading
from btcctl.controller.signals import catching_signals
from btcctl.errors import BtcctlError
from btcctl.informers.factory import SharedInformerFactory
from btcctl.informers.shared_informer import SharedInformer
from btcctl.logging import get_logger
from btcctl.mistakes import check_has, check_is
from btcctl.threads import Latch, Stop

if TYPE_CHECKING:
    from btcctl.leaderelection.elector import Elector

logger = get_logger(__name__)

_MIN_STOP_SECONDS = 1.0  # for each part to stop, even if another has used all the time up
# After the work has ended nothing is waited for that may never come: an API server that answers takes an event and
# a lease in milliseconds. Together less than two seconds, which are kept back from the time for the work.
_EVENT_SECONDS = 0.9  # without an event having been written
_LEASE_SECONDS = 0.7  # and what the events have not used; of a server that has been slower, these calls' time
_LEASE_CALLS = 4  # a renewal under way, to read the lease and to write it; and some to spare


@runtime_checkable
class _Finishing(Protocol):
    """A recorder that can tell whether it still gets on."""

    def finish(self, timeout: float, patience: float) -> None: ...


class Manager:
    """An informer factory, controllers on it, and whatever else runs beside them.

    With an elector the controllers start once we lead; the caches are filled before that. If the
    lease is lost, everything ends at once. It is given back only after all work has ended: if some
    does not, the process must end, and the lease runs out by itself.

    A stop takes as long as the work that is under way, within its limit; all controllers stop at once. A call that is
    not answered for a tenth of the time (2 s at least) is broken off with all others: none of the keys has failed then.
    The last events and the lease have a second each after that, the lease more if the server was slow to renew it: if
    the API server does not answer, they are given up, which is no failure.

    Args:
        factory: The caches, or those of several clusters.
        controllers: Started once everything else is; those that do not wait for the lead, before the others.
        recorder: An event recorder: its last events are sent after the controllers have ended.
        services: Further parts, started before the controllers.
        leading: Further parts that, as the controllers, run only while this process leads; always without an elector.
        elector: None runs the controllers whatever other processes do.
        clock: What deadlines are measured with.

    Raises:
        ValueError: Two controllers have one name: they would share threads' names, logs and metrics.
        TypeError: A service is none.
    """

    def __init__(
        self,
        factory: SharedInformerFactory | Clusters,
        controllers: Sequence[Controller],
        *,
        recorder: Service | None = None,
        services: Sequence[Service] = (),
        leading: Sequence[Service] = (),
        elector: Elector | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        check_has("the first part", factory, "stop", "a SharedInformerFactory, or Clusters")
        self.factory = factory
        self.controllers = _distinct(controllers)
        for each in (*services, *leading):
            _check_service(each)
        self.recorder = recorder
        self.elector = elector
        self._clock = clock
        gated: list[Service] = [*leading, *(each for each in self.controllers if each.leading)]
        self._waiting = [] if elector is None else [WhenLeading(elector.leading, gated, clock)]
        work = [*(each for each in self.controllers if not each.leading), *(self._waiting or gated)]
        self._last: list[Service] = _present(elector, recorder)
        self._parts: list[Service] = [factory, *self._last, *services, *work]
        self._running: list[Service] = []
        self._ended = Latch(clock)  # asked to stop, or something died
        self._is_stopped = False
        self._unused_seconds = _EVENT_SECONDS  # of the patience with the last events
        latches = [factory.died, *(each.died for each in self.controllers), *(each.died for each in self._waiting)]
        for latch in latches if elector is None else (*latches, elector.lost):
            latch.on_set(self._ended.set)

    def serve(self, server: Service) -> None:
        """Have a server of metrics and health run from before the first part to after the last. Before `start`."""
        self._parts.insert(0, server)

    @property
    def parts(self) -> list[Service]:
        """All that it starts, in this order."""
        return [*self._parts]

    @property
    def healthy(self) -> bool:
        """False once a thread of a controller or an informer has died, or the lease is lost."""
        return not self.dead() and (self.elector is None or not self.elector.problem())

    def dead(self) -> list[str]:
        """The controllers and informers of which a thread has died, and which one and why."""
        return [
            *(f"controller {each.name}: {why}" for each in self.controllers if (why := each.why_dead())),
            *(f"informer {each.name}: {why}" for each in self.factory.informers if (why := each.why_dead())),
            *(f"controllers: {why}" for each in self._waiting if (why := each.why_dead())),
        ]

    @property
    def clusters(self) -> list[str]:
        """The names of those that it looks after; [] if there is but one."""
        return [name for name in self.factory if name] if isinstance(self.factory, Clusters) else []

    def unsynced(self, cluster: str = "") -> list[str]:
        """The informers, of one of several clusters or else of the only one, whose caches are not filled, and why."""
        return [f"{each.name} ({each.why_unsynced()})" for each in self._in(cluster) if not each.has_synced()]

    def silent(self, cluster: str = "") -> list[str]:
        """Likewise those whose server has said nothing for too long, and why: their caches may be stale."""
        return [f"{each.name} ({why})" for each in self._in(cluster) if (why := each.why_silent())]

    def _in(self, cluster: str) -> list[SharedInformer]:
        return [each for each in self.factory.informers if each.cluster == cluster]

    def start(self) -> None:
        """Start caches, then elector, recorder and services, then controllers. Idempotent.

        Returns at once: the controllers wait for the caches, and for the lead, in threads of their own.

        Raises:
            RuntimeError: It was stopped.
        """
        if self._is_stopped:
            raise RuntimeError("the manager was stopped: to run again, make a new one, with new parts")
        if self._running:
            return
        for part in self._parts:
            self._running.append(part)
            part.start()

    def stop(self, timeout: float = 30.0) -> None:
        """Drain the controllers, send the last events, give the lease back, end the informers. Idempotent.

        Args:
            timeout: Seconds for all of it together.

        Raises:
            ValueError: `timeout` is NaN.
            RuntimeError: Called in a reconcile, for whose end it would have to wait.
            LeaseLost: We led, and had lost the lease before.
            BaseException: What killed a part. Of several, one, with the others as its context.
        """
        for controller in self.controllers:
            controller.refuse_in_reconcile("stop")
        self._is_stopped = True
        if self.elector is not None and not self.elector.problem():
            self.elector.resign()
        deadline = self._clock.now() + bounded(timeout)
        for part in self._running:
            if isinstance(part, Controller):  # together: in the time that the slowest takes
                part.begin_stop(self._work_seconds(deadline - self._clock.now()))
        self._stop_rest(deadline)

    def run(self, stop: Stop, grace_seconds: float = 30.0) -> None:
        """Start, wait until `stop` is set or a part dies, stop.

        Args:
            stop: Asks to end.
            grace_seconds: How long stopping may take; there is none if the lease was lost.

        Raises:
            LeaseLost: We led, and lost the lease.
            BaseException: What killed a part.
        """
        unlink = stop.on_set(self._ended.set)
        try:
            self.start()
            self._ended.wait()
        finally:
            unlink()
            self.stop(grace_seconds if self.elector is None or not self.elector.problem() else 0.0)
        if not stop.is_set():
            raise BtcctlError("a part of the manager ended before its time")

    def _stop_rest(self, deadline: float) -> None:
        """The last one first; one that fails does not keep the others from being stopped."""
        if not self._running:
            return
        part = self._running.pop()
        ended = False
        try:
            self._stop_part(part, deadline - self._clock.now())
            ended = True
        finally:
            if self.elector is not None and not ended:
                self.elector.abandon()  # a reconcile may still be at work
            self._stop_rest(deadline)

    def _stop_part(self, part: Service, left: float) -> None:
        """Stop it within what is `left` of the time, without what belongs to those that come after it."""
        if part is self.elector:
            self._give_lease_back(self.elector, left)
        elif part is self.recorder and isinstance(part, _Finishing):
            began = self._clock.now()
            part.finish(max(_MIN_STOP_SECONDS, left - self._lease_seconds()), _EVENT_SECONDS)
            self._unused_seconds = max(0.0, _EVENT_SECONDS - (self._clock.now() - began))
        else:
            part.stop(self._work_seconds(left))

    def _work_seconds(self, left: float) -> float:
        """What the work may take of the time that is left."""
        kept = _EVENT_SECONDS + self._lease_seconds() if any(each in self._running for each in self._last) else 0.0
        return max(_MIN_STOP_SECONDS, left - kept)

    def _lease_seconds(self) -> float:
        """What giving the lease back may take: as many calls as it may need, as long as the server takes for each."""
        answer_seconds = 0.0 if self.elector is None else self.elector.answer_seconds
        return max(_LEASE_SECONDS, _LEASE_CALLS * answer_seconds)

    def _give_lease_back(self, elector: Elector, left: float) -> None:
        try:
            seconds = self._lease_seconds() + self._unused_seconds
            elector.stop(max(_LEASE_SECONDS, min(left, seconds)))
        except TimeoutError:
            logger.warning("the API server does not answer: the lease is not given back, and runs out by itself")


def _check_service(service: object) -> None:
    is_one = all(callable(getattr(service, each, None)) for each in ("start", "stop"))
    if isinstance(service, type) or not is_one:
        what = f"the class {service.__name__}" if isinstance(service, type) else f"one {type(service).__name__}"
        raise TypeError(f"a service is an object with the methods start() and stop(timeout); {what} is none")


def _distinct(controllers: Sequence[Controller]) -> list[Controller]:
    check_is("what is to run", controllers, Sequence, "a list: [controller]")
    for each in controllers:
        check_has("one of the controllers", each, "stop", "a Controller, which `build` makes of a builder")
    names = [each.name for each in controllers]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two controllers are called {name}: give each a name of its own")
    return [*controllers]


def _present(*parts: Service | None) -> list[Service]:
    return [part for part in parts if part is not None]


def run_until_signal(manager: Manager, grace_seconds: float = 30.0) -> None:
    """Run until the first SIGTERM or SIGINT, drain, return. A second one exits at once.

    The exit status of the second is 128 + the signal's number: 143 or 130. Only for the main
    thread. The signal handlers are put back.

    Args:
        manager: What to run.
        grace_seconds: How long draining may take.

    Raises:
        RuntimeError: Not called in the main thread.
        BaseException: What killed a part of the manager.
    """
    stop = Stop()
    with catching_signals(lambda number: _on_signal(number, stop)):
        manager.run(stop, grace_seconds)


def _on_signal(number: int, stop: Stop) -> None:
    name = signal.Signals(number).name
    if stop.is_set():
        logger.error("second signal: exiting at once", signal=name)
        os._exit(128 + number)
    logger.info("stopping; a second signal exits at once", signal=name)
    stop.set()
