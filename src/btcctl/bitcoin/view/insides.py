"""What a page is told of the operator's own work, as JSON; see `model`. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec


class KeyView(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A key that a controller has in its queue, in hand, or failed with.

    Attributes:
        key: `NAMESPACE/NAME`.
        state: `running`, `queued`, `delayed` or `idle`.
        since: When the reconcile that runs began; 0 if none does.
        reconcile: Its id; the same stands in the logs and in the steps.
        why: Which change led to it, for people; "" if that is not known.
        next_at: When it is looked at again; 0 if nothing is planned.
        failures: In a row.
        last_result: Of the last reconcile that ended: `success`, `error` …; "" if there was none.
        last_error: Of the same.
        last_seconds: How long it took.
    """

    key: str
    state: str
    since: float = 0.0
    reconcile: str = ""
    why: str = ""
    next_at: float = 0.0
    failures: int = 0
    last_result: str = ""
    last_error: str = ""
    last_at: float = 0.0
    last_seconds: float = 0.0


class QueueView(msgspec.Struct, frozen=True, rename="camel"):
    """A controller's work queue; `depth`: ready keys; `delayed`: keys that wait for their time."""

    name: str
    depth: int = 0
    delayed: int = 0
    running: int = 0
    next_at: float = 0.0
    keys: list[KeyView] = []


class CacheView(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """An informer's cache.

    Attributes:
        queued: Changes in its FIFO that are not in the cache yet.
        heard_at: When the API server last said anything of the collection, be it that nothing changed.
        changed_at: When it last told of a change.
        problem: Why the last list or watch failed, or why it has not synced; "" if all is well.
    """

    name: str
    is_synced: bool = False
    objects: int = 0
    queued: int = 0
    events: int = 0
    heard_at: float = 0.0
    changed_at: float = 0.0
    problem: str = ""


#: Where a change is on its way through the controller, in this order.
Stage = Literal["reflector", "fifo", "cache", "handler", "queue", "reconcile", "done"]


class Step(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A change has come to a stage.

    Attributes:
        number: Counts all steps; greater is later.
        at: With microseconds.
        stage: `reflector`: a line of a watch was read. `fifo`: it was taken out of the delta FIFO. `cache`: the cache
            shows it. `handler`: the controller's handler was told. `queue`: a key was added. `reconcile`: a worker took
            the key. `done`: the reconcile ended.
        of: The informer, for example `pods`; of the last three the controller.
        key: The object's; of `queue` and later the network's.
        version: The object's resourceVersion; "" of `queue` and later.
        what: `ADDED`, `MODIFIED`, `DELETED`; of `done` the result and, if it failed, the error.
        reconcile: The id of the reconcile that the change led to; of `handler` and later.
    """

    number: int
    at: float
    stage: Stage
    of: str
    key: str
    version: str = ""
    what: str = ""
    reconcile: str = ""


class Controller(msgspec.Struct, frozen=True, rename="camel"):
    """What goes on inside the operator.

    Attributes:
        is_visible: False: it cannot be looked into, and `why_not` says why, and what to do about it.
        where: Whose inside it is, for example `in this process`, or a pod.
        is_leading: It holds the Lease, or needs none.
        steps: The latest, by number.
    """

    is_visible: bool = False
    why_not: str = ""
    where: str = ""
    is_leading: bool = False
    queues: list[QueueView] = []
    caches: list[CacheView] = []
    steps: list[Step] = []
