"""Reads the protobuf request bodies that kubectl insists on sending.

`kubectl create namespace`, `secret`, `configmap`, `role` and so on and `auth can-i` send protobuf
whatever the server prefers, and take 415 for final. Their answers may be JSON, so nothing is
written here.

Field numbers: generated.proto of k8s.io/api core/v1, rbac/v1 and authorization/v1, and of
k8s.io/apimachinery meta/v1 and runtime. They are part of the API and never change.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from btcctl.apiserver.machinery.errors import StatusError, unsupported_media_type
from btcctl.clock import rfc3339

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"
_ACCEPTED = ("application/json", "application/yaml")
_MAGIC = b"k8s\x00"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10

#: What a field's value is made of: an int for a varint, bytes for everything of a length.
Wire = int | bytes
Read = Callable[[Wire], Any]


class ProtobufError(ValueError):
    """The body is not the protobuf that it says it is."""


def decode_body(content_type: str, body: bytes) -> dict[str, Any]:
    """Decode a request body into what its JSON form would have been.

    Raises:
        StatusError: 415, another media type or another kind than those of this module.
        ProtobufError: The body is broken.
    """
    if content_type.partition(";")[0].strip() != CONTENT_TYPE:
        raise unsupported_media_type(_ACCEPTED)
    if not body.startswith(_MAGIC):
        raise ProtobufError("the body does not begin with the Kubernetes protobuf prefix")
    envelope = _message(_UNKNOWN)(body[len(_MAGIC) :])
    type_meta = envelope.get("typeMeta", {})
    kind = type_meta.get("kind", "")
    fields = _KINDS.get(kind)
    if fields is None:
        message = f"kind {kind!r} is not understood as protobuf here: send JSON, or kubectl apply -f a manifest"
        raise StatusError(415, message, "UnsupportedMediaType")
    return {"apiVersion": type_meta.get("apiVersion", ""), "kind": kind, **_message(fields)(envelope.get("raw", b""))}


def fields_of(data: bytes) -> Iterator[tuple[int, Wire]]:
    """Yield each field's number and value, in order, of one encoded message.

    Raises:
        ProtobufError: The data ends in the middle of a field, or is none.
    """
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == _VARINT:
            value, position = _varint(data, position)
            yield number, value
            continue
        size, position = _size(data, position, wire_type)
        if position + size > len(data):
            raise ProtobufError(f"field {number} is cut off")
        yield number, data[position : position + size]
        position += size


def _size(data: bytes, position: int, wire_type: int) -> tuple[int, int]:
    if wire_type == _BYTES:
        return _varint(data, position)
    if wire_type in (_FIXED64, _FIXED32):
        return (8 if wire_type == _FIXED64 else 4), position
    raise ProtobufError(f"there is no wire type {wire_type}")


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(data[position : position + _MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, position + index + 1
    raise ProtobufError("a number is cut off or too long")


class _Field:
    """How one field is read and where its value goes.

    Attributes:
        keep_empty: Whether the zero value says something: Go writes every plain field, set or not.
    """

    def __init__(self, name: str, read: Read, *, repeated: bool = False, keep_empty: bool = False) -> None:
        self.name = name
        self.read = read
        self.repeated = repeated
        self.keep_empty = keep_empty

    def put(self, target: dict[str, Any], wire: Wire) -> None:
        value = self.read(wire)
        if isinstance(value, _Entry):
            target.setdefault(self.name, {})[value.key] = value.value
        elif self.repeated:
            target.setdefault(self.name, []).append(value)
        elif self.keep_empty or value:
            target[self.name] = value


class _Entry:
    def __init__(self, key: str, value: Any) -> None:
        self.key = key
        self.value = value


Fields = Mapping[int, _Field]


def _message(fields: Fields) -> Callable[[Wire], dict[str, Any]]:
    def read(wire: Wire) -> dict[str, Any]:
        target: dict[str, Any] = {}
        for number, value in fields_of(_bytes(wire)):
            if number in fields:
                fields[number].put(target, value)
        return target

    return read


def _map(read_value: Read) -> Callable[[Wire], _Entry]:
    def read(wire: Wire) -> _Entry:
        entry = dict(fields_of(_bytes(wire)))
        return _Entry(_text(entry.get(1, b"")), read_value(entry.get(2, b"")))

    return read


def _bytes(wire: Wire) -> bytes:
    if isinstance(wire, int):
        raise ProtobufError("a number where a text or message belongs")
    return wire


def _raw(wire: Wire) -> bytes:
    return _bytes(wire)


def _text(wire: Wire) -> str:
    try:
        return _bytes(wire).decode()
    except UnicodeDecodeError as error:
        raise ProtobufError("a text is not UTF-8") from error


def _base64(wire: Wire) -> str:
    return base64.b64encode(_bytes(wire)).decode()


def _int(wire: Wire) -> int:
    if isinstance(wire, bytes):
        raise ProtobufError("a text or message where a number belongs")
    return wire - (1 << 64) if wire >= 1 << 63 else wire


def _bool(wire: Wire) -> bool:
    return _int(wire) != 0


def _time(wire: Wire) -> str | None:
    """Absent seconds are Go's zero time, which JSON writes as null."""
    seconds = next((value for number, value in fields_of(_bytes(wire)) if number == 1), None)
    if seconds is None:
        return None
    try:
        return rfc3339(datetime.fromtimestamp(_int(seconds), UTC))
    except (ValueError, OverflowError, OSError) as error:
        raise ProtobufError("a time is out of range") from error


