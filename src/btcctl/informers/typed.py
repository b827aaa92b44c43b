"""Views of a cache that hand out a type of yours instead of Objects.

A view holds nothing: the cache is the one of its selection, which plain and typed readers, handlers and controllers
share. So a change that one of them has notified a handler of is found through every other.

An object that does not decode to the type is the problem of that object alone:

    `get` raises ObjectDecodeError, because None would say that the object is gone;
    `list` and `by_index` leave it out, log it once, and count it in `misfits`;
    a handler is not notified of such a state, which counts as a failure of the handler. When the object decodes again
    the handler is notified of an update from the last state that it knows, or that the object was added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from btcctl.errors import ObjectDecodeError, describe_error
from btcctl.informers.cache.lister import Lister
from btcctl.informers.shared_informer import SharedInformer
from btcctl.informers.sharing.notifications import Deleted, check_handler
from btcctl.informers.sharing.registration import Registration
from btcctl.logging import get_logger
from btcctl.mistakes import check_has
from btcctl.objects import Object, ObjectKey
from btcctl.typed.values import decoded

logger = get_logger(__name__)

T = TypeVar("T")
Many: TypeAlias = list[T]
T_contra = TypeVar("T_contra", contravariant=True)

_MAX_LOGGED = 10  # objects of a view that do not decode, at a time; more are only counted


class TypedHandler(Protocol[T_contra]):
    """An EventHandler of decoded objects."""

    def on_add(self, obj: T_contra, in_initial_list: bool) -> None: ...

    def on_update(self, old: T_contra, new: T_contra) -> None: ...

    def on_delete(self, key: ObjectKey, last: T_contra | None) -> None: ...


class TypedLister(Generic[T]):
    """A Lister that decodes: each call makes objects of its own, which no other caller sees."""

    def __init__(self, lister: Lister, type_: type[T]) -> None:
        self._lister = lister
        self._type = type_
        self._misfits: dict[ObjectKey, None] = {}  # each step on it is atomic

    def get(self, key: ObjectKey) -> T | None:
        """The object of that key, or None.

        Raises:
            ObjectDecodeError: It is there, and does not fit the type.
        """
        obj = self._lister.get(key)
        return None if obj is None else decoded(obj, self._type)

    def list(self, namespace: str = "", *, selector: str = "") -> Many[T]:
        """As of `Lister`, without what does not fit the type."""
        return self._decoded(self._lister.list(namespace, selector=selector))

    def by_index(self, name: str, value: str) -> Many[T]:
        """As of `Lister`, without what does not fit the type."""
        return self._decoded(self._lister.by_index(name, value))

    def misfits(self) -> Many[ObjectKey]:
        """The objects that were left out of what was read, and have not been read or deleted since."""
        return [key for key in [*self._misfits] if self._lister.get(key) is not None]

    def _decoded(self, objects: Iterable[Object]) -> Many[T]:
        values = []
        for obj in objects:
            try:
                values.append(decoded(obj, self._type))
            except ObjectDecodeError as error:
                self._note_misfit(obj.key, error)
            else:
                if self._misfits:
                    self._misfits.pop(obj.key, None)
        return values

    def _note_misfit(self, key: ObjectKey, error: ObjectDecodeError) -> None:
        if key not in self._misfits and len(self._misfits) >= _MAX_LOGGED:
            self._misfits = dict.fromkeys(self.misfits())  # those that are gone make room
        if key not in self._misfits and len(self._misfits) < _MAX_LOGGED:
            logger.error("object left out: it does not fit its type", key=str(key), error=describe_error(error))
        self._misfits[key] = None


class TypedInformer(Generic[T]):
    """The typed view of a SharedInformer; start, stop and watch `informer` itself, or give a controller the view.

    Args:
        informer: The cache, which any number of views and others share.
        type_: A msgspec Struct with the wanted fields, or any type that msgspec decodes.
    """

    def __init__(self, informer: SharedInformer, type_: type[T]) -> None:
        self.informer = informer
        self.lister = TypedLister(informer.lister, type_)
        self._type = type_

    def add_handler(self, handler: TypedHandler[T], *, resync_seconds: float | None = None) -> Registration:
        """As of `SharedInformer`; objects are decoded for each handler anew."""
        check_handler(handler, ("key", "last"))
        return self.informer.add_handler(_Decoding(handler, self._type), resync_seconds=resync_seconds)

    def add_index(self, name: str, index: Callable[[T], Iterable[str]]) -> None:
        """As of `SharedInformer`; an object that does not fit the type is left out of the index."""
        self.informer.add_index(name, lambda obj: index(decoded(obj, self._type)))


def cache_of(informer: SharedInformer | TypedInformer[Any]) -> SharedInformer:
    """The informer itself, or the one that a view shows.

    Raises:
        TypeError: It is neither.
    """
    informer = informer.informer if isinstance(informer, TypedInformer) else informer
    check_has("the informer", informer, "add_handler", "one that factory.informer(PODS) returns, or a typed view")
    return informer


class _Decoding(Generic[T]):
    """Tells a TypedHandler, in the one thread of its listener."""

    def __init__(self, handler: TypedHandler[T], type_: type[T]) -> None:
        self._handler = handler
        self._type = type_
        self._last_fit: dict[ObjectKey, Object] = {}  # what the handler knows of objects that do not decode now

    def on_add(self, obj: Object, in_initial_list: bool) -> None:
        self._handler.on_add(decoded(obj, self._type), in_initial_list)

    def on_update(self, old: Object, new: Object) -> None:
        before = self._known(old)
        try:
            after = decoded(new, self._type)
        except ObjectDecodeError:
            if before is not None:
                self._last_fit.setdefault(new.key, old)
            raise
        self._last_fit.pop(new.key, None)
        if before is None:
            self._handler.on_add(after, in_initial_list=False)
        else:
            self._handler.on_update(before, after)

    def on_delete(self, deleted: Deleted) -> None:
        last = None if deleted.last is None else self._known(deleted.last)
        self._last_fit.pop(deleted.key, None)
        self._handler.on_delete(deleted.key, last)

    def _known(self, old: Object) -> T | None:
        """The last state that the handler has seen. That `old` does not decode was reported when it was new."""
        try:
            return decoded(self._last_fit.get(old.key, old), self._type)
        except ObjectDecodeError:
            return None
