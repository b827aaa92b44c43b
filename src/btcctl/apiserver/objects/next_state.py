"""The state that a write leads to: what the client sent, what stays, and what is filled in."""

from __future__ import annotations

from typing import Any

from btcctl import codecs
from btcctl.apiserver.kinds import metadata as meta
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.objects.strategies import Strategy, nothing, strategy_of
from btcctl.apiserver.requests.bodies import private
from btcctl.apiserver.requests.routing import Route
from btcctl.apiserver.served.registry import Served
from btcctl.apiserver.storage.collection import Body
from btcctl.json_values import is_identical

_CONTAINERS = (dict, list)
_MANY_PARTS = 10_000
_METADATA = frozenset({"metadata"})  # has no defaults, and is put in order when the object is stored


def complete(
    served: Served, strategy: Strategy, new: dict[str, Any], old: Body | None = None, *, is_new: bool = False
) -> dict[str, Any]:
    """With what the client left out, and as a real server orders it; the argument is changed.

    Args:
        old: How it was in the store: what is still so lacks nothing.
        is_new: Whether it is to become one that there was not.

    Raises:
        StatusError: It is larger than etcd takes, and of so many parts that it takes seconds to look at each.
    """
    same = unchanged(new, old)
    served.kind.fill(new, same | _METADATA)
    if strategy.complete is not nothing:
        strategy.complete(new)
        same = unchanged(new, old)
    if is_new:
        strategy.prepare(new)
    written = served.kind.written(new, same | _METADATA)
    encoded = codecs.encode(written)
    if len(encoded) > meta.MAX_OBJECT_BYTES and encoded.count(b"{") > _MANY_PARTS:
        raise errors.too_large_for_etcd()
    return written


def unchanged(new: Body, old: Body | None) -> frozenset[str]:
    """Objects and lists that are as they were, but for the metadata."""
    if old is None:
        return frozenset()
    parts = [name for name, each in new.items() if isinstance(each, _CONTAINERS) and name in old]
    return frozenset([name for name in parts if name != "metadata" and is_identical(new[name], old[name])])


def in_order(served: Served, strategy: Strategy, new: Body, old: Body | None) -> frozenset[str]:
    """What is as `complete` has made it, or as it was in the store, and so needs not be put in order again.

    An empty list does: there is none in what is stored.
    """
    if served.kind.go_type is None:
        return frozenset()
    is_touched = strategy.finish is not nothing or b"[]" in codecs.encode(new)
    return unchanged(new, old) if is_touched else frozenset(new) - _METADATA


def merged(route: Route, old: Body, sent: dict[str, Any]) -> dict[str, Any]:
    """The old object with what this request may change taken from the new one."""
    if route.subresource == "status":
        return _with_status(route, old, sent)
    if route.subresource:
        part = strategy_of(route.served).parts[route.subresource]
        return {**private(old), "spec": part.spec(sent, old)}
    has_status = "status" in route.served.subresources
    metadata = meta.updated_metadata(sent["metadata"], old["metadata"], route.namespace)
    if has_status:
        sent.pop("status", None)
        if "status" in old:
            sent["status"] = private(old["status"])
    return {**sent, "metadata": metadata}


def _with_status(route: Route, old: Body, sent: dict[str, Any]) -> dict[str, Any]:
    """What a write to the status makes of an object: of some kinds it changes the metadata too."""
    kept = strategy_of(route.served).kept_by_status
    new = {key: value for key, value in private(old).items() if key != "status"}
    if kept is not None:
        metadata = meta.updated_metadata(sent["metadata"], old["metadata"], route.namespace)
        own = {name: old["metadata"][name] for name in kept if name in old["metadata"]}
        new["metadata"] = {**{name: value for name, value in metadata.items() if name not in kept}, **own}
    return {**new, "status": sent["status"]} if "status" in sent else new
