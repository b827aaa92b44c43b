"""Who controls an object: its owner reference."""

from __future__ import annotations

from typing import Any, Protocol

from btcctl.objects import ObjectKey
from btcctl.resources import ResourceType
from btcctl.typed.kinds import type_of
from btcctl.typed.typed_object import TypedObject


class Owner(Protocol):
    """An object that was read: an Object, or one of a class."""

    @property
    def key(self) -> ObjectKey: ...

    @property
    def name(self) -> str: ...

    @property
    def namespace(self) -> str: ...

    @property
    def uid(self) -> str: ...


class Named(Protocol):
    """What of an owner a reference says, beside its kind."""

    @property
    def name(self) -> str: ...

    @property
    def uid(self) -> str: ...


def controller_reference(owner_type: ResourceType, owner: Named) -> dict[str, Any]:
    """The owner reference of what `owner` controls."""
    return {
        "apiVersion": owner_type.api_version,
        "kind": owner_type.kind,
        "name": owner.name,
        "uid": owner.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def add_controller(body: dict[str, Any], type_: ResourceType, owner: TypedObject) -> None:
    """Have `owner` control what `body` says; one that does not say its namespace gets the owner's.

    Raises:
        TypeError: The owner is no object of a class that says which kind it is.
        ValueError: It was not read from a server, is in another namespace, or in one at all while `type_` is
            cluster-scoped: no garbage collector heeds that.
    """
    if not isinstance(owner, TypedObject):
        raise TypeError("an owner is an object of a class that says its kind; for others, `set_controller`")
    owner_type = type_of(type(owner))
    if not owner.uid:
        raise ValueError(f"{owner_type} {owner.key} has no uid: an owner has to be what the server has made of it")
    metadata = body["metadata"]
    if owner.namespace and not type_.namespaced:
        raise ValueError(f"{owner_type} {owner.key} cannot own {type_}, which are cluster-scoped")
    if owner.namespace:
        namespace = metadata.setdefault("namespace", owner.namespace)
        if namespace != owner.namespace:
            raise ValueError(f"{owner_type} {owner.key} cannot own an object in namespace {namespace}")
    others = [each for each in metadata.get("ownerReferences", ()) if each["uid"] != owner.uid]
    metadata["ownerReferences"] = [*others, controller_reference(owner_type, owner)]
