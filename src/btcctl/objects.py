"""The few types every layer shares: keys, objects, watch events.

An object in a cache is its bytes plus a few decoded scalars. Whoever wants more decodes a
private copy, so nobody can corrupt a cache; decoding again is cheaper than a deep copy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, TypeVar

import msgspec

from btcctl import codecs
from btcctl.errors import ObjectDecodeError
from btcctl.nesting import is_too_deep, metadata_of

T = TypeVar("T")

ADDED = "ADDED"
MODIFIED = "MODIFIED"
DELETED = "DELETED"
BOOKMARK = "BOOKMARK"
ERROR = "ERROR"

INITIAL_EVENTS_END = "k8s.io/initial-events-end"  #: annotation of the BOOKMARK that ends a streamed list


class ObjectKey(msgspec.Struct, frozen=True, order=True, gc=False):
    """Identity of an object inside one collection.

    A key says which object, never what happened to it. That is what lets the work queue
    collapse a burst of events into one reconcile.
    """

    namespace: str  #: empty for cluster-scoped objects
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class OwnerReference(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One entry of `metadata.ownerReferences`."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool = False
    block_owner_deletion: bool = False

    @property
    def group(self) -> str:
        """The API group, "" for the core group."""
        return self.api_version.rpartition("/")[0]


class ObjectMeta(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The scalars of `metadata` that are decoded when an object arrives."""

    name: str = ""  #: never empty, but in the object of a BOOKMARK
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""  #: opaque: hand it back to the server, never compare it
    generation: int = 0
    deletion_timestamp: str | None = None


class ObjectFrame(msgspec.Struct, gc=False):
    """What is decoded of an object when it arrives."""

    metadata: ObjectMeta


class _DetailMeta(msgspec.Struct, gc=False, rename="camel"):
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[OwnerReference] | None = None
    finalizers: list[str] | None = None


_DETAILS = (b"labels", b"annotations", b"ownerReferences", b"finalizers")


class _DetailFrame(msgspec.Struct, gc=False):
    metadata: _DetailMeta


class Object(msgspec.Struct, frozen=True, gc=False, eq=False):
    """One API object: its bytes, and its identity decoded.

    Items of a list of a built-in kind carry neither `kind` nor `apiVersion` in their bytes.
    """

    meta: ObjectMeta
    raw: bytes  #: compact JSON, exactly as received

    def __repr__(self) -> str:
        """Says which object it is, and nothing of its content: that may be a secret."""
        return f"<Object {self.key} uid {self.uid} resourceVersion {self.resource_version}>"

    @property
    def key(self) -> ObjectKey:
        meta = self.meta
        return ObjectKey(meta.namespace, meta.name)

    @property
    def name(self) -> str:
        return self.meta.name

    @property
    def namespace(self) -> str:
        return self.meta.namespace

    @property
    def uid(self) -> str:
        return self.meta.uid

    @property
    def resource_version(self) -> str:
        return self.meta.resource_version

    @property
    def generation(self) -> int:
        return self.meta.generation

    @property
    def deletion_timestamp(self) -> str | None:
        """When deletion was asked for (RFC 3339), or None: the object is not being deleted."""
        return self.meta.deletion_timestamp

    @property
    def labels(self) -> dict[str, str]:
        """A private copy, decoded on each access; {} if there are none."""
        return self._detail().labels or {}

    @property
    def annotations(self) -> dict[str, str]:
        """A private copy, decoded on each access; {} if there are none."""
        return self._detail().annotations or {}

    @property
    def owner_references(self) -> list[OwnerReference]:
        """A private copy, decoded on each access; [] if there are none."""
        return self._detail().owner_references or []

    @property
    def finalizers(self) -> list[str]:
        """A private copy, decoded on each access; [] if there are none."""
        return self._detail().finalizers or []

    @property
    def controller(self) -> OwnerReference | None:
        """The owner reference with `controller: true`, or None."""
        return next((each for each in self.owner_references if each.controller), None)

    def body(self) -> dict[str, Any]:
        """The whole object as a fresh dict, which is the caller's to change.

        Raises:
            ObjectDecodeError: The body cannot be decoded; names the key.
        """
        try:
            return _decode_body(self.raw)
        except DECODE_ERRORS as error:
            raise _undecodable(f"{self.key}", error) from error

    def decode(self, type_: type[T]) -> T:
        """The object as a typed Struct (or any type msgspec decodes), made anew on each call.

        Raises:
            ObjectDecodeError: The body is not JSON or does not fit the type; names the key.
        """
        return decode_json(self.raw, type_, lambda: f"{self.key}")

    @classmethod
    def from_raw(cls, raw: bytes) -> Self:
        """Wrap one object's bytes, which must be private to it (not a view of a page).

        Raises:
            ObjectDecodeError: The bytes are not JSON or have no usable metadata.
        """
        try:
            meta = _decode_frame(raw).metadata
        except DECODE_ERRORS as error:
            raise _undecodable("object", error) from error
        if not meta.name:
            raise ObjectDecodeError("object cannot be decoded: it has no metadata.name")
        return cls(meta, raw)

    @classmethod
    def from_bookmark(cls, raw: bytes) -> Self:
        """Wrap the object of a BOOKMARK event, which has a resourceVersion and no name.

        Raises:
            ObjectDecodeError: The bytes are not JSON or have no usable metadata.
        """
        return cls(decode_json(raw, ObjectFrame, lambda: "object").metadata, raw)

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        """Encode a dict."""
        return cls.from_raw(codecs.encode(body))

    def _detail(self) -> _DetailMeta:
        try:
            return decode_json(self.raw, _DetailFrame, self._describe_metadata).metadata
        except ObjectDecodeError as error:
            if not is_too_deep(error):
                raise
        return decode_json(metadata_of(self.raw, _DETAILS), _DetailFrame, self._describe_metadata).metadata

    def _describe_metadata(self) -> str:
        return f"metadata of {self.key}"


