"""Which object an event is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from btcctl.typed.kinds import AnyKind, type_of
from btcctl.typed.owners import Owner


@dataclass(frozen=True, slots=True)
class ObjectReference:
    """Enough of an object to find it again, even after it was deleted and made anew."""

    api_version: str  #: "v1", "apps/v1"
    kind: str
    namespace: str  #: "" for cluster-scoped objects
    name: str
    uid: str = ""
    cluster: str = ""  #: where it is, in a program that looks after several; no part of the event

    @classmethod
    def of(cls, type_: AnyKind, obj: Owner) -> Self:
        """Refer to `obj`, whose own bytes need not tell its kind."""
        type_ = type_of(type_)
        return cls(type_.api_version, type_.kind, obj.namespace, obj.name, obj.uid, obj.key.cluster)

    @property
    def event_namespace(self) -> str:
        """Where its events live: events about cluster-scoped objects are in `default`."""
        return self.namespace or "default"

    def body(self) -> dict[str, str]:
        """As in an Event's `involvedObject`."""
        fields = {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "namespace": self.namespace,
            "name": self.name,
            "uid": self.uid,
        }
        return {name: value for name, value in fields.items() if value}
