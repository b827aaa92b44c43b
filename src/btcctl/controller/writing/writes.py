"""Writes that a reconcile can repeat: only what differs, and again after a lost race.

A body is in no local variable of ours while it is written (`handed_over`): it may be a Secret, and a traceback may be
rendered with the values of variables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from typing import Any, Final, Generic, Literal, NamedTuple, Protocol, TypeAlias, TypeVar

import msgspec

from btcctl import resources
from btcctl.backoff import ExponentialBackoff
from btcctl.clock import SYSTEM_CLOCK, Clock, sleep
from btcctl.codecs import to_builtins
from btcctl.controller.writing.contention import Contention
from btcctl.deadline import time_left
from btcctl.errors import AlreadyExists, BtcctlError, Conflict, DecodeError, NotFound, ObjectDecodeError
from btcctl.json_values import is_changed, is_same_json
from btcctl.mistakes import check_has, check_plain, check_read
from btcctl.objects import Object, ObjectKey
from btcctl.resources import ResourceType
from btcctl.secret import hiding_bodies
from btcctl.typed.kinds import AnyKind, type_of
from btcctl.typed.owners import Owner, controller_reference

T = TypeVar("T")

# client-go's retry.DefaultRetry.
ATTEMPTS = 5
RETRY_BACKOFF = ExponentialBackoff(base=0.01, cap=0.01, factor=1.0, jitter=0.1)


class NotControlled(BtcctlError):
    """The object exists, and is not controlled by the one that wants to change it."""


class Writable(Protocol):
    """The part of `btcctl.rest.collection.resource.Resource` that is needed."""

    @property
    def type(self) -> ResourceType: ...

    def get(self, key: ObjectKey) -> Object: ...

    def create(self, body: Mapping[str, Any]) -> Object: ...

    def update(self, body: Mapping[str, Any]) -> Object: ...

    def update_status(self, body: Mapping[str, Any]) -> Object: ...


class Outcome(Enum):
    """What has become of a write."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class Ensured(NamedTuple):
    """The object as the server has it now, and whether it was written."""

    object: Object
    outcome: Outcome


class _NotGiven(Enum):
    NOT_GIVEN = "not given"


NotGiven: TypeAlias = Literal[_NotGiven.NOT_GIVEN]
#: There was no lister to ask: something else than a lister that has nothing.
NOT_GIVEN: Final = _NotGiven.NOT_GIVEN

Mutate: TypeAlias = Callable[[dict[str, Any]], None]


def retry_on_conflict(write: Callable[[], T], *, attempts: int = ATTEMPTS, clock: Clock = SYSTEM_CLOCK) -> T:
    """Call `write` until it meets no Conflict. It has to read the object anew each time.

    In a reconcile it is mostly better to let the Conflict out: the key comes back, and with it a
    newer cache.

    Raises:
        Conflict: The last one, after all attempts.
    """
    check_plain("what is to be repeated", write)
    for failures in range(1, attempts):
        try:
            return write()
        except AlreadyExists:
            raise  # reading again would not change that
        except Conflict:
            sleep(time_left(RETRY_BACKOFF.delay(failures)), clock)
    return write()


@hiding_bodies
def create_or_update(
    resource: Writable,
    key: ObjectKey,
    mutate: Mutate,
    *,
    cached: Object | NotGiven | None = NOT_GIVEN,
    contention: Contention | None = None,
) -> Ensured:
    """Make an object what `mutate` makes of it. Writes only if that is a difference.

    Args:
        mutate: Gets the object's body, or only its metadata if there is none yet, and sets what it
            wants and nothing else: what the server fills in stays as it is. May be called a second time.
            `set_fields` puts a whole manifest over it.
        cached: What a lister has: `lister.get(key)`. With None it has nothing, and the object is created at once,
            unless it turns out to exist. Without it the object is read from the server.
        contention: Remembers what was written, so that what another one undoes is not written for ever.

    Returns:
        The object as it is now. It is UPDATED only if the server has made a new version of it.

    Raises:
        Conflict: It has changed since it was read, or another client has just created it.
        Contested: It is not written, because the last three times it did not last; only with `contention`.
        DecodeError: The server answers with another object than the one that was asked for.
        TypeError: `mutate` returns something, or sets what JSON does not have.
        ValueError: `mutate` changes the object's name or namespace, or sets NaN or infinity; or `cached` is
            another one.
    """
    check_has("the resource", resource, "update", "client.resource(type, namespace); then come key and mutate")
    check_has("mutate", mutate, "__call__", "a function that changes the body it is given")
    if isinstance(cached, Object):
        if not _has_key(cached, key):
            raise ValueError(f"cached is {cached.key}, not {key}: it has to be what a lister has of that key")
        return _update(resource, key, mutate, cached, contention)
    if cached is not None and cached is not NOT_GIVEN:
        raise TypeError(f"cached is what a lister has, an Object or None, not of type {type(cached).__name__}")
    found = _find(resource, key) if cached is NOT_GIVEN else None
    if found is not None:
        return _update(resource, key, mutate, found, contention)
    try:
        return _create(resource, key, mutate, contention)
    except AlreadyExists:
        # The lister lags behind; a caller that has just asked the server has lost a race, and should read again.
        found = None if cached is NOT_GIVEN else _find(resource, key)
        if found is None:
            raise
    return _update(resource, key, mutate, found, contention)


