"""From an object that changed to the keys to reconcile: plain functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from btcctl.objects import Object, ObjectKey
from btcctl.resources import ResourceType

KeysOf = Callable[[Object], Iterable[ObjectKey]]


def own_key(obj: Object) -> list[ObjectKey]:
    """The object itself is what is reconciled."""
    return [obj.key]


def owner_keys(owner_type: ResourceType, uid_of: Callable[[ObjectKey], str | None] | None = None) -> KeysOf:
    """The object's controller is what is reconciled, if it is of that type.

    Only the owner reference with `controller: true` counts. Group and kind must match; the
    version may differ, because all versions of a kind are the same objects.

    Args:
        owner_type: What is reconciled.
        uid_of: Looks up the UID of the living owner, None if there is none. With it, an object
            whose owner was deleted and made anew under the same name is not taken for the new
            owner's. An owner that is not known (yet) passes.
    """

    def keys_of(obj: Object) -> list[ObjectKey]:
        owner = obj.controller
        if owner is None or (owner.group, owner.kind) != (owner_type.group, owner_type.kind):
            return []
        key = ObjectKey(obj.namespace if owner_type.namespaced else "", owner.name)
        living = None if uid_of is None else uid_of(key)
        return [key] if living is None or living == owner.uid else []

    return keys_of
