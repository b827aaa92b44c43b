"""Changes on their way through an operator, step by step: what a person sees who wants to know how it works.

reflector → fifo → cache → handler → queue → reconcile → done. The first three are of an object and its informer, the
others of the object's key and its controller. Only where somebody asked for it: each step costs about ten microseconds.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.controller.controller import Controller
from btcctl.controller.manager import Manager
from btcctl.informers.observing import PathStage
from btcctl.objects import Object, ObjectKey, WatchEvent

MAX_STEPS: Final = 1000  #: that are remembered


class Step(NamedTuple):
    """
    Attributes:
        number: Counts all steps; greater is later.
        at: Seconds since 1970.
        of: The informer, or the controller.
        key: Of the object; from `handler` on, what is reconciled.
        version: The object's resourceVersion; "" from `queue` on.
        what: ADDED, MODIFIED or DELETED; of `handler` the informer that told it; of `done` what came of it.
        reconcile: The id of the reconcile that it leads to; "" before `handler`.
    """

    number: int
    at: float
    stage: str
    of: str
    key: ObjectKey
    version: str = ""
    what: str = ""
    reconcile: str = ""


class Journey:
    """Remembers the last steps. Thread-safe.

    Args:
        manager: Whose informers and controllers are observed, from now on; before its `start`.
        clock: The time of day.
    """

    def __init__(self, manager: Manager, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._numbers = itertools.count(1)
        self._steps: deque[Step] = deque(maxlen=MAX_STEPS)
        for informer in manager.factory.informers:
            informer.observe(partial(self._on_path, informer.name))
        for controller in manager.controllers:
            controller.observe(partial(self._on_work, controller))

    def since(self, number: int) -> list[Step]:
        """The steps after that one, as far as they are remembered; 0: all."""
        return [each for each in self._steps.copy() if each.number > number]

    def page(self, number: int) -> dict[str, Any]:
        """The same, as plain data."""
        return {"steps": [{**each._asdict(), "key": str(each.key)} for each in self.since(number)]}

    def _on_path(self, informer: str, stage: PathStage, events: Sequence[WatchEvent]) -> None:
        at = self._clock.wall_time().timestamp()
        for type_, obj in events:
            self._steps.append(
                Step(next(self._numbers), at, stage, informer, obj.key, obj.resource_version, str(type_))
            )

    def _on_work(
        self, controller: Controller, stage: str, what: str, key: ObjectKey, obj: Object | None, reconcile: str
    ) -> None:
        at, version = self._clock.wall_time().timestamp(), "" if obj is None else obj.resource_version
        self._steps.append(Step(next(self._numbers), at, stage, controller.name, key, version, what, reconcile))