@hiding_bodies
def write_status(
    resource: Writable,
    obj: Object,
    status: Mapping[str, Any] | msgspec.Struct,
    *,
    contention: Contention | None = None,
) -> Ensured:
    """Make `status` the object's. Writes only if it differs from what `obj` has.

    Args:
        status: A dict, which is compared whole; or a msgspec Struct, which is compared as its type reads what `obj`
            has. So a field that a new version of a program knows, and that is as it is by default, is no reason
            to write the status of every object; nor is one that only another version knows.

    Raises:
        Conflict: It has changed since it was read.
        TypeError: `status` is no mapping, or has in it what JSON does not have.
        ValueError: There is NaN or infinity in it.
    """
    check_read("what has the status", obj)
    if _has_status(obj, status):
        if contention is not None:
            contention.note_kept(resource.type, obj.key)
        return Ensured(obj, Outcome.UNCHANGED)
    body = {**obj.body(), "status": to_builtins(status) if isinstance(status, msgspec.Struct) else dict(status)}
    del status
    changes = {} if contention is None else contention.check_status(resource.type, obj.key, obj, body)
    handed_over = [body]
    del body
    updated = _answered(resource.update_status(handed_over.pop()), obj.key, obj.uid)
    if contention is not None:
        contention.note_status(resource.type, obj.key, changes, obj, updated)
    return _written(obj, updated)


def _has_status(obj: Object, status: Mapping[str, Any] | msgspec.Struct) -> bool:
    if isinstance(status, msgspec.Struct):
        try:
            return bool(obj.decode(_with_status(type(status))).status == status)
        except ObjectDecodeError:
            return False  # another version wrote it, or a person by hand
    if not isinstance(status, Mapping):
        raise TypeError(f"a status is a dict or a msgspec Struct, not of type {type(status).__name__}")
    return is_same_json(dict(status), obj.decode(_with_status(Any)).status)


class _WithStatus(msgspec.Struct, Generic[T], gc=False):
    status: T | None = None


@cache
def _with_status(type_: Any) -> Any:
    return _WithStatus[type_]


@hiding_bodies
def set_controller(body: dict[str, Any], owner_type: AnyKind, owner: Owner, *, adopt: bool = False) -> None:
    """Make `owner` the controller of the object: garbage collection takes it when the owner is deleted.

    An object that does not say its namespace gets the owner's.

    Args:
        body: What is about to be written.
        adopt: Take an object that exists already, and that has no controller.

    Raises:
        NotControlled: It exists already, or another one controls it.
        ValueError: The owner is in another namespace, or in one while the object is cluster-scoped: no garbage
            collector heeds that. Or it was not read from a server: it has no UID.
    """
    owner_type = type_of(owner_type)
    check_read("the owner", owner)
    if not owner.uid:
        raise ValueError(f"{owner_type} {owner.key} has no uid: an owner has to be what the server has made of it")
    metadata = body.setdefault("metadata", {})
    if owner.namespace:
        _check_scope(body, metadata, owner_type, owner)
        metadata.setdefault("namespace", owner.namespace)
    reference = controller_reference(owner_type, owner)
    references = metadata.get("ownerReferences") or []
    controller = next((each for each in references if each.get("controller")), None)
    uid = None if controller is None else controller["uid"]
    if uid != owner.uid and (controller or ("uid" in metadata and not adopt)):
        key = ObjectKey(metadata.get("namespace", ""), metadata.get("name", ""))
        what = f"{body['kind']} {key}" if body.get("kind") else str(key)
        by = "nor by anybody else" if controller is None else f"but by {_named(controller)}"
        raise NotControlled(f"{what} exists, and is not controlled by {owner_type.kind} {owner.name}, {by}")
    if uid == owner.uid and reference in references:
        return  # what stands there may stand in any order
    metadata["ownerReferences"] = [*(each for each in references if each["uid"] != owner.uid), reference]