def _texts(*names: str) -> dict[int, _Field]:
    """Fields 1, 2, 3 … which are all plain texts."""
    return {number: _Field(name, _text) for number, name in enumerate(names, 1)}


_UNKNOWN: Fields = {1: _Field("typeMeta", _message(_texts("apiVersion", "kind"))), 2: _Field("raw", _raw)}

_OWNER_REFERENCE: Fields = {
    1: _Field("kind", _text),
    3: _Field("name", _text),
    4: _Field("uid", _text),
    5: _Field("apiVersion", _text),
    6: _Field("controller", _bool, keep_empty=True),
    7: _Field("blockOwnerDeletion", _bool, keep_empty=True),
}

_OBJECT_META: Fields = {
    **_texts("name", "generateName", "namespace", "selfLink", "uid", "resourceVersion"),
    7: _Field("generation", _int),
    8: _Field("creationTimestamp", _time),
    9: _Field("deletionTimestamp", _time),
    10: _Field("deletionGracePeriodSeconds", _int, keep_empty=True),
    11: _Field("labels", _map(_text)),
    12: _Field("annotations", _map(_text)),
    13: _Field("ownerReferences", _message(_OWNER_REFERENCE), repeated=True),
    14: _Field("finalizers", _text, repeated=True),
}
_METADATA = _Field("metadata", _message(_OBJECT_META))

_RESOURCE_ATTRIBUTES: Fields = _texts("namespace", "verb", "group", "version", "resource", "subresource", "name")
_ACCESS_SPEC: Fields = {
    1: _Field("resourceAttributes", _message(_RESOURCE_ATTRIBUTES)),
    2: _Field("nonResourceAttributes", _message(_texts("path", "verb"))),
}

_POLICY_RULE: Fields = {
    number: _Field(name, _text, repeated=True)
    for number, name in enumerate(("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs"), 1)
}
_ROLE: Fields = {1: _METADATA, 2: _Field("rules", _message(_POLICY_RULE), repeated=True)}
_BINDING: Fields = {
    1: _METADATA,
    2: _Field("subjects", _message(_texts("kind", "apiGroup", "name", "namespace")), repeated=True),
    3: _Field("roleRef", _message(_texts("apiGroup", "kind", "name"))),
}

_KINDS: Mapping[str, Fields] = {
    "Namespace": {
        1: _METADATA,
        2: _Field("spec", _message({1: _Field("finalizers", _text, repeated=True)})),
        3: _Field("status", _message(_texts("phase"))),
    },
    "Secret": {
        1: _METADATA,
        2: _Field("data", _map(_base64)),
        3: _Field("type", _text),
        4: _Field("stringData", _map(_text)),
        5: _Field("immutable", _bool, keep_empty=True),
    },
    "ConfigMap": {
        1: _METADATA,
        2: _Field("data", _map(_text)),
        3: _Field("binaryData", _map(_base64)),
        4: _Field("immutable", _bool, keep_empty=True),
    },
    "ServiceAccount": {1: _METADATA, 4: _Field("automountServiceAccountToken", _bool, keep_empty=True)},
    "Role": _ROLE,
    "ClusterRole": _ROLE,
    "RoleBinding": _BINDING,
    "ClusterRoleBinding": _BINDING,
    "SelfSubjectReview": {1: _METADATA},
    "SelfSubjectAccessReview": {1: _METADATA, 2: _Field("spec", _message(_ACCESS_SPEC), keep_empty=True)},
    "DeleteOptions": {
        1: _Field("gracePeriodSeconds", _int, keep_empty=True),
        2: _Field("preconditions", _message(_texts("uid", "resourceVersion"))),
        3: _Field("orphanDependents", _bool, keep_empty=True),
        4: _Field("propagationPolicy", _text),
        5: _Field("dryRun", _text, repeated=True),
    },
}
