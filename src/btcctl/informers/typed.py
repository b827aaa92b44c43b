"""Informers that hand out a type of yours instead of Objects."""

from __future__ import annotations

from typing import Generic, Protocol, TypeAlias, TypeVar

from btcctl.informers.lister import Lister
from btcctl.informers.notifications import Deleted
from btcctl.informers.registration import Registration
from btcctl.informers.shared_informer import SharedInformer
from btcctl.objects import Object, ObjectKey

T = TypeVar("T")
Many: TypeAlias = list[T]
T_contra = TypeVar("T_contra", contravariant=True)


class TypedHandler(Protocol[T_contra]):
    """An EventHandler of decoded objects."""

    def on_add(self, obj: T_contra, in_initial_list: bool) -> None: ...

    def on_update(self, old: T_contra, new: T_contra) -> None: ...

    def on_delete(self, key: ObjectKey, last: T_contra | None) -> None: ...


class TypedLister(Generic[T]):
    """A Lister that decodes: each call makes objects of its own, which nobody else sees."""

    def __init__(self, lister: Lister, type_: type[T]) -> None:
        self._lister = lister
        self._type = type_

    def get(self, key: ObjectKey) -> T | None:
        """The object of that key, or None."""
        obj = self._lister.get(key)
        return None if obj is None else obj.decode(self._type)

    def list(self, namespace: str = "", *, selector: str = "") -> Many[T]:
        """As of `Lister`."""
        return [obj.decode(self._type) for obj in self._lister.list(namespace, selector=selector)]

    def by_index(self, name: str, value: str) -> Many[T]:
        """As of `Lister`."""
        return [obj.decode(self._type) for obj in self._lister.by_index(name, value)]


class TypedInformer(Generic[T]):
    """A SharedInformer's typed side; start, stop and watch `informer` itself.

    Args:
        informer: Its transform refuses what does not decode (`decodable_as`), so that no read fails.
        type_: A msgspec Struct with the wanted fields, or any type that msgspec decodes.
    """

    def __init__(self, informer: SharedInformer, type_: type[T]) -> None:
        self.informer = informer
        self.lister = TypedLister(informer.lister, type_)
        self._type = type_

    def add_handler(self, handler: TypedHandler[T], *, resync_seconds: float | None = None) -> Registration:
        """As of `SharedInformer`; objects are decoded for each handler anew."""
        return self.informer.add_handler(_Decoding(handler, self._type), resync_seconds=resync_seconds)


class _Decoding(Generic[T]):
    def __init__(self, handler: TypedHandler[T], type_: type[T]) -> None:
        self._handler = handler
        self._type = type_

    def on_add(self, obj: Object, in_initial_list: bool) -> None:
        self._handler.on_add(obj.decode(self._type), in_initial_list)

    def on_update(self, old: Object, new: Object) -> None:
        self._handler.on_update(old.decode(self._type), new.decode(self._type))

    def on_delete(self, deleted: Deleted) -> None:
        last = deleted.last
        self._handler.on_delete(deleted.key, None if last is None else last.decode(self._type))
