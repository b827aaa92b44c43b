"""Writes that a reconcile can repeat: only what differs, and again after a lost race."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, NamedTuple, Protocol, TypeVar

from btcctl.backoff import ExponentialBackoff
from btcctl.clock import SYSTEM_CLOCK, Clock, sleep
from btcctl.deadline import time_left
from btcctl.errors import AlreadyExists, BtcctlError, Conflict, NotFound
from btcctl.objects import Object, ObjectKey
from btcctl.resources import ResourceType

T = TypeVar("T")

# client-go's retry.DefaultRetry.
ATTEMPTS = 5
RETRY_BACKOFF = ExponentialBackoff(base=0.01, cap=0.01, factor=1.0, jitter=0.1)


class NotControlled(BtcctlError):
    """The object exists, and is not controlled by the one that wants to change it."""


class Writable(Protocol):
    """The part of `btcctl.rest.resource.Resource` that is needed."""

    @property
    def type(self) -> ResourceType: ...

    def get(self, key: ObjectKey) -> Object: ...

    def create(self, body: Mapping[str, Any]) -> Object: ...

    def update(self, body: Mapping[str, Any]) -> Object: ...

    def update_status(self, body: Mapping[str, Any]) -> Object: ...


class Outcome(Enum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class Ensured(NamedTuple):
    object: Object
    outcome: Outcome


def retry_on_conflict(write: Callable[[], T], *, attempts: int = ATTEMPTS, clock: Clock = SYSTEM_CLOCK) -> T:
    """Call `write` until it meets no Conflict. It has to read the object anew each time.

    In a reconcile it is mostly better to let the Conflict out: the key comes back, and with it a
    newer cache.

    Raises:
        Conflict: The last one, after all attempts.
    """
    for failures in range(1, attempts):
        try:
            return write()
        except AlreadyExists:
            raise  # reading again would not change that
        except Conflict:
            sleep(time_left(RETRY_BACKOFF.delay(failures)), clock)
    return write()


def create_or_update(
    resource: Writable, key: ObjectKey, mutate: Callable[[dict[str, Any]], None], *, cached: Object | None = None
) -> Ensured:
    """Make an object what `mutate` makes of it. Writes only if that is a difference.

    Args:
        mutate: Gets the object's body, or only its metadata if there is none yet, and sets what it
            wants and nothing else: what the server fills in stays as it is.
        cached: What a lister has; without it the object is read from the server.

    Raises:
        Conflict: It has changed since it was read, or somebody else has just created it.
    """
    found = cached if cached is not None else _find(resource, key)
    if found is None:
        metadata = {"name": key.name, **({"namespace": key.namespace} if key.namespace else {})}
        body: dict[str, Any] = {"metadata": metadata}
        mutate(body)
        return Ensured(resource.create(body), Outcome.CREATED)
    body = found.body()
    mutate(body)
    if body == found.body():
        return Ensured(found, Outcome.UNCHANGED)
    return Ensured(resource.update(body), Outcome.UPDATED)


def write_status(resource: Writable, obj: Object, status: Mapping[str, Any]) -> Ensured:
    """Make `status` the object's. Writes only if it differs from what `obj` has.

    Raises:
        Conflict: It has changed since it was read.
    """
    body = obj.body()
    if body.get("status") == dict(status):
        return Ensured(obj, Outcome.UNCHANGED)
    return Ensured(resource.update_status({**body, "status": dict(status)}), Outcome.UPDATED)


def set_controller(body: dict[str, Any], owner_type: ResourceType, owner: Object, *, adopt: bool = False) -> None:
    """Make `owner` the controller of the object: garbage collection takes it when the owner is deleted.

    Args:
        body: What is about to be written.
        adopt: Take an object that exists already, and that nobody controls.

    Raises:
        NotControlled: It exists already, or another one controls it.
        ValueError: The owner is in another namespace.
    """
    metadata = body.setdefault("metadata", {})
    if owner.namespace and metadata.get("namespace", owner.namespace) != owner.namespace:
        raise ValueError(f"{owner_type} {owner.key} cannot own an object in namespace {metadata['namespace']}")
    reference = {
        "apiVersion": owner_type.api_version,
        "kind": owner_type.kind,
        "name": owner.name,
        "uid": owner.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    references = metadata.get("ownerReferences") or []
    controller = next((each["uid"] for each in references if each.get("controller")), None)
    if controller != owner.uid and (controller or ("uid" in metadata and not adopt)):
        key = ObjectKey(metadata.get("namespace", ""), metadata["name"])
        raise NotControlled(f"{key} exists, and is not controlled by {owner_type.kind} {owner.name}")
    metadata["ownerReferences"] = [*(each for each in references if each["uid"] != owner.uid), reference]


def is_controlled_by(obj: Object, owner: Object) -> bool:
    """Whether this very owner, and no namesake, controls `obj`."""
    return obj.controller is not None and obj.controller.uid == owner.uid


def _find(resource: Writable, key: ObjectKey) -> Object | None:
    try:
        return resource.get(key)
    except NotFound:
        return None
