"""Notices that what is written does not last, so that writers do not fight over a field at a hundred writes a second.

Rules:
* a field counts by the value that we give it: with another value everything begins anew;
* the same value written MAX_WRITES times in a row, each within SAME_DISPUTE_SECONDS of the one before, makes a
  dispute. It is not written again for TRUCE_SECONDS, unless together with a field that is not disputed;
* an object that is made again and again, because it is deleted each time, is a dispute likewise: the first time that
  it is made does not count;
* a dispute is over once a field has stayed as it should be for SAME_DISPUTE_SECONDS after its truce;
* of a status each field is one whole, and each condition; when that turned does not count: it is another time with
  each write. What a definition drops of it whenever it is written is no matter, unless nothing else was written.

Values are kept as hashes: they may be secret.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec
from cachetools import LRUCache

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.codecs import encode
from btcctl.controller.writing.fields import differences, manager_of
from btcctl.errors import BtcctlError
from btcctl.objects import Object, ObjectKey
from btcctl.resources import ResourceType

#: Writes in a row after which another one is taken to want it otherwise.
MAX_WRITES: Final = 3
#: Two writes that are further apart than this have nothing to do with each other.
SAME_DISPUTE_SECONDS: Final = 120.0
#: How long a disputed field is left alone.
TRUCE_SECONDS: Final = 300.0

_MAX_OBJECTS = 10_000
_EXISTENCE = ""  # the path of the object itself
_DELETED = "is deleted again and again"

Changes = Mapping[str, int]  #: paths that are about to be written, and a hash of the value of each


class Contested(BtcctlError):
    """It is not written: the last writes did not last. The message names the field, and who undoes it, if known."""


class _Field(msgspec.Struct):
    value: int
    writes: int = 0  # in a row
    written_at: float = float("-inf")
    dispute: str = ""  # what there is to say if this write does not last

    @property
    def is_disputed(self) -> bool:
        return self.writes >= MAX_WRITES

    def is_over(self, now: float) -> bool:
        truce = TRUCE_SECONDS if self.is_disputed else 0.0
        return now >= self.written_at + truce + SAME_DISPUTE_SECONDS

    def is_void(self, value: int) -> bool:
        """Whether nothing comes of writing it."""
        return self.value == value and self.writes == 0

    def has_truce(self, value: int, now: float) -> bool:
        return self.value == value and self.is_disputed and now < self.written_at + TRUCE_SECONDS


_Target = tuple[ResourceType, ObjectKey]


class Contention:
    """Remembers what `create_or_update` wrote lately. Thread-safe; forgets the objects that were written longest ago.

    Args:
        field_manager: As what we write; another field manager is to blame.
        clock: What the pauses are measured with.
    """

    def __init__(self, field_manager: str = "", *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._field_manager = field_manager
        self._clock = clock
        self._lock = threading.Lock()  # guards the one below and what is in it
        self._objects: LRUCache[_Target, dict[str, _Field]] = LRUCache(_MAX_OBJECTS)

    def dispute_of(self, type_: ResourceType, key: ObjectKey) -> str:
        """What of an object is disputed, and with whom; "" if nothing is."""
        with self._lock:
            fields = self._objects.get((type_, key), {})
            said = [each.dispute for each in fields.values() if each.is_disputed]
        return "; ".join(f'{type_.kind} "{key.name}"{each}' for each in said)

    def forget(self, type_: ResourceType, key: ObjectKey) -> None:
        """Whatever is written next is the first time."""
        with self._lock:
            self._objects.pop((type_, key), None)

    # What `create_or_update` calls.

    def check_create(self, type_: ResourceType, key: ObjectKey) -> None:
        """Raise Contested if an object that we would create was deleted too often."""
        self._check((type_, key), {_EXISTENCE: 0})

    def check_update(self, type_: ResourceType, key: ObjectKey, before: Object, after: Mapping[str, Any]) -> Changes:
        """Return what is about to be changed, or raise Contested if all of it was undone too often."""
        found = dict(differences(before.body(), after))
        # What is only taken away beside that are the server's defaults in a list that is replaced whole.
        is_set = {path: value for path, value in found.items() if value is not None}
        changes = {path: _hash(value) for path, value in (is_set or found).items()}
        self._check((type_, key), changes)
        return changes

    def check_status(self, type_: ResourceType, key: ObjectKey, before: Object, after: Mapping[str, Any]) -> Changes:
        """The same of what is about to be written as `after` through the status subresource."""
        old, new = (_fields_of(each.get("status")) for each in (before.body(), after))
        fields = {**new, **old}
        changes = {f"status.{name}": _hash(new.get(name)) for name in fields if new.get(name) != old.get(name)}
        self._check((type_, key), changes)
        return changes

    def note_created(self, type_: ResourceType, key: ObjectKey) -> None:
        """The object was created: again and again, if another deletes it each time."""
        self._note((type_, key), {_EXISTENCE: 0}, {_EXISTENCE: f" {_DELETED}"})

    def note_updated(
        self, type_: ResourceType, key: ObjectKey, changes: Changes, before: Object, after: Object
    ) -> None:
        """`changes` were written; `after` is what the API server made of them."""
        body, is_taken = before.body(), after.resource_version != before.resource_version
        self._note((type_, key), changes, self._words_on(changes, body, is_taken=is_taken))

    def note_status(self, type_: ResourceType, key: ObjectKey, changes: Changes, before: Object, after: Object) -> None:
        """The same of `changes` of a status."""
        body, is_taken = before.body(), after.resource_version != before.resource_version
        old, new = _fields_of(body.get("status")), _fields_of(after.body().get("status"))
        names = (path.removeprefix("status.") for path in changes) if is_taken else ()
        kept = {f"status.{name}" for name in names if old.get(name) == new.get(name)}
        self._note((type_, key), changes, self._words_on(changes, body, is_taken=is_taken), but=kept)

    def note_kept(self, type_: ResourceType, key: ObjectKey) -> None:
        """The object was seen, and is as it should be."""
        with self._lock:
            self._end_old((type_, key), self._clock.now())

    def _check(self, target: _Target, changes: Changes) -> None:
        now = self._clock.now()
        with self._lock:
            fields = self._objects.get(target, {})
            disputes = [fields[path].dispute for path in changes if path in fields]
            counting = [(fields.get(path), value) for path, value in changes.items()]
            counting = [(field, value) for field, value in counting if field is None or not field.is_void(value)]
            has_truce = bool(counting) and all(field and field.has_truce(value, now) for field, value in counting)
        if has_truce:
            type_, key = target
            raise Contested(f"{type_.kind} {key}{disputes[0]}: not written again for {TRUCE_SECONDS:g} s")

    def _note(self, target: _Target, changes: Changes, disputes: Mapping[str, str], but: Collection[str] = ()) -> None:
        """`but`: those of the changes that were not taken, beside others that were."""
        now = self._clock.now()
        with self._lock:
            self._end_old(target, now)
            fields = self._objects.setdefault(target, {})
            for path, value in changes.items():
                field = fields.get(path)
                if field is None or field.value != value:
                    field = fields[path] = _Field(value, writes=-1 if path == _EXISTENCE else 0)
                field.writes += path not in but
                field.written_at, field.dispute = now, disputes[path]

    def _end_old(self, target: _Target, now: float) -> None:
        fields = self._objects.get(target)
        if fields is None:
            return
        for path in [path for path, field in fields.items() if field.is_over(now)]:
            del fields[path]
        if not fields:
            self._objects.pop(target, None)

    def _words_on(self, changes: Changes, before: Mapping[str, Any], *, is_taken: bool) -> dict[str, str]:
        """What there is to say by path if a write does not last: who wrote the field before us, as far as is known."""
        if not is_taken:  # by the API server itself
            undone = "is changed back as it is written: by an admission webhook or policy?"
            return {path: f": {path} {undone}" for path in changes}
        managers = {path: manager_of(path, before, but=self._field_manager) for path in changes}
        another = f'another one that writes as "{self._field_manager}"'
        by = {path: f'"{manager}"' if manager else another for path, manager in managers.items()}
        return {path: f": {path} is changed again and again by {by[path]}" for path in changes}


def _fields_of(status: object) -> dict[str, Any]:
    """Its fields by name, each condition as one of them, without the time at which it turned."""
    if not isinstance(status, Mapping):
        return {}
    conditions = status.get("conditions")
    if not isinstance(conditions, list) or not all(isinstance(each, Mapping) for each in conditions):
        return dict(status)
    found = {name: value for name, value in status.items() if name != "conditions"}
    for each in conditions:
        lasting = {name: value for name, value in each.items() if name != "lastTransitionTime"}
        found[f"conditions[{each.get('type')}]"] = lasting
    return found


def _hash(value: object) -> int:
    try:
        return hash(encode(value, order="sorted"))
    except (TypeError, ValueError, OverflowError, RecursionError):
        return 0  # its writer gets the error instead
