"""Reads the protobuf request bodies that kubectl insists on sending.

`kubectl create namespace`, `secret`, `configmap`, `role` and so on and `auth can-i` send protobuf
whatever the server prefers, and take 415 for final. Their answers may be JSON, so nothing is
written here.

Of workloads and Services only those fields are read that kubectl's generators set; a body with others is refused, and
nothing is left out silently.

Field numbers: generated.proto of k8s.io/api core/v1, apps/v1, policy/v1, rbac/v1, authentication/v1 and
authorization/v1, and of
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


def _exact(fields: Fields) -> Callable[[Wire], dict[str, Any]]:
    """As `_message`, of a message with more fields than are read: one that is set, and not read, is refused."""
    read_known = _message(fields)

    def read(wire: Wire) -> dict[str, Any]:
        for number, value in fields_of(_bytes(wire)):
            if number not in fields and value:
                why = f"field {number} is not understood as protobuf here: send JSON, or kubectl apply -f a manifest"
                raise StatusError(415, why, "UnsupportedMediaType")
        return read_known(wire)

    return read


def _nothing(wire: Wire) -> None:
    """Of a message that Go writes whether it says anything or not."""
    if any(value for _, value in fields_of(_bytes(wire))):
        raise StatusError(415, "a part that is not understood as protobuf here: send JSON", "UnsupportedMediaType")


def _int_or_text(wire: Wire) -> int | str:
    fields = dict(fields_of(_bytes(wire)))
    return _text(fields.get(3, b"")) if fields.get(1) else _int(fields.get(2, 0))


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

_REQUIREMENT: Fields = {
    1: _Field("key", _text),
    2: _Field("operator", _text),
    3: _Field("values", _text, repeated=True),
}
_SELECTOR = _Field(
    "selector",
    _message(
        {1: _Field("matchLabels", _map(_text)), 2: _Field("matchExpressions", _message(_REQUIREMENT), repeated=True)}
    ),
)
_CONTAINER_PORT: Fields = {
    1: _Field("name", _text),
    2: _Field("hostPort", _int),
    3: _Field("containerPort", _int),
    4: _Field("protocol", _text),
}
_CONTAINER: Fields = {
    1: _Field("name", _text),
    2: _Field("image", _text),
    3: _Field("command", _text, repeated=True),
    4: _Field("args", _text, repeated=True),
    5: _Field("workingDir", _text),
    6: _Field("ports", _message(_CONTAINER_PORT), repeated=True),
    8: _Field("resources", _nothing),
    14: _Field("imagePullPolicy", _text),
}
_POD_SPEC: Fields = {
    2: _Field("containers", _exact(_CONTAINER), repeated=True),
    3: _Field("restartPolicy", _text),
    6: _Field("dnsPolicy", _text),
    8: _Field("serviceAccountName", _text),
}
_POD_TEMPLATE: Fields = {1: _METADATA, 2: _Field("spec", _exact(_POD_SPEC))}
_DEPLOYMENT_SPEC: Fields = {
    1: _Field("replicas", _int, keep_empty=True),
    2: _SELECTOR,
    3: _Field("template", _message(_POD_TEMPLATE)),
    4: _Field("strategy", _nothing),
}
_JOB_SPEC: Fields = {
    1: _Field("parallelism", _int, keep_empty=True),
    2: _Field("completions", _int, keep_empty=True),
    6: _Field("template", _message(_POD_TEMPLATE)),
    7: _Field("backoffLimit", _int, keep_empty=True),
}
_SERVICE_PORT: Fields = {
    1: _Field("name", _text),
    2: _Field("protocol", _text),
    3: _Field("port", _int),
    4: _Field("targetPort", _int_or_text),
    5: _Field("nodePort", _int),
}
_SERVICE_SPEC: Fields = {
    1: _Field("ports", _message(_SERVICE_PORT), repeated=True),
    2: _Field("selector", _map(_text)),
    3: _Field("clusterIP", _text),
    4: _Field("type", _text),
    7: _Field("sessionAffinity", _text),
    10: _Field("externalName", _text),
}
_BUDGET_SPEC: Fields = {
    1: _Field("minAvailable", _int_or_text, keep_empty=True),
    2: _SELECTOR,
    3: _Field("maxUnavailable", _int_or_text, keep_empty=True),
}

_TOKEN_SPEC: Fields = {
    1: _Field("audiences", _text, repeated=True),
    3: _Field("boundObjectRef", _message(_texts("kind", "apiVersion", "name", "uid"))),
    4: _Field("expirationSeconds", _int),
}
_KINDS: Mapping[str, Fields] = {
    "Deployment": {1: _METADATA, 2: _Field("spec", _exact(_DEPLOYMENT_SPEC))},
    "Job": {1: _METADATA, 2: _Field("spec", _exact(_JOB_SPEC)), 3: _Field("status", _nothing)},
    "Service": {1: _METADATA, 2: _Field("spec", _exact(_SERVICE_SPEC))},
    "PodDisruptionBudget": {1: _METADATA, 2: _Field("spec", _exact(_BUDGET_SPEC))},
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
    "SelfSubjectRulesReview": {1: _METADATA, 2: _Field("spec", _message(_texts("namespace")), keep_empty=True)},
    "TokenRequest": {1: _METADATA, 2: _Field("spec", _message(_TOKEN_SPEC), keep_empty=True)},
    "SelfSubjectAccessReview": {1: _METADATA, 2: _Field("spec", _message(_ACCESS_SPEC), keep_empty=True)},
    "DeleteOptions": {
        1: _Field("gracePeriodSeconds", _int, keep_empty=True),
        2: _Field("preconditions", _message(_texts("uid", "resourceVersion"))),
        3: _Field("orphanDependents", _bool, keep_empty=True),
        4: _Field("propagationPolicy", _text),
        5: _Field("dryRun", _text, repeated=True),
    },
}
