"""One informer per selection of objects, shared by all callers that ask for it.

Two caches of one selection change at different times: a handler that one notifies and that reads the other reads the
state before, and is not notified again. So a second one is never made unseen: a caller with another transform
is refused, and who really wants two gives them names.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any, TypeVar, overload

import msgspec

from btcctl import codecs
from btcctl.clock import SYSTEM_CLOCK, Clock, check_seconds, ends_at
from btcctl.errors import CacheSyncError
from btcctl.informers.options import ReflectorOptions
from btcctl.informers.reflector.transform import Transform
from btcctl.informers.selection import Client, Selection, asking_place, namespaces_of
from btcctl.informers.shared_informer import SharedInformer
from btcctl.informers.typed import TypedInformer, cache_of
from btcctl.mistakes import check_has, check_is
from btcctl.resources import ResourceType
from btcctl.threads import Latch, stop_all
from btcctl.typed.kinds import TypedKind, kind_of, type_of
from btcctl.typed.typed_object import TypedObject

T = TypeVar("T")
K = TypeVar("K", bound=TypedObject)


class _Cache(msgspec.Struct, frozen=True):
    """An informer of a factory, and how it came to be."""

    informer: SharedInformer
    transform: Transform | None
    asked_at: str  #: file:line

    def check_transform(self, wanted: Transform | None) -> None:
        if wanted is not None and wanted != self.transform:
            raise ValueError(
                f"{asking_place()} asks for a cache of {self.informer.name} with another transform than that which was "
                f"asked for at {self.asked_at}. Two caches of the same objects differ for moments: a handler "
                "of one that reads the other misses changes. Share one, or give the second a name of its own: name=…"
            )


class SharedInformerFactory:
    """Makes informers on demand, and starts and stops them together.

    Args:
        client: An ApiClient.
        namespace: Where informers look if they are not told: one namespace, several, or "" for all.
        transform: Of every informer that is not given another.
        resync_seconds: Of every informer, see `SharedInformer`.
        streaming: Let the server stream what exists (WatchList) instead of reading it in pages, where it
            knows how. Costs the server less and this side more.
        options: Deadlines and delays of every informer's lists and watches.
        clock: Of every informer.

    Attributes:
        cluster: Where it looks, in a program that looks after several.
        died: Set once a thread of one of the informers has ended before its time.
    """

    def __init__(
        self,
        client: Client,
        *,
        namespace: str | Iterable[str] = "",
        transform: Transform | None = None,
        resync_seconds: float = 0.0,
        streaming: bool = False,
        options: ReflectorOptions = ReflectorOptions(),
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        check_has("the client", client, "resource", "an ApiClient")
        check_is("options", options, ReflectorOptions, "ReflectorOptions(poll_seconds=…)")
        self._client = client
        self._namespaces = namespaces_of(namespace)
        self._transform = transform
        self._resync_seconds = check_seconds("resync_seconds", resync_seconds)
        self._streaming = streaming
        self._options = options
        self._clock = clock
        self.cluster = client.cluster
        self.died = Latch(clock)
        self._lock = threading.Lock()  # guards the three below
        self._caches: dict[tuple[Selection, str], _Cache] = {}  # by what is in them, and the name that was asked for
        self._started: list[SharedInformer] = []
        self._stopped = False

    @overload
    def informer(
        self,
        type_: ResourceType,
        *,
        namespace: str | Iterable[str] | None = None,
        label_selector: str = "",
        field_selector: str = "",
        transform: Transform | None = None,
        metadata_only: bool = False,
        name: str = "",
    ) -> SharedInformer: ...
    @overload
    def informer(
        self,
        type_: type[K],
        *,
        namespace: str | Iterable[str] | None = None,
        label_selector: str = "",
        field_selector: str = "",
        transform: Transform | None = None,
        name: str = "",
    ) -> TypedInformer[K]: ...
    @overload
    def informer(
        self,
        type_: TypedKind[T],
        *,
        namespace: str | Iterable[str] | None = None,
        label_selector: str = "",
        field_selector: str = "",
        transform: Transform | None = None,
        name: str = "",
    ) -> TypedInformer[T]: ...
    def informer(
        self,
        type_: ResourceType | type[Any] | TypedKind[Any],
        *,
        namespace: str | Iterable[str] | None = None,
        label_selector: str = "",
        field_selector: str = "",
        transform: Transform | None = None,
        metadata_only: bool = False,
        name: str = "",
    ) -> SharedInformer | TypedInformer[Any]:
        """The informer of a selection of objects: the same one on every call, until it is stopped or forgotten.

        One made after `start` runs only after another `start`.

        Args:
            type_: Of a class of objects, or a TypedKind: a view of the same informer, which hands out such values.
            namespace: One, several, or "" for all; None is the factory's.
            label_selector: Chooses objects on the server.
            field_selector: Likewise.
            transform: Done to each object before it is cached. With None, it is that of the informer that is there
                already, or else the factory's.
            metadata_only: Read nothing but `metadata`: `obj.body()` has nothing else.
            name: Of a cache of its own, beside the shared one, for all callers that give the same name; also its
                name in logs and metrics.

        Raises:
            ValueError: A cluster-scoped type got a namespace; a selector is none; there is an informer of that
                selection with another transform; or one of another selection has that name.
            RuntimeError: The factory is stopped.
        """
        kind = None if isinstance(type_, ResourceType) else kind_of(type_)
        type_ = type_ if isinstance(type_, ResourceType) else type_of(type_)
        namespaces = self._namespaces_for(type_, namespace)
        selection = Selection(type_, namespaces, label_selector, field_selector, metadata_only)
        informer = self._informer(selection, transform, name)
        return informer if kind is None else TypedInformer(informer, kind.model)

    def informer_for(
        self,
        struct: type[T],
        type_: ResourceType,
        *,
        namespace: str | Iterable[str] | None = None,
        label_selector: str = "",
        field_selector: str = "",
        name: str = "",
    ) -> TypedInformer[T]:
        """A view of the informer of a selection that hands out values of `struct`, for example a msgspec Struct.

        Args:
            namespace: As of `informer`, like the rest.

        Raises:
            TypeError: msgspec does not know how to decode to `struct`.
        """
        codecs.decoder_of(struct)
        informer = self.informer(
            type_, namespace=namespace, label_selector=label_selector, field_selector=field_selector, name=name
        )
        return TypedInformer(informer, struct)

    def forget(self, informer: SharedInformer | TypedInformer[Any], timeout: float = 10.0) -> None:
        """Stop an informer and let go of it and its cache; asking for its selection again makes another one.

        Args:
            informer: One of this factory's, or a view of one.
            timeout: Seconds to wait for its handlers.

        Raises:
            ValueError: It is none of this factory's.
            TimeoutError: A handler is still busy. It is forgotten nevertheless.
            BaseException: What killed one of its threads, if something did.
        """
        gone = cache_of(informer)
        with self._lock:
            caches = {key: each for key, each in self._caches.items() if each.informer is not gone}
            if len(caches) == len(self._caches) and gone not in self._started:
                raise ValueError(f"informer {gone.name} is none of this factory's, or is forgotten already")
            self._caches = caches
            self._started = [each for each in self._started if each is not gone]
        gone.stop(timeout)

    @property
    def informers(self) -> list[SharedInformer]:
        """Every informer that was made and not forgotten."""
        with self._lock:
            return self._all()

    def start(self) -> None:
        """Start what is not started yet. Call it again after asking for further informers.

        An informer that was stopped by itself stays stopped, and is no error, as in client-go.

        Raises:
            RuntimeError: The factory is stopped.
        """
        with self._lock:
            self._check_not_stopped()
            self._started = self._all()
            informers = self._started
        for informer in informers:
            informer.start_unless_stopped()

    def wait_for_sync(self, timeout: float) -> dict[str, str]:
        """Wait until every informer has synced, at most `timeout` seconds in all.

        Returns:
            Which have not, by name, and why: what was tried last, and what the server said; of one that was not
            started, that. So {} is success.
        """
        deadline = ends_at(self._clock, timeout)
        with self._lock:
            informers = [*self._started]
            idle = [each for each in self._all() if each not in informers and not each.is_stopped]
        unsynced = [each for each in informers if not each.wait_for_sync(max(0.0, deadline - self._clock.now()))]
        advice = "not started: call start() of its factory"
        return {**{each.name: each.why_unsynced() for each in unsynced}, **{each.name: advice for each in idle}}

    def require_sync(self, timeout: float) -> None:
        """Wait as `wait_for_sync` does, and fail if that was not enough.

        Raises:
            CacheSyncError: Names each informer that has not synced, and why.
        """
        unsynced = self.wait_for_sync(timeout)
        if unsynced:
            reasons = "; ".join(f"{name} ({reason})" for name, reason in unsynced.items())
            raise CacheSyncError(f"not synced within {timeout:g} s: {reasons}")

    def stop(self, timeout: float = 10.0) -> None:
        """Stop every informer; none can be had or started afterwards. Idempotent.

        Args:
            timeout: Seconds to wait in all.

        Raises:
            TimeoutError: A handler is still busy.
            BaseException: What killed an informer's thread, if something did.
        """
        deadline = ends_at(self._clock, timeout)
        with self._lock:
            self._stopped = True
            informers = self._all()
        for informer in informers:
            informer.request_stop()
        stop_all(informers, deadline, self._clock)

    def _namespaces_for(self, type_: ResourceType, namespace: str | Iterable[str] | None) -> tuple[str, ...]:
        if namespace is not None:
            namespaces = namespaces_of(namespace)
            if namespaces and not type_.namespaced:
                raise ValueError(f"{type_} is cluster-scoped: it has no namespace {', '.join(namespaces)}")
            return namespaces
        return self._namespaces if type_.namespaced else ()

    def _all(self) -> list[SharedInformer]:
        return [each.informer for each in self._caches.values()]

    def _informer(self, selection: Selection, transform: Transform | None, name: str) -> SharedInformer:
        with self._lock:
            self._check_not_stopped()
            cache = self._caches.get((selection, name))
            if cache is not None and cache.informer.is_stopped:
                del self._caches[selection, name]  # what it holds is not kept up to date any more
                cache = None
            if cache is None:
                transform = transform or self._transform
                cache = _Cache(self._made(selection, transform, name), transform, asking_place())
                self._caches[selection, name] = cache
            cache.check_transform(transform)
            return cache.informer

    def _check_not_stopped(self) -> None:
        if self._stopped:
            raise RuntimeError(
                "the informer factory is stopped: its caches are not kept up to date, and none can begin"
            )

    def _made(self, selection: Selection, transform: Transform | None, name: str) -> SharedInformer:
        informer = SharedInformer(
            selection.sources(self._client, streaming=self._streaming),
            name=self._name_for(selection, name),
            resync_seconds=self._resync_seconds,
            transform=transform,
            options=self._options,
            clock=self._clock,
            cluster=self.cluster,
        )
        informer.type = selection.type
        informer.died.on_set(self.died.set)
        return informer

    def _name_for(self, selection: Selection, name: str) -> str:
        """The resource; what is special about the selection only if there is another of the resource."""
        taken = {each.informer.name: each for each in self._caches.values()}
        place = f"{self.cluster}:" if self.cluster else ""
        if name:
            name = place + name
            if name in taken:
                raise ValueError(
                    f"{asking_place()} asks for another informer {name!r} than was asked for at {taken[name].asked_at}"
                )
            return name
        names = (
            str(selection.type),
            selection.describe(),
            *(f"{selection.type} #{n}" for n in range(2, len(taken) + 3)),
        )
        return next(place + name for name in names if place + name not in taken)
