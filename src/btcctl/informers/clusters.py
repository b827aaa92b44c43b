"""One selection of objects in several clusters: a cache for each, read together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from btcctl.informers.shared_informer import SharedInformer
from btcctl.informers.typed import TypedInformer, cache_of
from btcctl.objects import ObjectKey

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Many: TypeAlias = list[T]


class ReadsOne(Protocol[T_co]):
    """A cache, or several, of which one object is read: a Lister, a TypedLister, a ClusterLister."""

    def get(self, key: ObjectKey) -> T_co | None: ...


class _Reads(ReadsOne[T], Protocol[T]):
    def list(self, namespace: str = "", *, selector: str = "") -> Many[T]: ...

    def by_index(self, name: str, value: str) -> Many[T]: ...


class ClusterLister(Generic[T]):
    """Reads the caches of one selection in several clusters. Thread-safe. What it returns knows its cluster: `.key`."""

    def __init__(self, listers: Mapping[str, _Reads[T]]) -> None:
        self._listers = listers

    def get(self, key: ObjectKey) -> T | None:
        """The object of that key, or None.

        Raises:
            LookupError: The key names none of the clusters.
            ObjectDecodeError: It is there, and does not fit its type.
        """
        return self.of(key.cluster).get(key)

    def of(self, cluster: str) -> _Reads[T]:
        """What reads the cache of one cluster.

        Raises:
            LookupError: There is no such cluster.
        """
        found = self._listers.get(cluster)
        if found is None:
            raise LookupError(f"{unknown(cluster)}; there are: {', '.join(self._listers)}")
        return found

    def list(self, namespace: str = "", *, selector: str = "") -> Many[T]:
        """The objects of all clusters; otherwise as of `Lister`."""
        return [obj for each in self._listers.values() for obj in each.list(namespace, selector=selector)]

    def by_index(self, name: str, value: str) -> Many[T]:
        """Likewise."""
        return [obj for each in self._listers.values() for obj in each.by_index(name, value)]


class ClusterInformer(Generic[T]):
    """The informers of one selection in several clusters, by the names of these.

    Attributes:
        lister: Reads them.
    """

    def __init__(self, informers: Mapping[str, SharedInformer | TypedInformer[Any]]) -> None:
        self._informers = informers
        listers: dict[str, Any] = {name: each.lister for name, each in informers.items()}
        self.lister: ClusterLister[T] = ClusterLister(listers)

    def __iter__(self) -> Iterator[SharedInformer]:
        return (cache_of(each) for each in self._informers.values())

    def add_index(self, name: str, index: Callable[[T], Iterable[str]]) -> None:
        """As of `SharedInformer`, in each cluster."""
        each: Any  # a view decodes for the index, a plain informer has Objects
        for each in self._informers.values():
            each.add_index(name, index)


def unknown(cluster: str) -> str:
    """For an error: a key names no cluster that there is."""
    return (
        f"there is no cluster {cluster}" if cluster else "the key does not say which cluster: ObjectKey(…, cluster=…)"
    )
