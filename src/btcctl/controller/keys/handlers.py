"""From an object that changed to the keys to reconcile: plain functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

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


def map_to_keys(keys_of: KeysOf, obj: Object) -> tuple[list[ObjectKey], BaseException | None]:
    """Call a mapping, which is foreign code: the keys it names, and what it raised or did wrong, if it did.

    A key that says no cluster is one of the object's.
    """
    if keys_of is own_key:  # mostly, and on the path of every event
        return [obj.key], None
    keys: list[ObjectKey] = []
    cluster = obj.cluster  # of a key that says none
    try:
        named = keys_of(obj)
        for key in named if type(named) is list else _iterable(named):
            if type(key) is not ObjectKey or not (type(key.name) is type(key.namespace) is type(key.cluster) is str):
                _check(key)
            keys.append(key.within(cluster) if cluster and not key.cluster else key)
    except BaseException as error:
        return keys, error
    return keys, None


def _check(key: object) -> None:
    """Raise TypeError, in words for who wrote the mapping, if `key` is no ObjectKey."""
    if not isinstance(key, ObjectKey):
        raise TypeError(f"a mapping named {_shown(key)}, must name ObjectKeys: [ObjectKey(namespace, name)]")
    if not (isinstance(key.namespace, str) and isinstance(key.name, str) and isinstance(key.cluster, str)):
        raise TypeError(
            'a mapping named an ObjectKey whose namespace, name or cluster is no text; "" is the cluster\'s scope'
        )


def _iterable(named: object) -> Iterable[Any]:
    if inspect.iscoroutine(named):
        named.close()  # or the interpreter warns that it was never awaited
        raise TypeError("a mapping returned a coroutine: it must be a plain function")
    if named is None:
        raise TypeError("a mapping returned None, must return ObjectKeys: [] for none")
    if isinstance(named, str | bytes | ObjectKey) or not isinstance(named, Iterable):
        raise TypeError(f"a mapping returned {_shown(named)}, must return several ObjectKeys: [key]")
    return named


def _shown(value: object) -> str:
    return f"one {type(value).__name__}"
