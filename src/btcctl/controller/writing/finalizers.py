"""Finalizers: an object stays until what it stands for outside the cluster is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from btcctl.errors import NotFound
from btcctl.mistakes import check_read
from btcctl.names import RULE, is_qualified_name
from btcctl.objects import ObjectKey


class Keepable(Protocol):
    """An Object, or a TypedObject."""

    @property
    def key(self) -> ObjectKey: ...
    @property
    def uid(self) -> str: ...
    @property
    def resource_version(self) -> str: ...
    @property
    def finalizers(self) -> Sequence[str]: ...


K = TypeVar("K", bound=Keepable)
K_co = TypeVar("K_co", bound=Keepable, covariant=True)


class Patchable(Protocol[K_co]):
    """The part of a Resource, or a TypedResource, that is needed."""

    def patch(self, key: ObjectKey, patch: Mapping[str, Any]) -> K_co: ...


def add_finalizer(resource: Patchable[K], obj: K, name: str) -> K:
    """Keep `obj` from vanishing before `remove_finalizer`. Writes only if it is not kept already.

    To be called before the first effect that would have to be undone, and not on an object that
    is being deleted: the API server refuses that.

    Args:
        name: `example.org/what`, used by this controller alone.

    Returns:
        The object as it is now.

    Raises:
        Conflict: It has changed since it was read: reconcile again.
        ValueError: The name is none, or lacks its domain.
    """
    _check(name)
    check_read("what is to be kept", obj)
    if name in obj.finalizers:
        return obj
    return _write(resource, obj, [*obj.finalizers, name])


def remove_finalizer(resource: Patchable[K], obj: K, name: str) -> None:
    """Let `obj` go, as far as we are concerned. Writes only if we keep it.

    Raises:
        Conflict: It has changed since it was read: reconcile again.
        ValueError: The name is none, or lacks its domain.
    """
    _check(name)
    check_read("what is to be let go", obj)
    if name not in obj.finalizers:
        return
    try:
        _write(resource, obj, [each for each in obj.finalizers if each != name])
    except NotFound:
        return


def _write(resource: Patchable[K], obj: K, finalizers: list[str]) -> K:
    # A merge patch replaces the list: only for the version it was read from, or another's finalizer is lost.
    metadata = {"finalizers": finalizers, "resourceVersion": obj.resource_version, "uid": obj.uid}
    return resource.patch(obj.key, {"metadata": metadata})


def _check(name: str) -> None:
    # The domain is left out only of Kubernetes' own.
    if not isinstance(name, str) or "/" not in name or not is_qualified_name(name):
        raise ValueError(f"a finalizer is called like example.org/cleanup ({RULE}), not {name!r:.100}")