_decode_frame = codecs.decoder_of(ObjectFrame).decode
_decode_body = codecs.decoder_of(dict[str, Any]).decode
_decode_members = codecs.decoder_of(dict[str, msgspec.Raw]).decode

DECODE_ERRORS = codecs.DECODE_ERRORS


def decode_meta(raw: bytes) -> ObjectMeta:
    """The metadata in an object's bytes; raises DECODE_ERRORS, for a caller in a hurry that catches them."""
    return _decode_frame(raw).metadata


def _undecodable(what: str, error: Exception) -> ObjectDecodeError:
    return ObjectDecodeError(f"{what} cannot be decoded: {error}")


def decode_json(data: bytes | msgspec.Raw, type_: type[T], what: Callable[[], str]) -> T:
    """The one seam where the decoder's three families of error become ours.

    Args:
        data: JSON.
        type_: What to decode to.
        what: Names the data in the error; only called when there is one.

    Raises:
        ObjectDecodeError: Not JSON, not UTF-8, nested too deep, or not of that shape.
    """
    try:
        return codecs.decode(data, type_)
    except DECODE_ERRORS as error:
        raise _undecodable(what(), error) from error


def decode_members(data: bytes | msgspec.Raw) -> dict[str, msgspec.Raw]:
    """The members of a JSON object, each as its bytes: views into `data`.

    Raises:
        ObjectDecodeError: As of `decode_json`.
    """
    try:
        return _decode_members(data)
    except DECODE_ERRORS as error:
        raise _undecodable("JSON object", error) from error


def is_version_at_least(version: str, wanted: str) -> bool:
    """Whether a resourceVersion is `wanted` or a later one of the same collection.

    Since Kubernetes 1.35 they are numbers that grow (KEP-5504); of others, only equality says something.
    """
    if version.isdecimal() and wanted.isdecimal():
        return int(version) >= int(wanted)
    return version == wanted


class WatchEvent(NamedTuple):
    """One line of a watch stream. An ERROR line is raised, never returned."""

    type: str  #: ADDED, MODIFIED, DELETED or BOOKMARK
    object: Object  #: of a BOOKMARK only `resource_version` and `annotations` mean something

    @property
    def ends_initial_events(self) -> bool:
        """Whether all that existed when the watch began has been sent before."""
        if self.type != BOOKMARK:
            return False
        try:
            return self.object.annotations.get(INITIAL_EVENTS_END) == "true"
        except ObjectDecodeError:  # whatever it is, it does not say so
            return False


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of a list."""

    items: list[Object]
    resource_version: str  #: of the whole list: the same on every page
    continue_token: str  #: "" on the last page
    unreadable: tuple[str, ...] = ()  #: what is wrong with objects that are left out
