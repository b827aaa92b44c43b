"""A reflector of one scope of an informer: the way from its source to the FIFO."""

from __future__ import annotations

from collections.abc import Sequence

from btcctl.clock import Clock
from btcctl.informers.cache.delta_fifo import ALL, DeltaFIFO
from btcctl.informers.observing import PathObserver
from btcctl.informers.options import ReflectorOptions
from btcctl.informers.reflector.list_watch import ListerWatcher
from btcctl.informers.reflector.reflector import Reflector
from btcctl.informers.reflector.transform import Quarantine, QuarantinedObject, Transform, transforming
from btcctl.objects import Object, WatchEvent


class ScopedReflector:
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
        self.source = source
        self._fifo = fifo
        self.observer: PathObserver | None = None
        self.reflector = Reflector(self.name, source, self, clock=clock, options=options)

    def replace(self, objects: list[Object]) -> None:
        """This, and nothing else, is in the scope."""
        self.quarantine.keep_only(obj.key for obj in objects if type(obj) is QuarantinedObject)
        self._fifo.replace(objects, self.scope)

    def apply(self, events: Sequence[WatchEvent]) -> None:
        """These have changed in it."""
        if self.observer is not None:
            self.observer("reflector", events)
        self._fifo.apply(*events)

    def why_unsynced(self) -> str:
        """For a message: what was tried last and what came of it."""
        return f"{self.reflector.action}{self._place}: {self.reflector.last_error or 'no answer yet'}"

    def why_silent(self, now: float, limit: float) -> str:
        """For a message: for how long nothing was heard, if for `limit` or more, or why there is no watch; else ""."""
        silence = self.reflector.statistics().silence(now)
        if silence >= limit:
            return f"nothing heard for {silence:.0f} s: {self.why_unsynced()}"
        why = self.reflector.why_unwatched()
        return f"{self.scope}: {why}" if why and self.scope else why

    @property
    def _place(self) -> str:
        return f" in {self.scope}" if self.scope else ""
