"""Reads a cache."""

from __future__ import annotations

from typing import Any

from btcctl.informers.cache.indexer import NAMESPACE_INDEX, Indexer, Keys, Objects, namespace_of
from btcctl.informers.cache.selectors import parse_selector
from btcctl.mistakes import check_is
from btcctl.objects import Object, ObjectKey


class Lister:
    """A read-only view of an informer's cache. Thread-safe; what it returns is the caller's.

    Each call sees one consistent state, which may be older than the server's, and may change
    before the next call.

    Args:
        indexer: What it reads.
        cluster: Where that is, in a program that looks after several.
    """

    def __init__(self, indexer: Indexer, cluster: str = "") -> None:
        self._indexer = indexer
        self._cluster = cluster

    def get(self, key: ObjectKey) -> Object | None:
        """The object of that key, or None.

        Raises:
            ValueError: The key is of another cluster, of which nothing is known here.
            TypeError: It is no key.
        """
        given: Any = key  # by programs that no type checker has seen
        if not isinstance(given, ObjectKey):
            raise TypeError(f"a key is an ObjectKey(namespace, name), not of type {type(given).__name__}")
        return self._indexer.get(key if key.cluster == self._cluster else key.within(self._cluster))

    def list(self, namespace: str = "", *, selector: str = "") -> Objects:
        """The objects of one namespace, or with "" of all of them.

        Args:
            selector: A label selector, as the API server reads it; "" selects all. It decodes the labels
                of each object; where that is too slow, add an index.

        Raises:
            ValueError: `selector` is none.
        """
        check_is("the namespace", namespace, str, 'a text, "" for all')
        selects = parse_selector(selector)
        if not namespace:
            objects = self._indexer.list()
        else:
            # Made when first asked for: most informers are never listed by namespace.
            self._indexer.add_index(NAMESPACE_INDEX, namespace_of)
            objects = self._indexer.by_index(NAMESPACE_INDEX, namespace)
        return [obj for obj in objects if selects(obj.labels)] if selector else objects

    def by_index(self, name: str, value: str) -> Objects:
        """The objects that the index `name` finds under `value`.

        Raises:
            KeyError: There is no such index.
            TypeError: Its function has returned something else than several values for an object; names it.
        """
        return self._indexer.by_index(name, value)

    def keys(self) -> Keys:
        """Of all objects in the cache; a snapshot."""
        return self._indexer.keys()

    def __len__(self) -> int:
        return len(self._indexer)
