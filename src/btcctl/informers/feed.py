"""What feeds an informer: one reflector, and the way from its source to the FIFO."""

from __future__ import annotations

from collections.abc import Sequence

from btcctl.clock import Clock
from btcctl.informers.delta_fifo import ALL, DeltaFIFO
from btcctl.informers.list_watch import ListerWatcher
from btcctl.informers.options import ReflectorOptions
from btcctl.informers.reflector import Reflector
from btcctl.informers.transform import Quarantine, Transform, Unusable, transforming
from btcctl.objects import Object, WatchEvent


class Feed:
    """Reflects one source into one scope of a FIFO.

    Args:
        name: Of the informer, in logs.
        source: Everything there is in `scope`.
        fifo: Where to.
        scope: A namespace, or ALL.
        transform: Done to each object on its way.
        clock: Of the reflector.
        options: Of the reflector.
    """

    def __init__(
        self,
        name: str,
        source: ListerWatcher,
        fifo: DeltaFIFO,
        scope: str = ALL,
        *,
        transform: Transform | None,
        clock: Clock,
        options: ReflectorOptions,
    ) -> None:
        self.scope = scope
        self.name = f"{name}-{scope}" if scope else name
        self.quarantine = Quarantine(self.name)
        if transform is not None:
            source = transforming(source, transform, self.quarantine)
        self._fifo = fifo
        self.reflector = Reflector(self.name, source, self, clock=clock, options=options)

    def replace(self, objects: list[Object]) -> None:
        """This, and nothing else, is in the scope."""
        self.quarantine.keep_only(obj.key for obj in objects if type(obj) is Unusable)
        self._fifo.replace(objects, self.scope)

    def apply(self, events: Sequence[WatchEvent]) -> None:
        """These have changed in it."""
        self._fifo.apply(*events)

    def why_unsynced(self) -> str:
        """For a message: what was tried last and what came of it."""
        place = f" in {self.scope}" if self.scope else ""
        return f"{self.reflector.action}{place}: {self.reflector.last_error or 'no answer yet'}"

    def why_silent(self, now: float) -> str:
        """For a message: for how long nothing was heard, and why."""
        return f"nothing heard for {self.reflector.statistics().silence(now):.0f} s: {self.why_unsynced()}"
