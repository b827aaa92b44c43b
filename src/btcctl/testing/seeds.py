"""What a test puts into a FakeClient: kept as it is, or refused in words."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from btcctl.apiserver.served.registry import Registry, Served
from btcctl.mistakes import check_is
from btcctl.objects import ObjectKey
from btcctl.typed.kinds import type_of
from btcctl.typed.typed_object import TypedObject
from btcctl.typed.values import body_of

# What a server would set itself, and a test may give.
_GIVEN = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "managedFields")
# Written to be read as something else.
_WRITE_ONLY = frozenset({"stringData"})


class SeededUids:
    """The uids of a FakeClient's objects: in order, but for the next object that is seeded with its own."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._given = ""
        self._seen: set[str] = set()

    def next(self) -> str:
        given, self._given = self._given, ""
        return given or f"{next(self._numbers):08x}-0000-4000-8000-0{0:011d}"

    @contextmanager
    def giving(self, uid: str) -> Iterator[None]:
        """The first object that is made within has this uid, if it is not "".

        Raises:
            ValueError: Another object was given it before.
        """
        if uid in self._seen:
            raise ValueError(f"two objects with the uid {uid}: a server never gives one twice")
        self._seen |= {uid} - {""}
        self._given = uid
        try:
            yield
        finally:
            self._given = ""


@dataclass(frozen=True, slots=True)
class Seed:
    """One object as a test gives it."""

    served: Served
    key: ObjectKey
    body: Mapping[str, Any]

    @classmethod
    def of(cls, body: Mapping[str, Any], registry: Registry) -> Self:
        """Look at it before it is stored.

        Raises:
            TypeError: It, or its metadata, is no dict.
            ValueError: It is no object of a known kind, or says what cannot be kept.
        """
        check_is("an object that there is at the beginning", body, Mapping, "a dict; an Object's is its .body()")
        metadata = body.get("metadata") or {}
        check_is(f"the metadata of {body.get('kind') or 'an object'}", metadata, Mapping, "a dict")
        api_version, kind = body.get("apiVersion"), body.get("kind")
        if not all(isinstance(each, str) and each for each in (api_version, kind, metadata.get("name"))):
            raise ValueError(f"{kind or 'an object'} needs texts as apiVersion, kind and metadata.name")
        served = registry.by_kind(str(api_version), str(kind))
        if served is None:
            raise ValueError(f"{api_version} {kind} is not served: name it in `types`")
        seed = cls(served, _key(served, metadata), body)
        seed._check()
        return seed

    def __str__(self) -> str:
        return f"{self.body['kind']} {self.key}"

    @property
    def uid(self) -> str:
        return self.body["metadata"].get("uid") or ""

    @property
    def is_dying(self) -> bool:
        return bool(self.body["metadata"].get("deletionTimestamp"))

    @property
    def has_status(self) -> bool:
        return "status" in self.body and "status" in self.served.subresources

    def to_create(self) -> dict[str, Any]:
        """The body as a server takes it."""
        metadata = {name: value for name, value in self.body["metadata"].items() if name not in _GIVEN}
        return {**self.body, "metadata": metadata}

    def kept_metadata(self) -> dict[str, Any]:
        """What the server has decided otherwise."""
        metadata = self.body["metadata"]
        return {name: metadata[name] for name in _GIVEN if metadata.get(name) is not None}

    def check_kept(self, stored: Mapping[str, Any]) -> None:
        """Raise a ValueError if something of it is not in `stored`."""
        lost = [
            *_lost("metadata", self.body["metadata"], stored["metadata"], values=True),
            *_lost("status", self.body.get("status"), stored.get("status"), values=True),
            *_lost("", {name: self.body[name] for name in self.body if name not in {"metadata", "status"}}, stored),
        ]
        if lost:
            raise ValueError(f"{self}: {', '.join(lost)} would not be kept: the kind, or its schema, does not have it")

    def _check(self) -> None:
        metadata = self.body["metadata"]
        if metadata.get("resourceVersion"):
            raise ValueError(f"{self}: leave out its resourceVersion: only the store gives those")
        if self.uid and not isinstance(self.uid, str):
            raise ValueError(f"{self}: its uid must be a text")
        for name in ("creationTimestamp", "deletionTimestamp"):
            if metadata.get(name) and not _is_time(metadata[name]):
                raise ValueError(f"{self}: its {name} must be a time with a zone, like 2026-01-31T12:00:00Z")
        for name in ("generation", "deletionGracePeriodSeconds"):
            if metadata.get(name) is not None and type(metadata[name]) is not int:
                raise ValueError(f"{self}: its {name} must be a whole number")
        is_held = metadata.get("finalizers") or metadata.get("deletionGracePeriodSeconds") or self._holds_itself()
        if metadata.get("deletionTimestamp") and not is_held:
            raise ValueError(f"{self} has a deletionTimestamp and no finalizer: it would be gone")

    def _holds_itself(self) -> bool:
        """Whether it is a namespace that is not emptied yet: its finalizers are in its spec."""
        spec = self.body.get("spec")
        is_namespace = self.served.collection == ("", "namespaces")
        return is_namespace and isinstance(spec, Mapping) and bool(spec.get("finalizers"))


def plain_of(body: Mapping[str, Any] | TypedObject) -> Mapping[str, Any]:
    """What is to be there, as a server is told it: a value of a class with its kind, which it does not say itself."""
    if not isinstance(body, TypedObject):
        return body
    type_ = type_of(type(body))
    return {"apiVersion": type_.api_version, "kind": type_.kind, **body_of(body)}


def _is_time(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _key(served: Served, metadata: Mapping[str, Any]) -> ObjectKey:
    name, namespace = metadata["name"], metadata.get("namespace") or ""
    if not isinstance(namespace, str) or "/" in namespace or "/" in name:
        raise ValueError(f"{served.type.kind} {name}: {namespace!r} and {name!r} are no namespace and name")
    if not served.type.namespaced:
        if namespace:
            raise ValueError(f"{served.type.kind} {name} has the namespace {namespace}, but its kind is cluster-scoped")
        return ObjectKey("", name)
    return ObjectKey(namespace or "default", name)


def _lost(path: str, sent: Any, kept: Any, *, values: bool = False) -> Iterator[str]:
    """The paths of fields in `sent` that are missing in `kept`, or, with `values`, are otherwise there."""
    if sent is None or not (sent or kept):  # a server leaves out what is empty
        return
    if isinstance(sent, Mapping) and isinstance(kept, Mapping):
        for name, value in sent.items():
            inner = f"{path}.{name}" if path else str(name)
            if value is None or name in _WRITE_ONLY:
                continue
            if name not in kept and value:
                yield inner
            else:
                yield from _lost(inner, value, kept.get(name), values=values)
    elif isinstance(sent, list) and isinstance(kept, list) and len(sent) == len(kept):
        for number, (one, other) in enumerate(zip(sent, kept, strict=True)):
            yield from _lost(f"{path}[{number}]", one, other, values=values)
    elif values and sent != kept:
        yield path
