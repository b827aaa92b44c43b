"""What goes on inside a manager, as plain data. No bodies of objects, no secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.controller.controller import Controller
from btcctl.controller.journey import Journey
from btcctl.controller.manager import Manager
from btcctl.informers.shared_informer import SharedInformer
from btcctl.objects import ObjectKey
from btcctl.threads import stack_of
from btcctl.workqueue.state import KeyPhase

_KEYS_SHOWN = 200  # per controller; of more, those first that are at work or failed


class DebugPages:
    """Answers `queue`, `informers`, `lead`, `key/NAMESPACE/NAME` and, of a journey, `steps/NUMBER`: those after it.

    Of several clusters a key begins with its own: `key/CLUSTER:NAMESPACE/NAME`, and `queue` has `waiting`: how many
    keys of each wait for its caches, or for others of it.

    Args:
        manager: What is shown.
        clock: What its informers measure with.
        journey: Of the same manager; None has no steps.
    """

    def __init__(self, manager: Manager, clock: Clock = SYSTEM_CLOCK, journey: Journey | None = None) -> None:
        self._manager = manager
        self._journey = journey
        self._clock = clock

    def page(self, path: str) -> Mapping[str, Any] | None:
        """The page, None if there is no such; seconds are rounded."""
        name, _, rest = path.partition("/")
        if name == "queue" and not rest:
            return {each.name: self._queue(each) for each in self._manager.controllers}
        if name == "informers" and not rest:
            return {each.name: self._informer(each) for each in self._manager.factory.informers}
        if name == "lead" and not rest:
            elector = self._manager.elector
            return {"leads": elector is None or elector.leading.is_set()}
        if name == "steps" and self._journey is not None and rest.isascii() and rest.isdecimal():
            return self._journey.page(int(rest))
        cluster = next((each for each in self._manager.clusters if rest.startswith(f"{each}:")), "")
        namespace, slash, object_name = (rest[len(cluster) + 1 :] if cluster else rest).rpartition("/")
        if name == "key" and object_name:
            key = ObjectKey(namespace if slash else "", object_name, cluster)
            return {each.name: self._key(each, key, with_stack=True) for each in self._manager.controllers}
        return None

    def _queue(self, controller: Controller) -> dict[str, Any]:
        statistics = controller.queue.statistics()
        keys = sorted(controller.queue.keys(), key=lambda key: (-controller.queue.num_requeues(key), key))
        running = [*controller.journal.running()]
        shown = [*dict.fromkeys([*running, *keys])][:_KEYS_SHOWN]
        return {
            "depth": statistics.depth,
            "delayed": statistics.delayed,
            "running": len(statistics.running_seconds),
            "longest_running_seconds": _rounded(max(statistics.running_seconds, default=None)),
            "next_due_seconds": _rounded(statistics.next_due_seconds),
            **({"waiting": waiting} if (waiting := controller.waiting_in_clusters()) else {}),
            "keys": {str(key): self._key(controller, key) for key in shown},
        }

    def _key(self, controller: Controller, key: ObjectKey, *, with_stack: bool = False) -> dict[str, Any]:
        state, running = controller.queue.state_of(key), controller.journal.running().get(key)
        last = controller.journal.last(key)
        found: dict[str, Any] = {
            "state": (KeyPhase.RUNNING if running else state.phase).value,
            "failures": controller.queue.num_requeues(key),
            "next_try_seconds": _rounded(state.due_seconds),
        }
        if running is not None:
            found |= {"reconcile_id": running.id, "running_seconds": _rounded(state.running_seconds)}
            if with_stack:
                found["stack"] = stack_of(running.thread)
        if last is not None:
            found["last"] = {
                "reconcile_id": last.id,
                "result": last.result,
                "seconds": _rounded(last.seconds),
                "seconds_ago": _rounded(self._clock.now() - last.ended_at),
                "error": last.error,
            }
        return found

    def _informer(self, informer: SharedInformer) -> dict[str, Any]:
        statistics, now = informer.statistics(), self._clock.now()
        heard = [each.last_event_at for each in statistics.reflectors if each.last_event_at is not None]
        return {
            "synced": informer.has_synced(),
            "objects": statistics.objects,
            "queued": statistics.queued,
            "quarantined": statistics.quarantined,
            "lists": sum(each.lists for each in statistics.reflectors),
            "watches": sum(each.watches for each in statistics.reflectors),
            "events": sum(each.events for each in statistics.reflectors),
            "last_event_seconds_ago": _rounded(now - max(heard) if heard else None),
            "silent_seconds": _rounded(max(each.silence(now) for each in statistics.reflectors)),
            "last_error": "" if informer.last_error is None else str(informer.last_error),
            "why_unsynced": informer.why_unsynced(),
        }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
