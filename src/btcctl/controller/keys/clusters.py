"""The clusters that one program looks after: of each a client and the caches, in one place.

Each stands alone. One that is not reachable keeps its own caches from being filled, and nobody else's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from btcctl.clock import SYSTEM_CLOCK, Clock, ends_at
from btcctl.informers.clusters import ClusterInformer, unknown
from btcctl.informers.factory import SharedInformerFactory
from btcctl.informers.options import ReflectorOptions
from btcctl.informers.reflector.transform import Transform
from btcctl.informers.shared_informer import SharedInformer
from btcctl.objects import Object, ObjectKey
from btcctl.resources import ResourceType
from btcctl.rest.client import ApiClient
from btcctl.threads import Latch, stop_all
from btcctl.typed.kinds import TypedKind
from btcctl.typed.typed_object import TypedObject

T = TypeVar("T")
K = TypeVar("K", bound=TypedObject)


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster of a program.

    Attributes:
        name: As its keys have it; "" of a program that has but one.
        client: Reads and writes there. Keys of other clusters are refused.
        factory: Of the caches of what is there.
    """

    name: str
    client: ApiClient
    factory: SharedInformerFactory


class Clusters(Mapping[str, Cluster]):
    """Every cluster that is looked after, by name. Starts and stops their caches together, as a factory does.

        clusters = Clusters({"east": east, "west": west})
        cached = clusters.informer(Database).lister

        def reconcile(key: ObjectKey) -> Result:
            client = clusters.of(key).client
            ...

        Controller.for_(Database).build("databases", reconcile, clusters)

    Args:
        clients: Of each cluster; closed by whoever made them.
        home: Where the program keeps what is its own: its Lease, its webhooks. One of the clients, or of a further
            cluster that is not looked after; the first of the clients if None.
        namespace: As of `SharedInformerFactory`, like the rest; of every cluster.

    Attributes:
        home: That cluster.
        died: Set once a thread of one of the informers has ended before its time.

    Raises:
        ValueError: There is none, or one of several has no name.
    """

    def __init__(
        self,
        clients: Mapping[str, ApiClient],
        *,
        home: ApiClient | None = None,
        namespace: str | Iterable[str] = "",
        transform: Transform | None = None,
        resync_seconds: float = 0.0,
        streaming: bool = False,
        options: ReflectorOptions = ReflectorOptions(),
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if not clients or ("" in clients and len(clients) > 1):
            raise ValueError('each cluster needs a name: {"east": client, "west": another}')
        self._clock = clock
        self.died = Latch(clock)

        def cluster(name: str, client: ApiClient) -> Cluster:
            client = client if client.cluster == name else client.in_cluster(name)
            factory = SharedInformerFactory(
                client,
                namespace=namespace,
                transform=transform,
                resync_seconds=resync_seconds,
                streaming=streaming,
                options=options,
                clock=clock,
            )
            factory.died.on_set(self.died.set)
            return Cluster(name, client, factory)

        self._clusters = {name: cluster(name, each) for name, each in clients.items()}
        names = [name for name, each in clients.items() if home is None or each is home]
        self.home = self._clusters[names[0]] if names else cluster("", home or next(iter(clients.values())))

    def __getitem__(self, name: str) -> Cluster:
        return self._clusters[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._clusters)

    def __len__(self) -> int:
        return len(self._clusters)

    def of(self, key: ObjectKey | Object | TypedObject) -> Cluster:
        """The cluster that a key names, or in which an object was read.

        Raises:
            LookupError: It names none of these.
        """
        found = self._clusters.get(key.cluster)
        if found is not None:
            return found
        if key.cluster == self.home.name:
            return self.home
        raise LookupError(f"{unknown(key.cluster)}; there are: {', '.join(self)}")

    @overload
    def informer(
        self,
        type_: ResourceType,
        *,
        namespace: str | Iterable[str] | None = None,
        label_selector: str = "",
        field_selector: str = "",
    ) -> ClusterInformer[Object]: ...
    @overload
    def informer(
        self,
        type_: type[K],
        *,
        namespace: str | Iterable[str] | None = None,
        label_selector: str = "",
        field_selector: str = "",
    ) -> ClusterInformer[K]: ...
    @overload
    def informer(
        self,
        type_: TypedKind[T],
        *,
        namespace: str | Iterable[str] | None = None,
        label_selector: str = "",
        field_selector: str = "",
    ) -> ClusterInformer[T]: ...
    def informer(
        self,
        type_: ResourceType | type[Any] | TypedKind[Any],
        *,
        namespace: str | Iterable[str] | None = None,
        label_selector: str = "",
        field_selector: str = "",
    ) -> ClusterInformer[Any]:
        """The informers of a selection of objects, one in each cluster: those of its factory.

        Args:
            type_: As of `SharedInformerFactory.informer`, like the rest.
        """
        selection: dict[str, Any] = {"namespace": namespace, "label_selector": label_selector}
        return ClusterInformer(
            {
                name: each.factory.informer(type_, field_selector=field_selector, **selection)
                for name, each in self.items()
            }
        )

    @property
    def factories(self) -> list[SharedInformerFactory]:
        """Of each cluster that is looked after, and of the home."""
        found = [each.factory for each in self._clusters.values()]
        return found if self.home.factory in found else [self.home.factory, *found]

    @property
    def informers(self) -> list[SharedInformer]:
        """Every informer that was made and not forgotten, of all clusters."""
        return [informer for each in self.factories for informer in each.informers]

    def start(self) -> None:
        """Start what is not started yet; as of `SharedInformerFactory`."""
        for each in self.factories:
            each.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Stop every informer, all at once; none can be started afterwards. Idempotent.

        Args:
            timeout: Seconds to wait in all.

        Raises:
            TimeoutError: A handler is still busy.
            BaseException: What killed an informer's thread, if something did.
        """
        deadline = ends_at(self._clock, timeout)
        for informer in self.informers:
            informer.request_stop()
        stop_all(self.factories, deadline, self._clock)


def factories_of(caches: SharedInformerFactory | Clusters) -> list[SharedInformerFactory]:
    """Where the informers of a controller come from: of several clusters one for each that is looked after."""
    if isinstance(caches, SharedInformerFactory):
        return [caches]
    return [each.factory for each in caches.values()]
