"""The metadata of an object: what is decoded of it, and how what is not quite right is read.

`null` is read as Go's encoding/json reads it, and so as client-go does: as if it were not there. What has another type
than it must have is an ObjectDecodeError of that one object. What is right is decoded in one pass; only what is
not is looked at twice.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from btcctl import codecs
from btcctl.codecs import DECODE_ERRORS
from btcctl.errors import ObjectDecodeError
from btcctl.nesting import metadata_of


class TypeMeta(msgspec.Struct, frozen=True, gc=False, repr_omit_defaults=True):
    """What all objects of a collection have in common: their kind, and where they are."""

    api_version: str = ""  #: "apps/v1", or "v1" for the core group
    kind: str = ""
    cluster: str = ""  #: in a program that looks after several

    @property
    def beginning(self) -> bytes:
        """How an object begins that says so: JSON up to where its other members follow."""
        return b'{"apiVersion":%b,"kind":%b,' % (codecs.encode(self.api_version), codecs.encode(self.kind))


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

    name: str = ""  #: empty only in the object of a BOOKMARK, and of what is yet to be named
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""  #: opaque: hand it back to the server, never compare it
    generation: int = 0
    deletion_timestamp: str | None = None


class ObjectFrame(msgspec.Struct, gc=False):
    """What is decoded of an object when it arrives."""

    metadata: ObjectMeta


class DetailMeta(msgspec.Struct, gc=False, rename="camel"):
    """What is decoded of `metadata` when it is asked for."""

    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[OwnerReference] | None = None
    finalizers: list[str] | None = None


SCALARS = (b"name", b"namespace", b"uid", b"resourceVersion", b"generation", b"deletionTimestamp")
_DETAILS = (b"labels", b"annotations", b"ownerReferences", b"finalizers")


class _DetailFrame(msgspec.Struct, gc=False):
    metadata: DetailMeta


class _AnyFrame(msgspec.Struct, gc=False):
    metadata: dict[str, Any]


#: What is decoded of an object's bytes when it arrives; raises DECODE_ERRORS. `meta_of` takes more, and longer.
decode_frame = codecs.decoder_of(ObjectFrame).decode
_decode_detail = codecs.decoder_of(_DetailFrame).decode
_decode_any = codecs.decoder_of(_AnyFrame).decode


def meta_of(raw: bytes) -> ObjectMeta:
    """The same, with nulls read as missing.

    Raises:
        ObjectDecodeError: The bytes are not JSON, are nested too deep, or have no usable metadata.
    """
    try:
        return decode_frame(raw).metadata
    except DECODE_ERRORS as error:
        failure = undecodable("object", error)
    if not isinstance(failure.__cause__, RecursionError):
        with contextlib.suppress(*DECODE_ERRORS):
            return codecs.convert(_known(raw, SCALARS), ObjectMeta)
    del raw  # a traceback with the values of variables would show it
    raise failure


def detail_of(raw: bytes, what: Callable[[], str]) -> DetailMeta:
    """What an object's bytes say beyond that, of whatever depth they are.

    Args:
        what: Names it in the error; only called when there is one.

    Raises:
        ObjectDecodeError: A member has another type.
    """
    try:
        return _decode_detail(raw).metadata
    except DECODE_ERRORS:
        pass  # looked at again
    try:
        return codecs.convert(_completed(_known(raw, _DETAILS)), DetailMeta)
    except DECODE_ERRORS as error:
        failure = undecodable(what(), error)
    del raw
    raise failure


def without_nulls_in(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The same metadata, read as Go reads null: a missing member, or in labels and annotations the empty text."""
    return _completed(_without_nulls(metadata))


def undecodable(what: str, error: Exception) -> ObjectDecodeError:
    """Ours for one of DECODE_ERRORS, which it does not point to: its arguments and frames hold the data."""
    failure = ObjectDecodeError(f"{what} cannot be decoded: {error}")
    if isinstance(error, RecursionError):  # which `is_too_deep` asks for
        failure.__cause__ = error.with_traceback(None)
    return failure


def _known(raw: bytes, names: Iterable[bytes]) -> dict[str, Any]:
    """What an object of whatever depth says in its metadata; of one that is too deep, these members."""
    try:
        metadata = _decode_any(raw).metadata
    except RecursionError:
        metadata = _decode_any(metadata_of(raw, names)).metadata
    return _without_nulls(metadata)


def _completed(metadata: dict[str, Any]) -> dict[str, Any]:
    """With the empty text, as in Go, where a text is null or, in an owner reference, missing; without other nulls."""
    for name in ("labels", "annotations"):
        if isinstance(texts := metadata.get(name), dict):
            metadata[name] = {key: "" if value is None else value for key, value in texts.items()}
    for name in ("ownerReferences", "finalizers"):
        if isinstance(items := metadata.get(name), list):
            metadata[name] = [_complete_reference(each) for each in items if each is not None]
    return metadata


def _complete_reference(owner: Any) -> Any:
    if not isinstance(owner, dict):
        return owner
    return {"apiVersion": "", "kind": "", "name": "", "uid": "", **_without_nulls(owner)}


def _without_nulls(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


# Somewhere in it, as servers that are not written in Go may have it.
_MAY_SAY_NOTHING = re.compile(rb'"(?:apiVersion|kind)"\s*:\s*(?:null|"")')
_decode_members = codecs.decoder_of(dict[str, msgspec.Raw]).decode


def without_empty_type(raw: bytes) -> bytes:
    """An object without an `apiVersion` and a `kind` of its own that are null or empty: as if they were not there."""
    if not _MAY_SAY_NOTHING.search(raw):
        return raw
    try:
        members = _decode_members(raw)
    except DECODE_ERRORS:  # it may be nested too deep
        return raw
    for name in ("apiVersion", "kind"):
        if bytes(members.get(name, b"")) in {b"null", b'""'}:
            del members[name]
    return codecs.encode(members)
