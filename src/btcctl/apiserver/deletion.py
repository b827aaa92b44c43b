"""What a DELETE does: at once, in two steps, or by way of finalizers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from btcctl.apiserver import statuses
from btcctl.apiserver.collection import Body, Record
from btcctl.apiserver.crds import CLEANUP_FINALIZER, terminating_condition
from btcctl.apiserver.metadata import canonical
from btcctl.apiserver.options import DeleteOptions
from btcctl.apiserver.registry import Served
from btcctl.apiserver.store import Store
from btcctl.clock import rfc3339
from btcctl.objects import ObjectKey

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
IMMORTAL_NAMESPACES = frozenset({"default", "kube-system", "kube-public"})
_DEFAULT_GRACE_SECONDS = 30


class Deletion:
    """Deletes objects from the store, inside the caller's transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def delete(self, served: Served, key: ObjectKey, options: DeleteOptions) -> Mapping[str, Any]:
        """
        Returns:
            The body of the answer.

        Raises:
            StatusError: It is not there, is not what the preconditions say, or must stay.
        """
        record = self._store.get(served.collection, key)
        if record is None:
            raise statuses.not_found(served.type, key.name)
        _check_preconditions(served, key, record, options)
        if served.collection == ("", "namespaces") and key.name in IMMORTAL_NAMESPACES:
            raise statuses.forbidden(served.type, key.name, "this namespace may not be deleted")
        if options.dry_run:
            return statuses.success(served.type, key.name, record.body["metadata"]["uid"])
        if served.collection == ("", "pods"):
            return self._delete_pod(served, key, record, options)
        if "deletionTimestamp" in record.body["metadata"]:
            return record.body
        finalizers = _finalizers(served, record.body, options.policy)
        if finalizers or (record.body.get("spec") or {}).get("finalizers"):
            return self._mark(served, record.body, finalizers, 0).body
        self._store.delete(served.collection, key)
        return statuses.success(served.type, key.name, record.body["metadata"]["uid"])

    def _delete_pod(self, served: Served, key: ObjectKey, record: Record, options: DeleteOptions) -> Body:
        """A pod that runs is only marked: whoever runs it deletes it for good, with grace 0."""
        grace, metadata = _grace(record.body, options), record.body["metadata"]
        if "deletionTimestamp" not in metadata or grace < metadata.get("deletionGracePeriodSeconds", 0):
            record = self._mark(served, record.body, _finalizers(served, record.body, options.policy), grace)
        if is_finished(record.body):
            record = self._store.delete(served.collection, key)
        return record.body

    def _mark(self, served: Served, body: Body, finalizers: list[str], grace: int) -> Record:
        now = self._store.clock.wall_time()
        metadata = dict(body["metadata"])
        metadata["deletionTimestamp"] = rfc3339(now + timedelta(seconds=grace))
        metadata["finalizers"] = finalizers
        is_definition = served.type.plural == "customresourcedefinitions"
        if "generation" in metadata and "deletionTimestamp" not in body["metadata"] and not is_definition:
            metadata["generation"] += 1
        if served.collection != ("", "namespaces"):
            metadata["deletionGracePeriodSeconds"] = grace
        marked = canonical({**body, "metadata": metadata}, sort=served.is_custom)
        if served.collection == ("", "pods") or finalizers:
            marked["metadata"].setdefault("deletionGracePeriodSeconds", grace)
        if served.collection == ("", "namespaces"):
            marked["metadata"].pop("deletionGracePeriodSeconds", None)
            marked["status"] = {**(body.get("status") or {}), "phase": "Terminating"}
        if served.type.plural == "customresourcedefinitions":
            marked["metadata"].pop("deletionGracePeriodSeconds", None)
            status = body.get("status") or {}
            conditions = [*(status.get("conditions") or ()), terminating_condition(rfc3339(now))]
            marked["status"] = {**status, "conditions": conditions}
        return self._store.update(served.collection, marked)


def is_finished(body: Body) -> bool:
    """Whether an object that is being deleted has nothing left to wait for."""
    metadata = body["metadata"]
    if not metadata.get("deletionTimestamp") or metadata.get("finalizers"):
        return False
    return not metadata.get("deletionGracePeriodSeconds") and not (body.get("spec") or {}).get("finalizers")


def _finalizers(served: Served, body: Body, policy: str) -> list[str]:
    kept = [each for each in body["metadata"].get("finalizers") or () if each not in {FOREGROUND, ORPHAN}]
    if served.type.plural == "customresourcedefinitions" and CLEANUP_FINALIZER not in kept:
        kept.append(CLEANUP_FINALIZER)
    if policy == "Foreground":
        return [*kept, FOREGROUND]
    if policy == "Orphan":
        return [*kept, ORPHAN]
    return kept


def _grace(body: Body, options: DeleteOptions) -> int:
    """Seconds; 0 for a pod that no node runs, or that is over already."""
    spec, phase = body["spec"], (body.get("status") or {}).get("phase")
    if not spec.get("nodeName") or phase in {"Succeeded", "Failed"}:
        return 0
    grace = options.grace_seconds
    if grace is None:
        grace = spec.get("terminationGracePeriodSeconds", _DEFAULT_GRACE_SECONDS)
    return 1 if grace < 0 else int(grace)


def _check_preconditions(served: Served, key: ObjectKey, record: Record, options: DeleteOptions) -> None:
    uid = record.body["metadata"]["uid"]
    if options.uid and options.uid != uid:
        why = (
            f"the UID in the precondition ({options.uid}) does not match the UID in record ({uid}). "
            "The object might have been deleted and then recreated"
        )
        raise statuses.precondition_failed(served.type, key.name, why)
    if options.version and options.version != str(record.revision):
        why = (
            f"the ResourceVersion in the precondition ({options.version}) does not match the ResourceVersion in "
            f"record ({record.revision}). The object might have been modified"
        )
        raise statuses.precondition_failed(served.type, key.name, why)
