"""The few types every layer shares: keys, objects, watch events.

An object in a cache is its bytes plus a few decoded scalars. A reader that wants more decodes a
private copy, so no reader can corrupt a cache; decoding again is cheaper than a deep copy.

What has another type than it must have is an ObjectDecodeError of that one object; see `btcctl.metadata`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, Self, TypeVar

import msgspec

from btcctl import codecs
from btcctl.errors import ObjectDecodeError, describe_error, is_of_program
from btcctl.metadata import (
    SCALARS,
    DetailMeta,
    TypeMeta,
    decode_frame,
    detail_of,
    meta_of,
    undecodable,
    without_empty_type,
)
from btcctl.metadata import ObjectMeta as ObjectMeta  # noqa: PLC0414  both are also imported from here
from btcctl.metadata import OwnerReference as OwnerReference  # noqa: PLC0414
from btcctl.nesting import is_too_deep, metadata_of
from btcctl.secret import hiding_bodies, without_frames

T = TypeVar("T")

ADDED = "ADDED"
MODIFIED = "MODIFIED"
DELETED = "DELETED"
BOOKMARK = "BOOKMARK"
ERROR = "ERROR"

INITIAL_EVENTS_END = "k8s.io/initial-events-end"  #: annotation of the BOOKMARK that ends a streamed list


class ObjectKey(msgspec.Struct, frozen=True, order=True, gc=False, repr_omit_defaults=True):
    """Identity of an object inside one collection.

    A key says which object, never what happened to it. That is what lets the work queue
    collapse a burst of events into one reconcile.
    """

    namespace: str  #: empty for cluster-scoped objects
    name: str
    cluster: str = ""  #: where it is, in a program that looks after several clusters

    def __str__(self) -> str:
        inside = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.cluster}:{inside}" if self.cluster else inside

    def within(self, cluster: str) -> ObjectKey:
        """The same, of a key that says no cluster, in this one.

        Raises:
            ValueError: It says another cluster.
        """
        if self.cluster == cluster:
            return self
        if self.cluster:
            raise ValueError(f"{self} is no object of {f'cluster {cluster}' if cluster else 'the only cluster'}")
        return ObjectKey(self.namespace, self.name, cluster)


class _TypeFrame(msgspec.Struct, gc=False, rename="camel"):
    api_version: str | None = None
    kind: str | None = None


class Object(msgspec.Struct, frozen=True, gc=False, eq=False):
    """One API object: its bytes, and its identity decoded.

    Items of a list of a built-in kind carry neither `kind` nor `apiVersion` in their bytes, events of a watch do.
    Readers of the object see both, however it came; only `raw` tells the difference.
    """

    meta: ObjectMeta
    raw: bytes  #: compact JSON, exactly as received
    type_meta: TypeMeta | None = (
        None  #: of the collection that it is in: shared, and used for what the bytes do not say
    )

    def __repr__(self) -> str:
        """Says which object it is, and nothing of its content: that may be a secret."""
        return f"<Object {self.key} uid {self.uid} resourceVersion {self.resource_version}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """The same for rich, which would otherwise be given every field by msgspec."""
        return [("key", str(self.key)), ("uid", self.uid), ("resource_version", self.resource_version)]

    @property
    def key(self) -> ObjectKey:
        """Which object it is, within its collection."""
        meta, type_meta = self.meta, self.type_meta
        if type_meta is None:
            return ObjectKey(meta.namespace, meta.name)
        return ObjectKey(meta.namespace, meta.name, type_meta.cluster)

    @property
    def cluster(self) -> str:
        """Where it was read, in a program that looks after several clusters; else ""."""
        return "" if self.type_meta is None else self.type_meta.cluster

    @property
    def name(self) -> str:
        """As in `metadata`."""
        return self.meta.name

    @property
    def namespace(self) -> str:
        """As in `metadata`; "" for cluster-scoped objects."""
        return self.meta.namespace

    @property
    def uid(self) -> str:
        """Tells it from namesakes before and after it."""
        return self.meta.uid

    @property
    def resource_version(self) -> str:
        """Of this state of it: opaque, never to be compared by size."""
        return self.meta.resource_version

    @property
    def generation(self) -> int:
        """Counts the changes of its spec; 0 for kinds that have none."""
        return self.meta.generation

    @property
    def deletion_timestamp(self) -> str | None:
        """When deletion was asked for (RFC 3339), or None: the object is not being deleted."""
        return self.meta.deletion_timestamp

    @property
    def api_version(self) -> str:
        """As in manifests, decoded on each access; "" if neither its bytes nor its collection say so."""
        return self._type().api_version

    @property
    def kind(self) -> str:
        """As `api_version`."""
        return self._type().kind

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
        """The owner reference whose `controller` is true, or None."""
        return next((each for each in self.owner_references if each.controller), None)

    def body(self) -> dict[str, Any]:
        """The whole object as a fresh dict, which is the caller's to change.

        Raises:
            ObjectDecodeError: The body cannot be decoded; names the key.
        """
        try:
            body = _decode_body(self.raw)
        except DECODE_ERRORS as error:
            failure = undecodable(f"{self.key}", error)
        else:
            return self._with_type(body)
        raise failure

    def decode(self, type_: type[T]) -> T:
        """The object as a typed Struct (or any type msgspec decodes), made anew on each call.

        Raises:
            ObjectDecodeError: The body is not JSON or does not fit the type; names the key.
        """
        data = self.raw if isinstance(type_, type) and _ignores_kind(type_) else self.whole()  # type: ignore[arg-type]
        try:
            return decode_json(data, type_, lambda: f"{self.key}")
        except ObjectDecodeError as error:
            failure = without_frames(error)
        del data
        raise failure

    def whole(self) -> bytes:
        """The object as JSON that says what kind it is, if that is known. A copy only if `raw` does not say it."""
        if self.type_meta is None or _SAYS_ITS_TYPE.match(self.raw):
            return self.raw
        raw = without_empty_type(self.raw)
        # Were it to say one of them further on, that counts: of a member that is there twice the last is taken.
        rest = raw[raw.find(b"{") + 1 :].lstrip()
        beginning = self.type_meta.beginning
        return (beginning[:-1] if rest.startswith(b"}") else beginning) + rest

    def of_type(self, type_meta: TypeMeta | None) -> Object:
        """The same object in a collection of that type, if it is not in one yet."""
        return self if type_meta is None or self.type_meta is not None else Object(self.meta, self.raw, type_meta)

    @classmethod
    def from_raw(cls, raw: bytes, type_meta: TypeMeta | None = None) -> Self:
        """Wrap one object's bytes, which must be private to it (not a view of a page).

        Args:
            type_meta: What the collection holds that it comes from.

        Raises:
            ObjectDecodeError: The bytes are not JSON or have no usable metadata.
        """
        try:
            meta = decode_frame(raw).metadata
        except DECODE_ERRORS:
            meta = None  # looked at again
        try:
            meta = meta or meta_of(raw)
        except ObjectDecodeError as error:
            failure = error
        else:
            if meta.name:
                return cls(meta, raw, type_meta)
            failure = ObjectDecodeError("object cannot be decoded: it has no metadata.name")
        del raw  # a traceback with the values of variables would show it
        raise failure

    @classmethod
    def from_nameless(cls, raw: bytes) -> Self:
        """Wrap what may have no name: the object of a BOOKMARK event, or a new one whose name the server will make.

        Raises:
            ObjectDecodeError: The bytes are not JSON or have no usable metadata.
        """
        return cls(meta_of(raw), raw)

    @classmethod
    @hiding_bodies
    def from_body(cls, body: Mapping[str, Any], type_meta: TypeMeta | None = None) -> Self:
        """Encode a dict.

        Args:
            type_meta: What kind of object it is, if the dict does not say so.
        """
        return cls.from_raw(codecs.encode(body), type_meta)

    def _with_type(self, body: dict[str, Any]) -> dict[str, Any]:
        type_meta = self.type_meta
        if type_meta is None or (body.get("kind") and body.get("apiVersion")):
            return body
        api_version, kind = body.pop("apiVersion", None), body.pop("kind", None)
        return {"apiVersion": api_version or type_meta.api_version, "kind": kind or type_meta.kind, **body}

    def _type(self) -> TypeMeta:
        known = self.type_meta or TypeMeta()
        try:
            said = _decode_type(self.raw)
        except DECODE_ERRORS:  # it may be nested too deep
            return known
        return TypeMeta(said.api_version or known.api_version, said.kind or known.kind)

    def _detail(self) -> DetailMeta:
        return detail_of(self.raw, self._describe_metadata)

    def _describe_metadata(self) -> str:
        return f"metadata of {self.key}"


@lru_cache(maxsize=1000)
def _ignores_kind(type_: type) -> bool:
    """Whether a class has no room for what kind of object it is, and does not mind it: nothing has to be completed."""
    if not issubclass(type_, msgspec.Struct):
        return False
    config, names = type_.__struct_config__, type_.__struct_encode_fields__
    is_particular = config.forbid_unknown_fields or config.tag is not None or config.array_like
    return not is_particular and "kind" not in names and "apiVersion" not in names


_decode_type = codecs.decoder_of(_TypeFrame).decode
_decode_body = codecs.decoder_of(dict[str, Any]).decode
_decode_members = codecs.decoder_of(dict[str, msgspec.Raw]).decode

# How an object begins that says what it is, as servers write it; one that says so otherwise only costs more.
_SAYS_ITS_TYPE = re.compile(rb'\{"(?:apiVersion":"[^"\\]+","kind|kind":"[^"\\]+","apiVersion)":"[^"\\]+"')

DECODE_ERRORS = codecs.DECODE_ERRORS


def decode_json(data: bytes | msgspec.Raw, type_: type[T], what: Callable[[], str]) -> T:
    """The one seam where the decoder's three families of error become ours, and what a type of an author raises.

    Args:
        data: JSON.
        type_: What to decode to.
        what: Names the data in the error; only called when there is one.

    Raises:
        ObjectDecodeError: Not JSON, not UTF-8, nested too deep, or not of that shape; or the type has raised.
    """
    try:
        return codecs.decode(data, type_)
    except DECODE_ERRORS as error:
        failure = undecodable(what(), error)
    except BaseException as error:  # of a `__post_init__`: msgspec lets out what is no TypeError or ValueError
        if is_of_program(error):
            raise
        failure = ObjectDecodeError(f"{what()} cannot be decoded: {describe_error(error)}")
    del data  # a traceback with the values of variables would show it
    raise failure


def decode_members(data: bytes | msgspec.Raw) -> dict[str, msgspec.Raw]:
    """The members of a JSON object, each as its bytes: views into `data`.

    Raises:
        ObjectDecodeError: As of `decode_json`.
    """
    try:
        return _decode_members(data)
    except DECODE_ERRORS as error:
        failure = undecodable("JSON object", error)
    del data
    raise failure


def is_version_at_least(version: str, wanted: str) -> bool:
    """Whether a resourceVersion is `wanted` or a later one of the same collection.

    Since Kubernetes 1.35 they are numbers that grow (KEP-5504); of others, only equality says something.
    """
    try:
        return int(version) >= int(wanted) if version.isdecimal() and wanted.isdecimal() else version == wanted
    except ValueError:  # of thousands of digits
        return version == wanted


def read_deep_object(raw: bytes, type_meta: TypeMeta | None = None) -> Object:
    """An API object, however deep; decoding its body later fails, and only that.

    Raises:
        ObjectDecodeError: It has no usable metadata.
    """
    return Object(Object.from_raw(metadata_of(raw, SCALARS)).meta, raw, type_meta)


def object_from(raw: bytes, type_meta: TypeMeta | None = None) -> Object:
    """`Object.from_raw`, for objects of any depth."""
    try:
        return Object.from_raw(raw, type_meta)
    except ObjectDecodeError as error:
        if not is_too_deep(error):
            raise
        return read_deep_object(raw, type_meta)


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


class ListPage(msgspec.Struct, frozen=True):
    """One page of a list."""

    items: list[Object]
    resource_version: str  #: of the whole list: the same on every page
    continue_token: str  #: "" on the last page
    unreadable: tuple[str, ...] = ()  #: what is wrong with objects that are left out
