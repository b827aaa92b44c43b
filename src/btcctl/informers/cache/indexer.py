"""The objects of a collection, and named indices over them. Thread-safe."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple, TypeAlias

from btcctl.errors import type_name
from btcctl.informers.cache.delta_fifo import ALL
from btcctl.logging import get_logger
from btcctl.mistakes import check_plain
from btcctl.objects import Object, ObjectKey

logger = get_logger(__name__)

#: Values under which an object is found. Must depend on nothing but the object.
IndexFunc: TypeAlias = Callable[[Object], Iterable[str]]
Values: TypeAlias = tuple[str, ...]
Objects: TypeAlias = list[Object]
Keys: TypeAlias = list[ObjectKey]
_PLAIN = frozenset({str, int, float, bool, bytes, type(None)})

NAMESPACE_INDEX = "(namespace)"  # in brackets, so that it meets no index of a user
_LOGGED_PER_INDEX = 10


def namespace_of(obj: Object) -> Values:
    """The index function of NAMESPACE_INDEX."""
    return (obj.namespace,)


class IndexMistake(TypeError):
    """An index function has returned something else than several values, so that objects are missing from it."""


class _Failure(NamedTuple):
    """What an index function has raised: of whatever type, so nothing is asked of it."""

    error: BaseException


def _plain(value: Any) -> Any:
    """A value that is looked for and compared under the indexer's lock, where nothing foreign is called."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if type(value) is tuple:
        return tuple(map(_plain, value))
    raise TypeError(f"what an index finds objects under is text, and not of type {type_name(value)}")


_Known: TypeAlias = dict[ObjectKey, tuple[Object, Values | _Failure]]


class _Index:
    """One index: which keys are found under which value. Changed only under the indexer's lock."""

    def __init__(self, name: str, function: IndexFunc) -> None:
        if not callable(function):
            raise TypeError(f"index {name!r} is made by a function of an object, not by {function!r}")
        check_plain(f"the function of index {name!r}", function, "obj")
        self.name = name
        self.function = function
        self.mistake: IndexMistake | None = None  #: the last one; then what the index finds may lack objects
        self.quarantined: set[ObjectKey] = set()  #: whose function raised: found under no value
        self.keys: dict[str, dict[ObjectKey, None]] = {}
        self._values: dict[ObjectKey, Values] = {}

    def values_of(self, obj: Object) -> Values | _Failure:
        """Call the index function; an error is a result, too. Call it without a lock."""
        try:
            values = self.function(obj)
            if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
                return _Failure(self._mistake(values))
            return tuple(dict.fromkeys(map(_plain, values)))
        except BaseException as error:  # asyncio's CancelledError, SystemExit: none may end who changes the cache
            return _Failure(error)

    def put(self, key: ObjectKey, values: Values | _Failure) -> None:
        if isinstance(values, _Failure):
            if type(values.error) is IndexMistake:
                self.mistake = values.error
            self.quarantined.add(key)
            values = ()
        elif self.quarantined:
            self.quarantined.discard(key)
        old = self._values.get(key, ())
        if values != old:
            self._remove(key, old)
            self._insert(key, values)

    def _mistake(self, values: object) -> IndexMistake:
        """Names the function, and not the value, which comes out of an object."""
        function = getattr(self.function, "__qualname__", repr(self.function))
        if (code := getattr(self.function, "__code__", None)) is not None:
            function += f" ({code.co_filename}:{code.co_firstlineno})"
        return IndexMistake(
            f"index {self.name!r}: {function} has returned a {type(values).__name__}, "
            "not several values: [value] for one, [] for none"
        )

    def delete(self, key: ObjectKey) -> None:
        self.quarantined.discard(key)
        self._remove(key, self._values.get(key, ()))

    def _insert(self, key: ObjectKey, values: Values) -> None:
        if values:
            self._values[key] = values
        for value in values:
            self.keys.setdefault(value, {})[key] = None

    def _remove(self, key: ObjectKey, values: Values) -> None:
        self._values.pop(key, None)
        for value in values:
            keys = self.keys[value]
            del keys[key]
            if not keys:
                del self.keys[value]


