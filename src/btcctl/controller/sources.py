"""Where a controller's keys come from: informers, watched through a mapping.

After this module nobody knows what happened to an object, only which object to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import structlog

from btcctl.controller.handlers import KeysOf, own_key
from btcctl.controller.predicates import Predicate
from btcctl.errors import BtcctlError
from btcctl.objects import Object, ObjectKey

logger = structlog.get_logger(__name__)


class Deletion(Protocol):
    """As `btcctl.informers.notifications.Deleted`."""

    @property
    def key(self) -> ObjectKey: ...

    @property
    def last(self) -> Object | None: ...


class KeyHandler:
    """An informer's handler that passes on the keys concerned.

    Args:
        add: Takes each key.
        keys_of: Maps an object to keys. An update is mapped before and after, because an
            object may have changed hands.
        predicate: Drops the changes for which it is false.
    """

    def __init__(self, add: Callable[[ObjectKey], None], keys_of: KeysOf, predicate: Predicate | None) -> None:
        self._add = add
        self._keys_of = keys_of
        self._predicate = predicate

    def on_add(self, obj: Object, in_initial_list: bool) -> None:
        if self._wants(None, obj):
            self._add_all(self._keys_of(obj))

    def on_update(self, old: Object, new: Object) -> None:
        if self._wants(old, new):
            self._add_all(dict.fromkeys([*self._keys_of(old), *self._keys_of(new)]))

    def on_delete(self, deleted: Deletion) -> None:
        if deleted.last is not None:
            if self._wants(deleted.last, None):
                self._add_all(self._keys_of(deleted.last))
        elif self._keys_of is own_key:
            self._add(deleted.key)
        else:
            logger.debug("a deleted object cannot be mapped: its last state is unknown", deleted=str(deleted.key))

    def _wants(self, old: Object | None, new: Object | None) -> bool:
        return self._predicate is None or self._predicate(old, new)

    def _add_all(self, keys: Iterable[ObjectKey]) -> None:
        for key in keys:
            self._add(key)


class Registration(Protocol):
    """What an informer returns for a handler."""

    def has_synced(self) -> bool:
        """Whether the handler has seen the whole initial list."""

    def remove(self) -> None:
        """Call the handler no more. Idempotent."""


class Informer(Protocol):
    """What a controller needs of `btcctl.informers.shared_informer.SharedInformer`."""

    @property
    def name(self) -> str: ...

    @property
    def last_error(self) -> BtcctlError | None: ...

    def add_handler(self, handler: KeyHandler) -> Registration: ...


class Source:
    """One watched informer."""

    def __init__(self, informer: Informer, handler: KeyHandler) -> None:
        self._informer = informer
        self._registration = informer.add_handler(handler)

    @property
    def name(self) -> str:
        return self._informer.name

    def has_synced(self) -> bool:
        return self._registration.has_synced()

    def why_not_synced(self) -> str:
        """The informer's last error, in words."""
        error = self._informer.last_error
        return "no answer yet" if error is None else str(error)

    def remove(self) -> None:
        self._registration.remove()
