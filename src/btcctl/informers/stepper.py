"""An informer without threads: its work is done piece by piece in the thread of the caller. For tests.

What would be waited for is not waited for: a pause of a reflector is an instant before which it is not stepped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from btcctl.clock import Clock
from btcctl.errors import BtcctlError
from btcctl.informers.cache.lister import Lister
from btcctl.informers.scoped_reflector import ScopedReflector
from btcctl.informers.sharing.registration import Registration
from btcctl.threads import Stop

_NEVER = float("inf")


class PauseNoter(Stop):
    """A Stop whose pauses take no time: it only knows when they would be over."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._now = clock.now
        self.due_at = -_NEVER

    def wait(self, timeout: float | None = None) -> bool:
        """Note the pause; return at once whether it is set."""
        if not self.is_set():
            self.due_at = max(self.due_at, self._now() + (_NEVER if timeout is None else timeout))
        return self.is_set()


class _ReflectorSteps:
    """How far a reflector has come."""

    def __init__(self, scoped: ScopedReflector, clock: Clock) -> None:
        self._now = clock.now
        self._stop = PauseNoter(clock)
        self._reflector = scoped.reflector
        self._steps = scoped.reflector.steps(self._stop)

    @property
    def due_at(self) -> float:
        return self._stop.due_at

    def step(self) -> bool:
        return self._now() >= self._stop.due_at and next(self._steps, False)

    def pauses(self) -> bool:
        return self.due_at > self._now()

    @property
    def last_error(self) -> BtcctlError | None:
        return self._reflector.last_error

    def hurry(self) -> None:
        self._stop.due_at = self._now()

    def close(self) -> None:
        self._steps.close()


class Stepper:
    """Made by `SharedInformer.stepper`.

    Attributes:
        is_cut_off: Nothing comes from the server, as if its network were gone, until that is taken back.
    """

    def __init__(
        self,
        reflectors: Sequence[ScopedReflector],
        process: Callable[[], bool],
        until_resync: Callable[[], float | None],
        registrations: Callable[[], Sequence[Registration]],
        clock: Clock,
    ) -> None:
        self.is_cut_off = False
        self._scoped = reflectors
        self._reflectors = [_ReflectorSteps(each, clock) for each in reflectors]
        self._process = process
        self._until_resync = until_resync
        self._registrations = registrations
        self._clock = clock

    def step(self) -> bool:
        """Read what has come, change the cache, tell the handlers; return whether there was anything to do."""
        # Each of them, whatever the one before has done.
        did = [self._process()] if self.is_cut_off else [*(each.step() for each in self._reflectors), self._process()]
        did += [_tell(each) for each in self._registrations()]
        return True in did

    def next_due(self) -> float:
        """At which instant there will be something to do, if nothing happens; infinity is never."""
        now = self._clock.now()
        pauses = [] if self.is_cut_off else [each.due_at for each in self._reflectors if each.due_at > now]
        resync = self._until_resync()
        return min([*pauses, _NEVER if resync is None else now + resync])

    def pauses(self, after: Callable[[BtcctlError | None], bool]) -> bool:
        """Whether a reflector waits before it reads again, after such an error; None is a watch that ended early."""
        return bool(self._pausing(after))

    def hurry(self, after: Callable[[BtcctlError | None], bool]) -> bool:
        """Read again at once where a reflector waits after such an error; return whether one does."""
        waiting = [] if self.is_cut_off else self._pausing(after)
        for each in waiting:
            each.hurry()
        return bool(waiting)

    def _pausing(self, after: Callable[[BtcctlError | None], bool]) -> list[_ReflectorSteps]:
        return [each for each in self._reflectors if each.pauses() and after(each.last_error)]

    def is_up_to_date(self, lister: Lister) -> bool:
        """Whether the cache holds what the server has just now. Asks it, past the reflectors."""
        return all(_is_listed(each, lister) for each in self._scoped)

    def close(self) -> None:
        """Let watches go."""
        for each in self._reflectors:
            each.close()


def _tell(registration: Registration) -> bool:
    has_pending = registration.listener.statistics().pending > 0
    if has_pending:
        registration.listener.deliver()
    return has_pending


def _is_listed(scoped: ScopedReflector, lister: Lister) -> bool:
    page = scoped.source.list_page(resource_version="", limit=0, continue_token="")
    there = {obj.key: obj.resource_version for obj in page.items}
    return there == {obj.key: obj.resource_version for obj in lister.list(scoped.scope)}