class Indexer:
    """A store of objects by key, with indices that are kept up to date.

    One thread changes what is stored, any may read and add indices. Index functions are called
    without the lock, once per change. An object for which one raises is stored, but not found by
    that index until it changes.

    Args:
        name: Names the collection in logs.
        indexers: Indices to begin with.
    """

    def __init__(self, name: str, indexers: Mapping[str, IndexFunc] | None = None) -> None:
        self._name = name
        self._lock = threading.Lock()  # guards everything below
        self._objects: dict[ObjectKey, Object] = {}
        # Never changed in place, so that it can be read, and compared, without the lock.
        self._indices: dict[str, _Index] = {}
        for index, function in (indexers or {}).items():
            self.add_index(index, function)

    def put(self, obj: Object, key: ObjectKey | None = None) -> Object | None:
        """Store `obj`; return what it replaces. A caller that has its key at hand spares us making it again."""
        if key is None:
            key = obj.key
        while True:
            indices = self._indices
            values = self._values_of(obj, indices) if indices else {}
            with self._lock:
                if indices is self._indices:
                    old = self._objects.get(key)
                    self._objects[key] = obj
                    for name, index in indices.items():
                        index.put(key, values[name])
                    return old

    def delete(self, key: ObjectKey) -> Object | None:
        """Remove and return an object; None if there is none."""
        with self._lock:
            old = self._objects.pop(key, None)
            if old is not None:
                for index in self._indices.values():
                    index.delete(key)
            return old

    def replace(
        self, objects: dict[ObjectKey, Object], scope: str = ALL, *, keep: AbstractSet[ObjectKey] = frozenset()
    ) -> dict[ObjectKey, Object]:
        """Make `objects`, which becomes ours, all there is in `scope`, in one step; return what was there.

        Only one thread may change what is stored: this calls the index functions before it swaps.

        Args:
            scope: A namespace; ALL is everything.
            keep: What stays, if it is there, although it is not in `objects`.
        """
        before = self._objects
        old = before if scope == ALL else {key: obj for key, obj in before.items() if key.namespace == scope}
        if scope != ALL:
            objects = {key: obj for key, obj in before.items() if key.namespace != scope} | objects
        objects |= {key: before[key] for key in keep if key in before}
        while True:
            indices = self._indices
            fresh = {name: _Index(name, index.function) for name, index in indices.items()}
            for key, obj in objects.items() if indices else ():
                for name, values in self._values_of(obj, indices).items():
                    fresh[name].put(key, values)
            with self._lock:
                if indices is self._indices:
                    self._objects, self._indices = objects, fresh
                    return old

    def add_index(self, name: str, function: IndexFunc) -> None:
        """Index by `function` what is stored, and what will be. Adding the same again does nothing.

        Raises:
            IndexMistake: `function` returns no collection for an object that is stored.
            ValueError: Another index has that name.
        """
        known: _Known = {}
        index = _Index(name, function)
        while True:
            with self._lock:
                existing = self._indices.get(name)
                if existing is not None and existing.function != function:  # a method is another object each time
                    raise ValueError(f"informer {self._name} has another index {name!r}")
                missing = () if existing else self._not_in(known)
                if not missing:
                    if existing is None:
                        self._install(index, known)
                    return
            for key, obj in missing:
                known[key] = obj, (values := self._value_of(obj, index))
                if isinstance(values, _Failure) and type(values.error) is IndexMistake:
                    raise values.error

    def get(self, key: ObjectKey) -> Object | None:
        with self._lock:
            return self._objects.get(key)

    def list(self) -> Objects:
        with self._lock:
            return [*self._objects.values()]

    def keys(self) -> Keys:
        with self._lock:
            return [*self._objects]

    def by_index(self, name: str, value: str) -> Objects:
        """The objects found under `value`.

        Raises:
            KeyError: There is no index of that name.
            IndexMistake: Its function has returned no collection for an object, which may be missing here.
        """
        with self._lock:
            return [self._objects[key] for key in self._index(name).keys.get(value, ())]

    def index_values(self, name: str) -> tuple[str, ...]:
        """Every value under which at least one object is found; raises as `by_index`."""
        with self._lock:
            return tuple(self._index(name).keys)

    def quarantined(self) -> int:
        """How many objects are missing from an index, counted once per index."""
        with self._lock:
            return sum(len(index.quarantined) for index in self._indices.values())

    def __len__(self) -> int:
        with self._lock:
            return len(self._objects)

    def _index(self, name: str) -> _Index:
        index = self._indices.get(name)
        if index is None:
            raise KeyError(f"informer {self._name} has no index {name!r}, only {sorted(self._indices)}")
        if index.mistake is not None:
            raise IndexMistake(str(index.mistake))  # a new one: many threads may raise it
        return index

    def _values_of(self, obj: Object, indices: Mapping[str, _Index]) -> dict[str, Values | _Failure]:
        return {name: self._value_of(obj, index) for name, index in indices.items()}

    def _value_of(self, obj: Object, index: _Index) -> Values | _Failure:
        values = index.values_of(obj)
        if isinstance(values, _Failure) and self._is_news(index, obj.key):
            key, error = str(obj.key), values.error
            logger.error("object not indexed", informer=self._name, index=index.name, key=key, exc_info=error)
        return values

    def _is_news(self, index: _Index, key: ObjectKey) -> bool:
        with self._lock:
            current = self._indices.get(index.name, index).quarantined
            return key not in current and len(current) < _LOGGED_PER_INDEX

    def _not_in(self, known: _Known) -> tuple[tuple[ObjectKey, Object], ...]:
        """What is stored and not, as it is now, in `known`."""
        unknown = (None, ())
        return tuple((key, obj) for key, obj in self._objects.items() if known.get(key, unknown)[0] is not obj)

    def _install(self, index: _Index, known: _Known) -> None:
        for key in self._objects:
            index.put(key, known[key][1])
        self._indices = {**self._indices, index.name: index}
