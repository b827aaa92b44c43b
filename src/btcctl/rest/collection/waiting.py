"""To wait, in a thread that has nothing else to do, until one object is as one wants it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Protocol, TypeAlias

from btcctl.clock import Clock, check_seconds
from btcctl.deadline import pending_calls, time_left
from btcctl.errors import ApiError, DeadlineExceeded, Interrupted, TransportError, describe_error
from btcctl.mistakes import check_plain
from btcctl.objects import BOOKMARK, DELETED, ListPage, Object, ObjectKey
from btcctl.resources import ResourceType
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.watching.stream import WatchStream
from btcctl.threads import Latch, Runner, Stop

Condition: TypeAlias = Callable[[Object | None], bool]

# After a connection that broke, a server that cannot just now, or a watch that ended at once.
_RETRY_SECONDS = 1.0
_PASSING = frozenset({410, 429, 500, 502, 503, 504})


class Readable(Protocol):
    """What is read; `Resource` is one."""

    type: ResourceType

    def list_page(
        self, *, resource_version: str, limit: int, field_selector: str = "", breaker: Breaker | None = None
    ) -> ListPage:
        """See `Resource.list_page`."""

    def watch(self, *, resource_version: str, field_selector: str = "", breaker: Breaker | None = None) -> WatchStream:
        """See `Resource.watch`."""


def follow_until(
    resource: Readable, key: ObjectKey, condition: Condition, *, timeout: float, clock: Clock
) -> Object | None:
    """See `Resource.wait_until`; `resource` is the one collection that the key is in."""
    check_plain("a condition", condition, "obj")
    seconds = time_left(check_seconds("timeout", timeout))
    wait, breaker, ended = _Wait(resource, key, condition), Breaker(), Latch(clock)

    def end() -> None:
        ended.set()
        breaker.trip()

    def end_in_time(stop: Stop) -> None:
        if not stop.wait(seconds):
            end()

    calls = pending_calls()
    breakable = contextlib.nullcontext() if calls is None else calls.breakable(end)
    with Runner(f"wait-{key.name}", end_in_time, clock=clock), breakable:
        while not ended.is_set():
            try:
                if wait.follow(breaker):
                    return wait.seen
            except Interrupted:
                break
            except (ApiError, TransportError) as error:
                if isinstance(error, ApiError) and error.code not in _PASSING:
                    raise
                wait.trouble = describe_error(error)
            ended.wait(_RETRY_SECONDS)
    raise DeadlineExceeded(f"{resource.type} {key}: not as wanted within {seconds:g} s; {wait.last_sight()}")


class _Wait:
    """What is known of the object meanwhile."""

    def __init__(self, resource: Readable, key: ObjectKey, condition: Condition) -> None:
        self._resource = resource
        self._key = key
        self._selector = f"metadata.name={key.name}"
        self._condition = condition
        self._has_looked = False
        self.seen: Object | None = None
        self.trouble = ""  #: why it could not be looked at, the last time

    def follow(self, breaker: Breaker) -> bool:
        """Read the object and watch it until the watch ends; return whether it is as wanted."""
        page = self._resource.list_page(resource_version="", limit=0, field_selector=self._selector, breaker=breaker)
        name = self._key.name  # not every server heeds a selector of fields
        if self._is_wanted(next((each for each in page.items if each.name == name), None)):
            return True
        with self._resource.watch(
            resource_version=page.resource_version, field_selector=self._selector, breaker=breaker
        ) as events:
            for event in events:
                if event.type == BOOKMARK or event.object.name != name:
                    continue
                if self._is_wanted(None if event.type == DELETED else event.object):
                    return True
        return False

    def last_sight(self) -> str:
        if self.seen is not None:
            sight = f"last seen with resourceVersion {self.seen.resource_version}"
        else:
            sight = "there is none" if self._has_looked else "it was never seen"
        return f"{sight} ({self.trouble})" if self.trouble else sight

    def _is_wanted(self, obj: Object | None) -> bool:
        self.seen, self._has_looked, self.trouble = obj, True, ""
        return self._condition(obj)
