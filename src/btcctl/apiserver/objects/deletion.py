"""What a DELETE does: at once, in two steps, or by way of finalizers.

Source: k8s.io/apiserver 0.36.2, pkg/registry/generic/registry/store.go and pkg/registry/rest/delete.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from btcctl.apiserver.apiextensions.crds import CLEANUP_FINALIZER, terminating_condition
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import StatusError
from btcctl.apiserver.objects.ownership import FOREGROUND, ORPHAN
from btcctl.apiserver.objects.strategies import strategy_of
from btcctl.apiserver.requests.options import DeleteOptions
from btcctl.apiserver.served.registry import Served
from btcctl.apiserver.storage.collection import Body, CollectionId, Record
from btcctl.apiserver.storage.conversions import as_served
from btcctl.apiserver.storage.store import Store
from btcctl.clock import rfc3339
from btcctl.objects import ObjectKey

IMMORTAL_NAMESPACES = frozenset({"default", "kube-system", "kube-public"})
_NAMESPACES: CollectionId = ("", "namespaces")
_PODS: CollectionId = ("", "pods")
_DEFINITIONS: CollectionId = ("apiextensions.k8s.io", "customresourcedefinitions")
#: What is answered with the object itself when it is gone.
_ANSWERED_WHOLE: frozenset[CollectionId] = frozenset({_NAMESPACES, _PODS, ("", "serviceaccounts"), ("", "services")})


class Deleted(NamedTuple):
    """What became of an object: the body of the answer, and whether it is gone."""

    body: Mapping[str, Any]
    is_gone: bool


class Deletion:
    """Deletes objects from the store, inside the caller's transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def delete(self, served: Served, key: ObjectKey, options: DeleteOptions) -> Deleted:
        """
        Raises:
            StatusError: It is not there, is not what the preconditions say, or must stay.
        """
        record = self._store.get(served.collection, key)
        if record is None:
            raise errors.not_found(served.type, key.name)
        _check_preconditions(served, key, record, options)
        if served.collection == _NAMESPACES and key.name in IMMORTAL_NAMESPACES:
            raise errors.forbidden(served.type, key.name, "this namespace may not be deleted")
        if options.gate is not None:
            options.gate.check_deletion(served.type, as_served(record.body, served.type.api_version))
        is_marked = "deletionTimestamp" in record.body["metadata"]
        if served.collection == _DEFINITIONS and not is_marked:
            return self._update(served, record, self._marked_definition(record.body), options)
        if served.collection == _NAMESPACES:
            if not is_marked:
                return self._update(served, record, self._marked_namespace(record.body, options), options)
            if (record.body.get("spec") or {}).get("finalizers"):
                return Deleted(record.body, is_gone=False)
        if served.collection == _PODS:
            return self._delete_pod(served, record, options)
        return self._delete_now(served, record, options)

    def _delete_now(self, served: Served, record: Record, options: DeleteOptions) -> Deleted:
        """What has nothing to wait for but finalizers."""
        finalizers = _finalizers(served, record.body, options)
        if finalizers:
            return self._update(served, record, self._marked(record.body, finalizers, 0), options)
        return self._remove(served, record, options)

    def _delete_pod(self, served: Served, record: Record, options: DeleteOptions) -> Deleted:
        """A pod that runs is only marked: whoever runs it deletes it for good, with grace 0."""
        metadata = record.body["metadata"]
        wanted = None if options.grace_seconds is None else _positive(options.grace_seconds)
        if "deletionTimestamp" not in metadata:
            grace = _grace(record.body, wanted)
            marked = self._marked(record.body, _finalizers(served, record.body, options), grace)
        else:
            left = metadata.get("deletionGracePeriodSeconds") or 0
            if not left:
                return self._delete_now(served, record, options)
            if wanted is None or wanted >= left:
                return Deleted(record.body, is_gone=False)
            finalizers = _finalizers(served, record.body, options)
            grace, marked = self._shortened(record.body, finalizers, wanted, left)
        if grace or marked["metadata"].get("finalizers"):
            return self._update(served, record, marked, options)
        self._update(served, record, marked, options)
        return self._remove(served, self._store.get(served.collection, _key(record)) or record, options, marked)

    def _shortened(self, body: Body, finalizers: list[str], wanted: int, left: int) -> tuple[int, dict[str, Any]]:
        """Less grace than there was; what has begun gracefully stays so, for at least a second."""
        asked_at = datetime.fromisoformat(body["metadata"]["deletionTimestamp"]) - timedelta(seconds=left)
        now = self._store.clock.wall_time()
        ends_at = asked_at + timedelta(seconds=wanted)
        if ends_at < now:
            wanted, ends_at = min(wanted, 1), now
        metadata = {**body["metadata"], "finalizers": finalizers, "deletionTimestamp": rfc3339(ends_at)}
        return wanted, {**body, "metadata": {**metadata, "deletionGracePeriodSeconds": wanted}}

    def _marked(self, body: Body, finalizers: list[str], grace: int) -> dict[str, Any]:
        metadata = {**body["metadata"], "finalizers": finalizers, "deletionGracePeriodSeconds": grace}
        if "deletionTimestamp" not in metadata:
            ends_at = self._store.clock.wall_time() + timedelta(seconds=grace)
            metadata["deletionTimestamp"] = rfc3339(ends_at)
            if metadata.get("generation"):
                metadata["generation"] += 1
        return {**body, "metadata": metadata}

    def _marked_definition(self, body: Body) -> dict[str, Any]:
        now, status = rfc3339(self._store.clock.wall_time()), body.get("status") or {}
        finalizers = [each for each in body["metadata"].get("finalizers") or () if each != CLEANUP_FINALIZER]
        metadata = {**body["metadata"], "deletionTimestamp": now, "finalizers": [*finalizers, CLEANUP_FINALIZER]}
        conditions = [*(status.get("conditions") or ()), terminating_condition(now)]
        return {**body, "metadata": metadata, "status": {**status, "conditions": conditions}}

    def _marked_namespace(self, body: Body, options: DeleteOptions) -> dict[str, Any]:
        finalizers = _finalizers_as_asked(body, options, background=FOREGROUND if options.is_old_style else "")
        now = rfc3339(self._store.clock.wall_time())
        metadata = {**body["metadata"], "deletionTimestamp": now, "finalizers": finalizers}
        return {**body, "metadata": metadata, "status": {**(body.get("status") or {}), "phase": "Terminating"}}

    def _update(self, served: Served, record: Record, new: dict[str, Any], options: DeleteOptions) -> Deleted:
        marked = served.kind.ordered(new)
        if not options.dry_run and marked != record.body:
            return Deleted(self._store.update(served.collection, marked).body, is_gone=False)
        return Deleted(marked, is_gone=False)

    def _remove(
        self, served: Served, record: Record, options: DeleteOptions, marked: dict[str, Any] | None = None
    ) -> Deleted:
        """
        Args:
            marked: How it was just before, if it was marked first.
        """
        body = record.body if marked is None else served.kind.ordered(marked)
        if not options.dry_run:
            body = dict(self._store.delete(served.collection, _key(record)).body)
        if served.collection in _ANSWERED_WHOLE:
            return Deleted(body, is_gone=True)
        metadata = record.body["metadata"]
        return Deleted(errors.success(served.type, metadata["name"], metadata["uid"]), is_gone=True)


