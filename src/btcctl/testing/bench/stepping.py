"""Steps the parts of a manager until none has anything to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from btcctl.clock import SYSTEM_CLOCK, sleep
from btcctl.controller.lives.daemons import Daemons
from btcctl.controller.manager import Manager
from btcctl.errors import BtcctlError, Gone
from btcctl.events.recorder import EventRecorder
from btcctl.informers.shared_informer import SharedInformer
from btcctl.informers.stepper import Stepper
from btcctl.testing.bench.clock import JumpingClock
from btcctl.testing.bench.lockstep import Lockstep

_MOST_RECONCILES = 1000  # of all keys together, until nothing is left to do
_MOST_STEPS = 100_000
_MOST_HURRIES = 5  # at one instant: a server that refuses lists is not asked for ever
_AGAIN_SECONDS = 0.1  # of real time, after which a server with a time of its own is asked once more
_ARRIVAL_SECONDS = 20.0  # until what a server with sockets has written is in its watches


class SteppedManager:
    """One life of an operator.

    Args:
        manager: Not started.
        clock: Of all its parts.
        is_immediate: The server's watches have at once what was written.
        is_of_a_fault: Whether a list or watch met an error because the test wanted it.

    Raises:
        AssertionError: A part measures time with another clock.
    """

    def __init__(
        self,
        manager: Manager,
        clock: JumpingClock,
        *,
        is_immediate: bool,
        is_of_a_fault: Callable[[BtcctlError], bool],
    ) -> None:
        self.manager = manager
        self._clock = clock
        self._is_immediate = is_immediate
        self._is_of_a_fault = is_of_a_fault
        self._steppers: dict[SharedInformer, Stepper] = {}
        for controller in manager.controllers:
            if controller.clock is not clock:
                raise AssertionError(
                    f"controller {controller.name} has a clock of its own: build(client, clock) has to hand on the "
                    "clock, to SharedInformerFactory, to the controllers and to the EventRecorder"
                )
        self._lockstep = Lockstep(clock)
        for part in manager.parts:
            if isinstance(part, Daemons):
                part.runner = self._lockstep.runner
                part.start()
        self._find_informers()

    @property
    def steppers(self) -> dict[SharedInformer, Stepper]:
        return self._steppers

    def settle(self) -> None:
        """Step everything until nothing is left to do at this instant.

        What the test did not bring about takes none of its time. A server may end watches and forget versions of its
        own accord, for one when the operator registers how versions are converted: those caches are read again without
        a pause. One over sockets says so at whichever moment, and may not serve the kind for another.

        Raises:
            AssertionError: It does not come to rest, or a cache does not come to hold what the server has.
        """
        hurries = _MOST_HURRIES
        reconciled: Counter[str] = Counter()
        arrive_by = SYSTEM_CLOCK.now() + _ARRIVAL_SECONDS
        again_at = SYSTEM_CLOCK.now() + _AGAIN_SECONDS
        for _ in range(_MOST_STEPS):
            if self._step_caches() or self._step_recorder() or self._reconcile(reconciled) or self._lockstep.step():
                continue
            if hurries and self._hurry(self._is_end_of_watch):
                hurries -= 1
                continue
            behind = "" if self._is_immediate else self._behind()
            if not behind:
                return
            now = SYSTEM_CLOCK.now()
            if now > arrive_by:
                raise AssertionError(f"not in the cache within {_ARRIVAL_SECONDS:g} s: {behind}")
            if now > again_at:
                again_at = now + _AGAIN_SECONDS
                self._hurry(self._is_of_the_server)
            sleep(0.002)
        raise AssertionError(f"no rest after {_MOST_STEPS} steps")

    def next_due(self) -> float:
        """At which instant there will be something to do, if nothing happens; infinity is never."""
        delays = [each.queue.statistics().next_due_seconds for each in self.manager.controllers]
        now = self._clock.now()
        of_queues = [now + each for each in delays if each is not None]
        of_daemons = self._lockstep.next_due()
        return min([*of_queues, of_daemons, *(each.next_due() for each in self._steppers.values())])

    def unfilled(self) -> list[str]:
        """Which caches have never been filled, though the test lets them, and why."""
        return [
            f"{informer.name}: {informer.why_unsynced()}"
            for informer, stepper in self._steppers.items()
            if not informer.has_synced() and not self._is_held_up(stepper)
        ]

    def misled(self) -> list[str]:
        """Which handlers, a controller's mappings and predicates among them, have raised, and how often."""
        return [
            f"{handler.name} {handler.failures} times"
            for informer in self._steppers
            for handler in informer.statistics().handlers
            if handler.failures
        ]

    def close(self) -> None:
        """End it, as a process ends that is killed."""
        self._lockstep.close()
        for controller in self.manager.controllers:
            controller.queue.shut_down()
        for each in self._steppers.values():
            each.close()

    def _find_informers(self) -> None:
        for informer in self.manager.factory.informers:
            if informer not in self._steppers:
                self._steppers[informer] = informer.stepper()

    def _step_caches(self) -> bool:
        self._find_informers()
        did = [each.step() for each in self._steppers.values()]  # each, whatever the one before has done
        return True in did

    def _step_recorder(self) -> bool:
        recorder = self.manager.recorder
        return isinstance(recorder, EventRecorder) and recorder.broadcaster.step()

    def _reconcile(self, reconciled: Counter[str]) -> bool:
        """One key, of whichever controller has one."""
        for controller in self.manager.controllers:
            key = controller.step()
            if key is not None:
                reconciled[f"{controller.name} {key}"] += 1
                if reconciled.total() > _MOST_RECONCILES:
                    most = ", ".join(f"{name} {count} times" for name, count in reconciled.most_common(3))
                    raise AssertionError(f"no rest: reconciled at one instant: {most}")
                return True
        return False

    def _hurry(self, after: Callable[[BtcctlError | None], bool]) -> bool:
        return True in [each.hurry(after) for each in self._steppers.values()]

    def _is_of_the_server(self, error: BtcctlError | None) -> bool:
        return error is None or not self._is_of_a_fault(error)

    def _is_end_of_watch(self, error: BtcctlError | None) -> bool:
        return error is None or (isinstance(error, Gone) and not self._is_of_a_fault(error))

    def _behind(self) -> str:
        """Which cache does not hold what the server has, though the test lets it."""
        for informer, stepper in self._steppers.items():
            if not self._is_held_up(stepper) and not stepper.is_up_to_date(informer.lister):
                return informer.name
        return ""

    def _is_held_up(self, stepper: Stepper) -> bool:
        """Whether a fault of the test's is why nothing new comes."""
        return stepper.is_cut_off or stepper.pauses(lambda error: not self._is_of_the_server(error))
