"""What handlers are notified of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeAlias

import msgspec

from btcctl.mistakes import check_plain
from btcctl.objects import Object, ObjectKey


class Added(NamedTuple):
    """An object that is new to the handler."""

    new: Object
    in_initial_list: bool  #: it was there before the handler was


class Updated(NamedTuple):
    """An object has changed since the handler's last notification of it, or is repeated (resync)."""

    old: Object
    new: Object


class Deleted(msgspec.Struct, frozen=True):
    """An object is gone, or no longer selected."""

    key: ObjectKey
    last: Object | None  #: the last state known
    final_state_known: bool  #: False: we missed the deletion itself, `last` may be older


Notification: TypeAlias = Added | Updated | Deleted


#: Is shown every change in the thread that makes it, right after the cache has it: must be quick, and must not raise.
Witness: TypeAlias = Callable[[Sequence[tuple[ObjectKey, Notification]]], None]


class EventHandler(Protocol):
    """Is notified of every object of an informer, one call at a time, in a thread of its own.

    What happens to an object while a handler is busy becomes one call: the state the
    handler last saw, and the newest. An object that was deleted and made again under the same
    name is notified as deleted and added.
    """

    def on_add(self, obj: Object, in_initial_list: bool, /) -> None: ...

    def on_update(self, old: Object, new: Object, /) -> None: ...

    def on_delete(self, deleted: Deleted, /) -> None: ...


_METHODS: dict[str, Sequence[str]] = {
    "on_add": ("obj", "in_initial_list"),
    "on_update": ("old", "new"),
    "on_delete": (),
}


def _ignore(*_: object) -> None:
    pass


class HandlerFuncs:
    """An EventHandler made of functions; what is None is ignored."""

    def __init__(
        self,
        on_add: Callable[[Object, bool], None] | None = None,
        on_update: Callable[[Object, Object], None] | None = None,
        on_delete: Callable[[Deleted], None] | None = None,
    ) -> None:
        self.on_add: Callable[[Object, bool], None] = on_add or _ignore
        self.on_update: Callable[[Object, Object], None] = on_update or _ignore
        self.on_delete: Callable[[Deleted], None] = on_delete or _ignore


def notify(handler: EventHandler, notification: Notification) -> None:
    """Call the method of `handler` that is for this notification."""
    if isinstance(notification, Updated):
        handler.on_update(notification.old, notification.new)
    elif isinstance(notification, Added):
        handler.on_add(notification.new, notification.in_initial_list)
    else:
        handler.on_delete(notification)


def check_handler(handler: object, deleted: Sequence[str] = ("deleted",)) -> None:
    """Raise TypeError, in words for its author, if it is no EventHandler.

    Args:
        deleted: What its `on_delete` is called with.
    """
    is_instance = not isinstance(handler, type)
    if not is_instance or not all(callable(getattr(handler, each, None)) for each in _METHODS):
        what = "an object of it" if not is_instance else "HandlerFuncs(on_add=…) of functions"
        raise TypeError(f"a handler has the methods {', '.join(_METHODS)}; {handler!r} is none: pass {what}")
    for each, arguments in {**_METHODS, "on_delete": deleted}.items():
        check_plain(f"{each} of a handler", getattr(handler, each), *arguments)