def is_finished(body: Body) -> bool:
    """Whether an object that is being deleted has nothing left to wait for."""
    metadata = body["metadata"]
    if not metadata.get("deletionTimestamp") or metadata.get("finalizers"):
        return False
    return not metadata.get("deletionGracePeriodSeconds") and not (body.get("spec") or {}).get("finalizers")


def _key(record: Record) -> ObjectKey:
    metadata = record.body["metadata"]
    return ObjectKey(metadata.get("namespace") or "", metadata["name"])


def _finalizers(served: Served, body: Body, options: DeleteOptions) -> list[str]:
    """The finalizers that an object has while it waits. Events know no dependents."""
    if served.collection[1] == "events":
        return [each for each in body["metadata"].get("finalizers") or () if each not in {FOREGROUND, ORPHAN}]
    is_said = options.policy or {FOREGROUND, ORPHAN}.intersection(body["metadata"].get("finalizers") or ())
    if not is_said and strategy_of(served).orphans:
        options = replace(options, policy="Orphan")
    return _finalizers_as_asked(body, options)


def _finalizers_as_asked(body: Body, options: DeleteOptions, background: str = "") -> list[str]:
    """
    Args:
        background: What stands for the policy Background.
    """
    finalizers = list(body["metadata"].get("finalizers") or ())
    if not options.policy:
        return finalizers
    added = {"Foreground": FOREGROUND, "Orphan": ORPHAN}.get(options.policy, background)
    kept = [each for each in finalizers if each not in {FOREGROUND, ORPHAN}]
    return (
        finalizers if added in finalizers and len(kept) == len(finalizers) - 1 else [*kept, *([added] if added else [])]
    )


def _grace(body: Body, wanted: int | None) -> int:
    """Seconds; 0 for a pod that no node runs, or that is over already."""
    spec, phase = body["spec"], (body.get("status") or {}).get("phase")
    if not spec.get("nodeName") or phase in {"Succeeded", "Failed"}:
        return 0
    return _positive(spec.get("terminationGracePeriodSeconds") or 0) if wanted is None else wanted


def _positive(seconds: int) -> int:
    """Less than none is a second."""
    return 1 if seconds < 0 else int(seconds)


def _check_preconditions(served: Served, key: ObjectKey, record: Record, options: DeleteOptions) -> None:
    metadata = record.body["metadata"]
    if options.uid is not None and options.uid != metadata["uid"]:
        raise _unmet(served, key, "UID", options.uid, metadata["uid"])
    if options.version is not None and options.version != str(record.revision):
        raise _unmet(served, key, "ResourceVersion", options.version, str(record.revision))


def _unmet(served: Served, key: ObjectKey, what: str, wanted: str, found: str) -> StatusError:
    if served.collection in {_NAMESPACES, _DEFINITIONS}:
        why = f"Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {found}"
        return errors.conflict(served.type, key.name, why)
    ending = "deleted and then recreated" if what == "UID" else "modified"
    why = (
        f"the {what} in the precondition ({wanted}) does not match the {what} in record ({found}). "
        f"The object might have been {ending}"
    )
    return errors.precondition_failed(served.type, key.name, why)