def is_controlled_by(obj: Object, owner: Owner) -> bool:
    """Whether this very owner, and no namesake, controls `obj`."""
    return obj.controller is not None and obj.controller.uid == owner.uid


def _named(reference: Mapping[str, Any]) -> str:
    """With its UID: a deleted namesake of the owner has its name."""
    return f"{reference.get('kind')} {reference.get('name')} of uid {reference['uid']}"


def _check_scope(body: Mapping[str, Any], metadata: Mapping[str, Any], owner_type: ResourceType, owner: Owner) -> None:
    # What exists says its namespace; what `create_or_update` is about to create does, too, by "" if it has none.
    namespace = metadata.get("namespace", "" if "uid" in metadata else None)
    if namespace == "" or (body.get("apiVersion"), body.get("kind")) in _cluster_scoped():
        raise ValueError(
            f"{owner_type} {owner.key} cannot own a cluster-scoped object: only a cluster-scoped owner can; "
            "delete it yourself, with a finalizer on its owner"
        )
    if namespace not in {None, owner.namespace}:
        raise ValueError(f"{owner_type} {owner.key} cannot own an object in namespace {namespace}")


@cache
def _cluster_scoped() -> frozenset[tuple[str, str]]:
    types = (each for each in vars(resources).values() if isinstance(each, ResourceType) and not each.namespaced)
    return frozenset((each.api_version, each.kind) for each in types)


def _create(resource: Writable, key: ObjectKey, mutate: Mutate, contention: Contention | None) -> Ensured:
    if contention is not None:
        contention.check_create(resource.type, key)
    metadata = {"name": key.name}
    if key.namespace or not resource.type.namespaced:
        metadata["namespace"] = key.namespace
    body: dict[str, Any] = {"metadata": metadata}
    _mutate(mutate, body, key)
    if not body["metadata"].get("namespace"):
        body["metadata"].pop("namespace", None)
    handed_over = [body]
    del body
    created = _answered(resource.create(handed_over.pop()), key)
    if contention is not None:
        contention.note_created(resource.type, key)
    return Ensured(created, Outcome.CREATED)


def _update(
    resource: Writable, key: ObjectKey, mutate: Mutate, found: Object, contention: Contention | None
) -> Ensured:
    body = found.body()
    _mutate(mutate, body, key)
    if not is_changed(body, found.whole(), found.body):
        if contention is not None:
            contention.note_kept(resource.type, key)
        return Ensured(found, Outcome.UNCHANGED)
    changes = {} if contention is None else contention.check_update(resource.type, key, found, body)
    handed_over = [body]
    del body
    updated = _answered(resource.update(handed_over.pop()), key, found.uid)
    if contention is not None:
        contention.note_updated(resource.type, key, changes, found, updated)
    return _written(found, updated)


def _written(before: Object, after: Object) -> Ensured:
    """The server compares, too, after defaults and conversions: what changes nothing makes no new version."""
    is_new = after.resource_version != before.resource_version
    return Ensured(after, Outcome.UPDATED if is_new else Outcome.UNCHANGED)


def _mutate(mutate: Mutate, body: dict[str, Any], key: ObjectKey) -> None:
    returned: object = mutate(body)  # type: ignore[func-returns-value]
    if returned is not None:
        raise TypeError(
            f"mutate returned {type(returned).__name__}, which would be ignored: it has to change the body that it is "
            "given, and to return nothing"
        )
    metadata = body.get("metadata")
    if not isinstance(metadata, dict):
        raise TypeError("mutate has replaced the metadata: it has to change what is there")
    name, namespace = metadata.get("name"), metadata.get("namespace") or ""
    if name != key.name or (key.namespace and namespace != key.namespace):
        raise ValueError(f"mutate made {namespace}/{name} of {key}: it cannot change which object it is")


def _find(resource: Writable, key: ObjectKey) -> Object | None:
    try:
        return _answered(resource.get(key), key)
    except NotFound:
        return None


def _answered(obj: Object, key: ObjectKey, uid: str = "") -> Object:
    """What a server has answered, if it is about the object that was asked for; `uid` if that is known."""
    if not _has_key(obj, key):
        raise DecodeError(f"the server has answered with {obj.key}, and was asked for {key}")
    if uid and obj.uid != uid:
        raise DecodeError(f"the server has answered with {key} of uid {obj.uid or 'none'}, and was asked for uid {uid}")
    return obj


def _has_key(obj: Object, key: ObjectKey) -> bool:
    return obj.name == key.name and (not key.namespace or obj.namespace == key.namespace)
