"""One informer per selection of objects, shared by whoever asks for it."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import ExitStack
from typing import TypeVar

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import CacheSyncError
from btcctl.informers.options import ReflectorOptions
from btcctl.informers.selection import Client, Selection, namespaces_of
from btcctl.informers.shared_informer import SharedInformer
from btcctl.informers.transform import Transform
from btcctl.informers.typed import TypedInformer
from btcctl.resources import ResourceType
from btcctl.threads import Latch

T = TypeVar("T")


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
        self._client = client
        self._namespaces = namespaces_of(namespace)
        self._transform = transform
        self._resync_seconds = resync_seconds
        self._streaming = streaming
        self._options = options
        self._clock = clock
        self.died = Latch(clock)
        self._lock = threading.Lock()  # guards the three below
        self._informers: dict[Selection, SharedInformer] = {}
        self._started: list[SharedInformer] = []
        self._stopped = False

    def informer(
        self,
        type_: ResourceType,
        *,
        namespace: str | Iterable[str] | None = None,
        label_selector: str = "",
        field_selector: str = "",
        transform: Transform | None = None,
        metadata_only: bool = False,
    ) -> SharedInformer:
        """The informer of a selection of objects: the same object on every call.

        One made after `start` runs only after another `start`.

        Args:
            namespace: One, several, or "" for all; None is the factory's.
            label_selector: Chooses objects on the server.
            field_selector: Likewise.
            transform: Done to each object before it is cached; None is the factory's.
            metadata_only: Read nothing but `metadata`: `obj.body()` has nothing else.

        Raises:
            ValueError: A cluster-scoped type got a namespace.
        """
        namespaces = self._namespaces_for(type_, namespace)
        transform = transform or self._transform
        return self._informer(Selection(type_, namespaces, label_selector, field_selector, metadata_only, transform))

    def informer_for(
        self,
        struct: type[T],
        type_: ResourceType,
        *,
        namespace: str | Iterable[str] | None = None,
        label_selector: str = "",
        field_selector: str = "",
    ) -> TypedInformer[T]:
        """An informer that hands out `struct`s, for example of msgspec. Objects that do not decode are quarantined.

        Args:
            namespace: As of `informer`, like the rest.
        """
        namespaces = self._namespaces_for(type_, namespace)
        selection = Selection(
            type_, namespaces, label_selector, field_selector, transform=self._transform, struct=struct
        )
        return TypedInformer(self._informer(selection), struct)

    @property
    def informers(self) -> list[SharedInformer]:
        """Every informer made so far."""
        with self._lock:
            return [*self._informers.values()]

    def start(self) -> None:
        """Start what is not started yet. Call it again after asking for further informers.

        An informer that somebody has stopped alone stays stopped, and is no error, as in client-go.

        Raises:
            RuntimeError: The factory is stopped.
        """
        with self._lock:
            if self._stopped:
                raise RuntimeError("the informer factory is stopped")
            self._started = [*self._informers.values()]
            informers = self._started
        for informer in informers:
            informer.start_unless_stopped()

    def wait_for_sync(self, timeout: float) -> dict[str, str]:
        """Wait until every started informer has synced, at most `timeout` seconds in all.

        Returns:
            Which have not, by name, and why: what was tried last, and what the server said. So {} is success.
        """
        deadline = self._clock.now() + timeout
        with self._lock:
            informers = [*self._started]
        unsynced = [each for each in informers if not each.wait_for_sync(max(0.0, deadline - self._clock.now()))]
        return {each.name: each.why_unsynced() for each in unsynced}

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
        """Stop every informer; none can be started afterwards. Idempotent.

        Args:
            timeout: Seconds to wait in all.

        Raises:
            TimeoutError: A handler is still busy.
            BaseException: What killed an informer's thread, if something did.
        """
        with self._lock:
            self._stopped = True
            informers = [*self._informers.values()]
        for informer in informers:
            informer.request_stop()
        deadline = self._clock.now() + timeout
        with ExitStack() as stack:  # one that fails does not keep the others from being stopped
            for informer in informers:
                stack.callback(self._stop_by, deadline, informer)

    def _namespaces_for(self, type_: ResourceType, namespace: str | Iterable[str] | None) -> tuple[str, ...]:
        if namespace is not None:
            namespaces = namespaces_of(namespace)
            if namespaces and not type_.namespaced:
                raise ValueError(f"{type_} is cluster-scoped: it has no namespace {', '.join(namespaces)}")
            return namespaces
        return self._namespaces if type_.namespaced else ()

    def _informer(self, selection: Selection) -> SharedInformer:
        with self._lock:
            if selection not in self._informers:
                self._informers[selection] = self._made(selection)
            return self._informers[selection]

    def _made(self, selection: Selection) -> SharedInformer:
        informer = SharedInformer(
            selection.sources(self._client, streaming=self._streaming),
            name=self._name_for(selection),
            resync_seconds=self._resync_seconds,
            transform=selection.whole_transform(),
            options=self._options,
            clock=self._clock,
        )
        informer.died.on_set(self.died.set)
        return informer

    def _name_for(self, selection: Selection) -> str:
        """The resource; what is special about the selection only if there is another of the resource."""
        taken = {each.name for each in self._informers.values()}
        names = (
            str(selection.type),
            selection.describe(),
            *(f"{selection.type} #{n}" for n in range(2, len(taken) + 3)),
        )
        return next(name for name in names if name not in taken)

    def _stop_by(self, deadline: float, informer: SharedInformer) -> None:
        informer.stop(max(0.0, deadline - self._clock.now()))
