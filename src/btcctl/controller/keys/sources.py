"""Where a controller's keys come from: informers, watched through a mapping.

After this module it is no longer known what happened to an object, only which object to look at.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence

from btcctl.clock import SYSTEM_CLOCK, Clock, ends_at
from btcctl.controller.keys.handlers import KeysOf, map_to_keys, own_key
from btcctl.controller.keys.predicates import Predicate
from btcctl.errors import CacheSyncError, describe_error
from btcctl.informers.shared_informer import SharedInformer
from btcctl.informers.sharing.notifications import Deleted, Witness
from btcctl.logging import get_logger
from btcctl.mistakes import check_plain
from btcctl.objects import Object, ObjectKey
from btcctl.threads import Stop

logger = get_logger(__name__)

_REPORT_SECONDS = 1.0  # between two looks at whether the cause has changed


def check_mapping(keys_of: object, predicate: object) -> None:
    """Raise TypeError, in words for their author, if they are no mapping of objects to keys, and no predicate."""
    if not callable(keys_of) or not (predicate is None or callable(predicate)):
        raise TypeError("a mapping is a function from an object to keys, a predicate one of its old and its new state")
    check_plain("a mapping", keys_of, "obj")
    if predicate is not None:
        check_plain("a predicate", predicate, "old", "new")


class KeyHandler:
    """An informer's handler that passes on the keys concerned.

    Mapping and predicate are foreign code. What they raise is raised, for the listener to count and log, but only
    after every key that is known has been passed on; and the change that mends a malformed object must not be lost
    because they raise for its old state. So

        a predicate that raises drops nothing;
        of a mapping that raises, what it has named before counts;
        and as long as it raises for an object, the keys of that object's last good state are kept: they are
        concerned by its next change, and by its deletion.

    Args:
        add: Takes each key.
        add_background: Takes the keys of objects to which nothing has happened: of an initial
            list, of a resync.
        keys_of: Maps an object to keys. An update is mapped before and after, because an
            object may have changed hands.
        predicate: Drops the changes for which it is false.
        note: Told of each key, and of the object it comes from, before it is added.
    """

    def __init__(
        self,
        add: Callable[[ObjectKey], None],
        keys_of: KeysOf,
        predicate: Predicate | None,
        *,
        add_background: Callable[[ObjectKey], None] | None = None,
        note: Callable[[ObjectKey, Object | None], None] = lambda _key, _obj: None,
    ) -> None:
        check_mapping(keys_of, predicate)
        self._note = note
        self.adding: Callable[[ObjectKey], None] | None = None  #: told of each key right before it is added
        self._add = add
        self._add_background = add_background or add
        self._keys_of = keys_of
        self._predicate = predicate
        self._last_good: dict[ObjectKey, list[ObjectKey]] = {}  # of objects for which the mapping raises

    def go_through(self, behind: Callable[[Callable[[ObjectKey], None]], Callable[[ObjectKey], None]]) -> None:
        """Have keys pass what `behind` makes of where they go. Before the first one."""
        self._add, self._add_background = behind(self._add), behind(self._add_background)

    def on_add(self, obj: Object, in_initial_list: bool) -> None:
        add = self._add_background if in_initial_list else self._add
        is_wanted, failure = self._judge(None, obj)
        if not is_wanted:
            return
        if self._keys_of is own_key:
            self._pass_on([obj.key], add, obj, failure)
            return
        keys, failed = self._keys_after(obj, [])
        self._pass_on(keys, add, obj, failure or failed)

    def on_update(self, old: Object, new: Object) -> None:
        is_wanted, failure = self._judge(old, new)
        if not is_wanted:
            return
        has_changed = old.resource_version != new.resource_version or not new.resource_version
        add = self._add if has_changed else self._add_background
        if self._keys_of is own_key:
            self._pass_on([new.key], add, new, failure)
            return
        before = self._keys_before(old)
        after, failed = self._keys_after(new, before)
        self._pass_on(dict.fromkeys([*before, *after]), add, new, failure or failed)

    def on_delete(self, deleted: Deleted) -> None:
        key, last = deleted.key, deleted.last
        if last is not None:
            is_wanted, failure = self._judge(last, None)
            keys = self._keys_before(last)
            self._last_good.pop(key, None)
            if is_wanted:
                self._pass_on(keys, self._add, last, failure)
        elif self._keys_of is own_key:
            self._pass_on([key], self._add, None, None)
        else:
            logger.debug("a deleted object cannot be mapped: its last state is unknown", deleted=str(key))

    def _judge(self, old: Object | None, new: Object | None) -> tuple[bool, BaseException | None]:
        """Whether the change is wanted, and what the predicate raised."""
        if self._predicate is None:
            return True, None
        try:
            return bool(self._predicate(old, new)), None
        except BaseException as error:
            return True, error

    def _keys_before(self, old: Object) -> list[ObjectKey]:
        """That the mapping raises for `old` was reported when `old` was new."""
        keys, failure = map_to_keys(self._keys_of, old)
        if failure is None:
            return keys
        logger.debug("a former state cannot be mapped", object=str(old.key), error=describe_error(failure))
        return [*keys, *self._last_good.get(old.key, ())]

    def _keys_after(self, new: Object, before: list[ObjectKey]) -> tuple[list[ObjectKey], BaseException | None]:
        keys, failure = map_to_keys(self._keys_of, new)
        if failure is not None:
            self._last_good[new.key] = before
        elif self._last_good:
            self._last_good.pop(new.key, None)
        return keys, failure

    def _pass_on(
        self,
        keys: Iterable[ObjectKey],
        add: Callable[[ObjectKey], None],
        obj: Object | None,
        failure: BaseException | None,
    ) -> None:
        for key in keys:
            self._note(key, obj)
            if self.adding is not None:
                self.adding(key)
            add(key)
        if failure is not None:
            raise failure


class Source:
    """One watched informer.

    Args:
        informer: What is watched.
        handler: Turns it into keys.
        witness: See `SharedInformer.add_handler`.
    """

    def __init__(self, informer: SharedInformer, handler: KeyHandler, witness: Witness | None = None) -> None:
        self._informer = informer
        self.cluster = informer.cluster
        self.handler = handler
        self._registration = informer.add_handler(handler, witness=witness)

    @property
    def name(self) -> str:
        return self._informer.name

    def has_synced(self) -> bool:
        """Whether the whole initial list has become keys."""
        return self._registration.has_synced()

    def wait_for_sync(self, timeout: float) -> bool:
        """Wait until `has_synced`, at most `timeout` seconds, or until closed; return `has_synced`."""
        return self._registration.wait_for_sync(timeout)

    def why_unsynced(self) -> str:
        """What the informer tried last, and what came of it."""
        return self._informer.why_unsynced()

    def close(self) -> None:
        """Pass on nothing more. Does not wait; idempotent."""
        with contextlib.suppress(TimeoutError):
            self._registration.remove(0.0)

    def remove(self, timeout: float) -> None:
        """Pass on nothing more, and wait for a mapping that is under way."""
        try:
            self._registration.remove(timeout)
        except TimeoutError as error:
            logger.warning("a handler is still busy", informer=self.name, error=str(error))


def wait_for_sources(
    controller: str, sources: Sequence[Source], stop: Stop, *, timeout: float, clock: Clock = SYSTEM_CLOCK
) -> bool:
    """Wait until every source has synced; while it has not, log the cause, once per change.

    Args:
        controller: Named in logs and in the error.
        sources: What to wait for.
        stop: Ends the wait; the sources are closed then.
        timeout: Seconds.
        clock: What they are measured with.

    Returns:
        Whether all have synced; False if stopped.

    Raises:
        CacheSyncError: Not in time; names each informer that has not synced, and why.
    """
    unlink = stop.on_set(lambda: _close_all(sources))
    deadline = ends_at(clock, timeout)
    reported: dict[str, str] = {}
    while waiting := [source for source in sources if not source.has_synced()]:
        if stop.is_set():
            return False
        left = deadline - clock.now()
        causes = {source.name: source.why_unsynced() for source in waiting}
        if left <= 0:
            reasons = "; ".join(f"{name}: {cause}{_advice(cause)}" for name, cause in causes.items())
            raise CacheSyncError(f"{controller}: not synced within {timeout:g} s: {reasons}")
        if not _wait_for(waiting[0], min(left, _REPORT_SECONDS), stop, clock):
            _report(controller, causes, reported)
    unlink()
    return not stop.is_set()


def _close_all(sources: Sequence[Source]) -> None:
    for source in sources:
        source.close()


def _wait_for(source: Source, timeout: float, stop: Stop, clock: Clock) -> bool:
    wait_until = ends_at(clock, timeout)
    synced = source.wait_for_sync(timeout)
    if not synced and not stop.is_set():
        # An informer that was stopped answers at once, and must not keep us running in circles.
        stop.wait(wait_until - clock.now())
    return synced


def report_waiting(controller: str, sources: Sequence[Source], reported: dict[str, str]) -> None:
    """Log what is waited for, and why, if it is not `reported` yet."""
    _report(controller, {each.name: each.why_unsynced() for each in sources}, reported)


def _report(controller: str, causes: Mapping[str, str], reported: dict[str, str]) -> None:
    for name, cause in causes.items():
        if reported.get(name) != cause:
            reported[name] = cause
            logger.warning("waiting for a cache", controller=controller, informer=name, cause=cause + _advice(cause))


def _advice(cause: str) -> str:
    return ": start its factory, which a Manager does" if cause == "not started" else ""
