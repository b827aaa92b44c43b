"""To wait, in a thread that has nothing else to do, until one object is as one wants it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Protocol, TypeAlias

from btcctl.clock import Clock, check_seconds
from btcctl.deadline import limited_to, limiting_clock, pending_calls, time_left
from btcctl.errors import (
    ApiError,
    BtcctlError,
    DeadlineExceeded,
    DecodeError,
    Interrupted,
    ObjectDecodeError,
    TransportError,
    describe_error,
)
from btcctl.mistakes import check_plain
from btcctl.objects import BOOKMARK, DELETED, ListPage, Object, ObjectKey, WatchEvent
from btcctl.resources import ResourceType
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.watching.stream import WatchStream
from btcctl.threads import Latch, Runner, Stop

Condition: TypeAlias = Callable[[Object | None], bool]

# After a connection that broke, a server that cannot just now, or a watch that ended at once.
_RETRY_SECONDS = 1.0
_POLL_SECONDS = 2.0  # where the object can be read, and not watched
_PASSING = frozenset({410, 429, 500, 502, 503, 504})
_NO_WATCH = frozenset({401, 403, 404, 405})


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
    clock = limiting_clock(clock)
    wait, breaker, ended = _Wait(resource, key, condition), Breaker(), Latch(clock)

    def end() -> None:
        ended.set()
        breaker.trip()

    def end_in_time(stop: Stop) -> None:
        if not stop.wait(seconds):
            end()

    calls = pending_calls()
    breakable = contextlib.nullcontext() if calls is None else calls.breakable(end)
    with Runner(f"wait-{key.name}", end_in_time, clock=clock), breakable, limited_to(None, clock):  # `end` sees to it
        while not ended.is_set():
            try:
                if wait.follow(breaker):
                    return wait.seen
            except BtcctlError as error:
                if wait.is_raised_by_condition(error) or not wait.may_pass(error):
                    raise
                if isinstance(error, Interrupted):
                    break
                wait.trouble = describe_error(error)
            ended.wait(wait.pause)
    raise DeadlineExceeded(f"{resource.type} {key}: not as wanted within {seconds:g} s; {wait.last_sight()}")


class _Wait:
    """What is known of the object meanwhile."""

    def __init__(self, resource: Readable, key: ObjectKey, condition: Condition) -> None:
        self._resource = resource
        self._key = key
        self._selector = f"metadata.name={key.name}"
        self._condition = condition
        self._has_looked = False
        self._is_listed = False  # and a watch is the next
        self._raised: BaseException | None = None  # by the condition
        self.pause = _RETRY_SECONDS
        self.seen: Object | None = None
        self.trouble = ""  #: why it could not be looked at, the last time

    def follow(self, breaker: Breaker) -> bool:
        """Read the object and watch it until the watch ends; return whether it is as wanted."""
        self._is_listed = False
        page = self._resource.list_page(resource_version="", limit=0, field_selector=self._selector, breaker=breaker)
        name = self._key.name  # not every server heeds a selector of fields
        found = next((each for each in page.items if each.name == name), None)
        if found is None and page.unreadable:
            raise ObjectDecodeError(page.unreadable[0])  # it may be this one: not to be called gone
        if self._is_wanted(found):
            return True
        self._is_listed = True
        with self._resource.watch(
            resource_version=page.resource_version, field_selector=self._selector, breaker=breaker
        ) as events:
            self.pause = _RETRY_SECONDS
            for event in self._readable(events):
                if event.type == BOOKMARK or event.object.name != name:
                    continue
                if self._is_wanted(None if event.type == DELETED else event.object):
                    return True
        return False

    def is_raised_by_condition(self, error: BaseException) -> bool:
        """Whether it comes from the caller's condition, and so goes to the caller."""
        return error is self._raised

    def may_pass(self, error: BtcctlError) -> bool:
        """Whether it is worth another look: the server is away, or talks nonsense, or gives no watch."""
        if not isinstance(error, ApiError):
            return isinstance(error, TransportError | DecodeError)
        if self._is_listed and error.code in _NO_WATCH:
            self.pause = _POLL_SECONDS
            return True
        # Once we were let in, a 401 is the end of a token, of which there may be another soon.
        return error.code in _PASSING or (error.code == HTTPStatus.UNAUTHORIZED and self._has_looked)

    def _readable(self, events: WatchStream) -> Iterator[WatchEvent]:
        while True:
            try:
                event = next(events, None)
            except ObjectDecodeError as error:  # of this object or of another one: those that come after can be read
                self.trouble = describe_error(error)
                continue
            if event is None:
                return
            yield event

    def last_sight(self) -> str:
        if self.seen is not None:
            sight = f"last seen with resourceVersion {self.seen.resource_version}"
        else:
            sight = "there is none" if self._has_looked else "it was never seen"
        return f"{sight} ({self.trouble})" if self.trouble else sight

    def _is_wanted(self, obj: Object | None) -> bool:
        self.seen, self._has_looked, self.trouble = obj, True, ""
        try:
            return self._condition(obj)
        except BaseException as error:
            self._raised = error
            raise
