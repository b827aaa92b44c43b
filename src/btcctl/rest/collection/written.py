"""What a thread has written to the API server, so that it can be recognised when it comes back in a cache.

What a write has made of an object is known by the version in the server's answer, and if the object is gone, by its
UID: another one of the same name may follow. An object that is being deleted is gone once nothing holds it any more,
whichever write took the last finalizer away.
"""

from __future__ import annotations

from contextvars import ContextVar

import msgspec

from btcctl.errors import DecodeError
from btcctl.objects import Object, ObjectKey, decode_json, is_version_at_least
from btcctl.resources import ResourceType


class RecordedWrite(msgspec.Struct, frozen=True):
    """One write that the server has accepted."""

    type: ResourceType
    key: ObjectKey
    resource_version: str = ""  #: what it made of the object; "" if that is gone, or the server did not say
    uid: str = ""  #: of the object; "" if it is not known
    may_be_new: bool = False  #: it may have created the object
    is_asked_to_go: bool = False  #: it was deleted, and the server did not say what that has made of it

    @property
    def is_gone(self) -> bool:
        """Whether the object is gone, and not only asked to go."""
        return not self.resource_version and not self.is_asked_to_go

    def is_seen_in(self, cached: Object | None) -> bool:
        """Whether a cache with `cached` under the key has seen the write, or something later.

        Of a write that may have created the object, nothing under the key says nothing.
        """
        if cached is None:
            return self.is_gone or not self.may_be_new
        if self.is_asked_to_go and cached.deletion_timestamp is not None:
            return True
        if self.is_gone or self.is_asked_to_go:
            return self.uid not in {"", cached.uid}
        return is_version_at_least(cached.resource_version, self.resource_version)

    def after(self, earlier: RecordedWrite | None) -> RecordedWrite:
        """This one, if `earlier` was made to the same key: what that has created may not be seen yet, either."""
        if earlier is None or self.is_gone or self.is_asked_to_go or self.may_be_new or not earlier.may_be_new:
            return self
        return RecordedWrite(self.type, self.key, self.resource_version, self.uid, may_be_new=True)


_log: ContextVar[list[RecordedWrite] | None] = ContextVar("written", default=None)


class recording_writes:  # noqa: N801  a `with` block, not by contextlib: that takes thrice the calls for each reconcile
    """Collect what this thread writes within."""

    __slots__ = ("_token",)

    def __enter__(self) -> list[RecordedWrite]:
        written: list[RecordedWrite] = []
        self._token = _log.set(written)
        return written

    def __exit__(self, *raised: object) -> None:
        _log.reset(self._token)


def record_write(type_: ResourceType, obj: Object, *, may_be_new: bool = False) -> None:
    """`obj` is what the server answered."""
    log = _log.get()
    if log is None or not obj.resource_version:  # without a version it was a dry run
        return
    is_gone = obj.deletion_timestamp is not None and not _is_held(obj)
    log.append(RecordedWrite(type_, obj.key, "" if is_gone else obj.resource_version, obj.uid, may_be_new))


def record_deletion(type_: ResourceType, key: ObjectKey, answer: bytes) -> None:
    """`answer` is what the server said to a DELETE: the object that is to go, or a Status if it is gone."""
    log = _log.get()
    if log is None:
        return
    try:
        obj = Object.from_raw(answer)
    except DecodeError:
        log.append(RecordedWrite(type_, key, uid=_uid_in_status(answer)))
        return
    is_asked_to_go = obj.deletion_timestamp is not None and _is_held(obj)
    log.append(RecordedWrite(type_, key, obj.resource_version if is_asked_to_go else "", obj.uid))


def record_deletions(type_: ResourceType, answer: bytes, cluster: str = "") -> None:
    """`answer` is what the server said to a DELETE of a collection: the objects as they were before."""
    log = _log.get()
    if log is None:
        return
    try:
        frames = decode_json(answer, _Items, lambda: "answer to a deletion").items
    except DecodeError:
        return
    for meta in (each.metadata for each in frames):
        key = ObjectKey(meta.namespace, meta.name, cluster)
        log.append(RecordedWrite(type_, key, uid=meta.uid, is_asked_to_go=True))


def record_eviction(type_: ResourceType, key: ObjectKey, uid: str = "") -> None:
    """The server has taken an eviction, and says nothing of the pod."""
    log = _log.get()
    if log is not None:
        log.append(RecordedWrite(type_, key, uid=uid, is_asked_to_go=True))


class _ItemMeta(msgspec.Struct, rename="camel"):
    name: str
    namespace: str = ""
    uid: str = ""


class _Item(msgspec.Struct):
    metadata: _ItemMeta


class _Items(msgspec.Struct):
    items: list[_Item] = []


class _Holding(msgspec.Struct):
    finalizers: list[str] | None = None


class _HeldMeta(_Holding, rename="camel"):
    deletion_grace_period_seconds: int | None = None


class _Held(msgspec.Struct):
    metadata: _HeldMeta
    spec: _Holding | None = None  # namespaces have theirs there


class _Details(msgspec.Struct):
    uid: str = ""


class _Status(msgspec.Struct):
    details: _Details | None = None


def _is_held(obj: Object) -> bool:
    """Whether an object that is being deleted waits for a finalizer, or for its grace period.

    As k8s.io/apiserver's registry decides it (store.go, ShouldDeleteDuringUpdate).
    """
    try:
        held = decode_json(obj.raw, _Held, lambda: str(obj.key))
    except DecodeError:  # a custom kind, whose spec is something else
        return bool(obj.finalizers)
    in_spec = held.spec.finalizers if held.spec is not None else None
    return bool(held.metadata.finalizers or in_spec or held.metadata.deletion_grace_period_seconds)


def _uid_in_status(answer: bytes) -> str:
    try:
        status = decode_json(answer, _Status, lambda: "answer to a deletion")
    except DecodeError:
        return ""
    return "" if status.details is None else status.details.uid
