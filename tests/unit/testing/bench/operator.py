"""A small operator of databases: a StatefulSet for each, a status, an event, a finalizer."""

from __future__ import annotations

from typing import Any

from btcctl import (
    STATEFUL_SETS,
    ApiClient,
    Controller,
    ControllerOptions,
    EventRecorder,
    Manager,
    ObjectKey,
    Result,
    SharedInformerFactory,
    create_or_update,
    set_controller,
)
from btcctl.clock import Clock
from tests.unit.typed.databases import Database, DatabaseStatus

POLL_SECONDS = 60.0


class Reconciler:
    def __init__(self, client: ApiClient, factory: SharedInformerFactory, recorder: EventRecorder) -> None:
        self._databases = client.resource(Database)
        self._sets = client.resource(STATEFUL_SETS)
        self._cached = factory.informer(Database).lister
        self._cached_sets = factory.informer(STATEFUL_SETS).lister
        self._recorder = recorder
        self.polls = 0

    def __call__(self, key: ObjectKey) -> Result:
        db = self._cached.get(key)
        if db is None or db.deletion_timestamp is not None:
            return Result()

        def as_wanted(body: dict[str, Any]) -> None:
            set_controller(body, Database, db)
            labels = {"db": db.name}
            pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "db", "image": "db:1"}]}}
            spec = body.setdefault(
                "spec", {"selector": {"matchLabels": labels}, "serviceName": db.name, "template": pod}
            )
            spec["replicas"] = db.spec.replicas

        made = create_or_update(self._sets, key, as_wanted, cached=self._cached_sets.get(key)).object
        ready = (made.body().get("status") or {}).get("readyReplicas", 0)
        phase = "Ready" if ready >= db.spec.replicas else "Pending"
        if (db.status.phase if db.status else None) != "Ready" and phase == "Ready":
            self._recorder.event(db, "Normal", "Ready", "all pods are ready")
        self._databases.write_status(db, DatabaseStatus(phase=phase, ready=ready))
        return Result(requeue_after=POLL_SECONDS)


def build(client: ApiClient, clock: Clock) -> Manager:
    factory = SharedInformerFactory(client, clock=clock)
    recorder = EventRecorder(client, "databases", clock)
    reconcile = Reconciler(client, factory, recorder)
    options = ControllerOptions(reconcile_timeout=20.0)
    controller = (
        Controller.for_(Database)
        .owns(STATEFUL_SETS)
        .build("databases", reconcile, factory, options=options, clock=clock)
    )
    return Manager(factory, [controller], recorder=recorder, clock=clock)
