"""A collection as an informer wants it: list, watch, and one way to break off either."""

from __future__ import annotations

from typing import Protocol

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.objects import ListPage
from btcctl.rest.limits import ReadLimits
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.watching.stream import WatchStream
from btcctl.threads import Stop


class Collection(Protocol):
    """What is read; `Resource` is one."""

    def list_page(
        self,
        *,
        resource_version: str,
        limit: int,
        continue_token: str = "",
        label_selector: str = "",
        field_selector: str = "",
        limits: ReadLimits = ...,
        breaker: Breaker | None = None,
        stop: Stop | None = None,
    ) -> ListPage:
        """See `Resource.list_page`."""

    def watch(
        self,
        *,
        resource_version: str,
        label_selector: str = "",
        field_selector: str = "",
        timeout_seconds: int | None = None,
        bookmarks: bool = True,
        initial_events: bool = False,
        limits: ReadLimits = ...,
        breaker: Breaker | None = None,
    ) -> WatchStream:
        """See `Resource.watch`."""


class ResourceListerWatcher:
    """Lists and watches one collection for one reader, one call after the other.

    Args:
        limits: How long it waits for the server.
        clock: What waits that the server asks for are measured with.
    """

    def __init__(
        self,
        resource: Collection,
        *,
        label_selector: str = "",
        field_selector: str = "",
        limits: ReadLimits = ReadLimits(),
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._resource = resource
        self._label_selector = label_selector
        self._field_selector = field_selector
        self._limits = limits
        self._breaker = Breaker()
        self._stop = Stop(clock)

    def list_page(self, *, resource_version: str, limit: int, continue_token: str) -> ListPage:
        """Read one page; see `Resource.list_page`."""
        return self._resource.list_page(
            resource_version=resource_version,
            limit=limit,
            continue_token=continue_token,
            limits=self._limits,
            breaker=self._breaker,
            stop=self._stop,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
        )

    def watch(self, *, resource_version: str, timeout_seconds: int) -> WatchStream:
        """Follow changes; see `Resource.watch`."""
        return self._watch(resource_version, timeout_seconds, initial_events=False)

    def interrupt(self) -> None:
        """Break off the call in flight and every later one, with Interrupted. From any thread."""
        self._breaker.trip()
        self._stop.set()

    def _watch(self, resource_version: str, timeout_seconds: int, *, initial_events: bool) -> WatchStream:
        return self._resource.watch(
            resource_version=resource_version,
            timeout_seconds=timeout_seconds,
            initial_events=initial_events,
            limits=self._limits,
            breaker=self._breaker,
            label_selector=self._label_selector,
            field_selector=self._field_selector,
        )


class StreamingListerWatcher(ResourceListerWatcher):
    """One that can also read what exists as the beginning of a watch."""

    def watch_list(self, *, resource_version: str, timeout_seconds: int) -> WatchStream:
        """All objects, a BOOKMARK that ends them, then changes; see `Resource.watch`."""
        return self._watch(resource_version, timeout_seconds, initial_events=True)
