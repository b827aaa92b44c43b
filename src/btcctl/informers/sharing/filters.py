"""Handlers that are notified of some objects, or of some changes, only."""

from __future__ import annotations

from collections.abc import Callable

from btcctl.informers.sharing.notifications import Deleted, EventHandler, check_handler
from btcctl.mistakes import check_plain
from btcctl.objects import Object


class FilteringHandler:
    """Tells `handler` of those objects only that `keep` is true for.

    An object that begins to pass is notified as added, one that no longer passes as deleted: then
    `last` is the state that passed.

    Args:
        keep: Must depend on nothing but the object. One it raises for does not pass, and counts as a
            failure of the handler.
    """

    def __init__(self, handler: EventHandler, keep: Callable[[Object], bool]) -> None:
        check_handler(handler)
        check_plain("a filter", keep, "obj")
        self._handler = handler
        self._keep = keep

    def on_add(self, obj: Object, in_initial_list: bool) -> None:
        """Hand on an object that passes."""
        if self._keep(obj):
            self._handler.on_add(obj, in_initial_list)

    def on_update(self, old: Object, new: Object) -> None:
        """Hand on an update, an addition or a deletion, by which of the two states passes."""
        passed = self._passed(old)
        try:
            passes = bool(self._keep(new))  # what it returns may raise, too
        except BaseException:
            self._no_longer(old, passed)
            raise
        if not passes:
            self._no_longer(old, passed)
        elif passed:
            self._handler.on_update(old, new)
        else:
            self._handler.on_add(new, False)

    def on_delete(self, deleted: Deleted) -> None:
        """Hand on the deletion of an object that passed."""
        if deleted.last is None or self._passed(deleted.last):
            self._handler.on_delete(deleted)

    def _no_longer(self, old: Object, passed: bool) -> None:
        if passed:
            self._handler.on_delete(Deleted(old.key, old, final_state_known=True))

    def _passed(self, old: Object) -> bool:
        """Whether the handler knows `old`; that `keep` raised for it has been counted before."""
        try:
            return bool(self._keep(old))
        except BaseException:
            return False


class PredicateHandler:
    """Notifies `handler` of those changes only that `wants` is true for.

    Args:
        wants: Given the object before and after: None before it was added, None after it was
            deleted. See `btcctl.controller.keys.predicates`. One that raises drops nothing, because the
            change that mends an object must not be lost; it counts as a failure of the handler.
    """

    def __init__(self, handler: EventHandler, wants: Callable[[Object | None, Object | None], bool]) -> None:
        check_handler(handler)
        check_plain("a predicate", wants, "old", "new")
        self._handler = handler
        self._wants = wants

    def on_add(self, obj: Object, in_initial_list: bool) -> None:
        """Hand on an addition that is wanted."""
        self._notify_if_wanted(None, obj, lambda: self._handler.on_add(obj, in_initial_list))

    def on_update(self, old: Object, new: Object) -> None:
        """Hand on an update that is wanted."""
        self._notify_if_wanted(old, new, lambda: self._handler.on_update(old, new))

    def on_delete(self, deleted: Deleted) -> None:
        """Hand on a deletion that is wanted, or of which nothing is known."""
        if deleted.last is None:
            self._handler.on_delete(deleted)
        else:
            self._notify_if_wanted(deleted.last, None, lambda: self._handler.on_delete(deleted))

    def _notify_if_wanted(self, old: Object | None, new: Object | None, notify: Callable[[], None]) -> None:
        try:
            is_wanted = bool(self._wants(old, new))  # what it returns may raise, too
        except BaseException:
            notify()
            raise
        if is_wanted:
            notify()
