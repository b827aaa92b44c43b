"""Clusters beside each other in one queue: none holds up another.

A cluster's keys come to the queue once its caches are filled, and no sooner: a reconcile that looks into an empty cache
takes what it does not see for gone. Until then they wait here, while those of other clusters are worked at.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from btcctl.controller.keys.sources import KeyHandler, Source, report_waiting
from btcctl.informers.shared_informer import SharedInformer
from btcctl.informers.sharing.notifications import Witness
from btcctl.objects import ObjectKey
from btcctl.threads import Latch

_FIRST_LOOK_SECONDS = 0.01  # whether a cluster's caches are filled; twice as long each time, up to the last
_LAST_LOOK_SECONDS = 0.64


@dataclass(slots=True)
class _Gate:
    sources: list[Source] = field(default_factory=list)
    is_open: bool = False
    held: dict[ObjectKey, Callable[[ObjectKey], None]] = field(default_factory=dict)  #: and how each goes on


class Gates:
    """The sources of a controller, and what lets their keys into its queue, cluster by cluster. Thread-safe."""

    def __init__(self) -> None:
        self._sources: list[Source] = []
        self._lock = threading.Lock()  # guards what is held, and the opening
        self._gates: dict[str, _Gate] = {}

    def watch(self, informer: SharedInformer, handler: KeyHandler, witness: Witness | None) -> None:
        """Take an informer in. Once there are clusters, whichever key comes passes its cluster's gate."""
        if informer.cluster and not self._gates:
            for each in self._sources:
                each.handler.go_through(self._behind)
        if informer.cluster or self._gates:
            handler.go_through(self._behind)
        gate = self._gates.setdefault(informer.cluster, _Gate()) if informer.cluster else None
        source = Source(informer, handler, witness)
        self._sources.append(source)
        if gate is not None:
            gate.sources.append(source)

    def enqueue(self, key: ObjectKey, add: Callable[[ObjectKey], None]) -> None:
        """Have a key that comes from no informer added, once its cluster's caches are filled."""
        self._pass(add, key)

    def handlers(self) -> list[KeyHandler]:
        """Of all sources."""
        return [each.handler for each in self._sources]

    def clusters(self) -> list[str]:
        """The clusters that are watched; "" is the only one, or one beside them that is not looked after."""
        return [*dict.fromkeys(each.cluster for each in self._sources)]

    def of_home(self) -> list[Source]:
        """What all keys wait for. Those of other clusters hold up the keys of theirs, and nobody else."""
        return [each for each in self._sources if not each.cluster]

    def open_ready(self) -> list[Source]:
        """Let the keys of clusters go whose caches are filled; return the sources that others wait for."""
        waiting = []
        for gate in self._gates.values():
            if gate.is_open:
                continue
            if unsynced := [each for each in gate.sources if not each.has_synced()]:
                waiting += unsynced
                continue
            with self._lock:
                gate.is_open, held, gate.held = True, gate.held, {}
            for key, add in held.items():
                add(key)
        return waiting

    def open_all(self, controller: str, ended: Latch) -> None:
        """Open each once its cluster's caches are filled, until all are, or `ended`; of those that are not, log why."""
        pause, reported = _FIRST_LOOK_SECONDS, dict[str, str]()
        while waiting := self.open_ready():
            if pause == _LAST_LOOK_SECONDS:
                report_waiting(controller, waiting, reported)
            if ended.wait(pause):
                return
            pause = min(2 * pause, _LAST_LOOK_SECONDS)

    def held(self) -> dict[str, int]:
        """Of each cluster, how many keys wait for its caches: {} if there is but one."""
        return {name: len(each.held) for name, each in self._gates.items()}

    def close(self, seconds: float) -> None:
        """Pass on nothing more, and wait for mappings that are under way, so long for each."""
        for each in self._sources:
            each.close()
        for each in self._sources:
            each.remove(seconds)

    def _behind(self, add: Callable[[ObjectKey], None]) -> Callable[[ObjectKey], None]:
        return partial(self._pass, add)

    def _pass(self, add: Callable[[ObjectKey], None], key: ObjectKey) -> None:
        gate = self._gates.get(key.cluster)
        if gate is not None and not gate.is_open:
            with self._lock:
                if not gate.is_open:
                    gate.held.setdefault(key, add)
                    return
        add(key)
