"""Keeps track of who set which field, on every write that is no apply.

Source: k8s.io/apimachinery 0.36.2, pkg/util/managedfields, and sigs.k8s.io/structured-merge-diff
6.3.2 for what transcripts of kube-apiserver 1.36.2 do not show.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any

import msgspec

from btcctl.apiserver.managedfields import entries
from btcctl.apiserver.managedfields.comparing import Comparison, Untypable, compare
from btcctl.apiserver.managedfields.entries import UPDATE, Entry, Managed, Manager, manager_of
from btcctl.apiserver.managedfields.field_sets import (
    FieldSet,
    contains,
    difference,
    intersection,
    of_paths,
    union,
    union_of_all,
)
from btcctl.apiserver.managedfields.reconciling import reconciled
from btcctl.apiserver.managedfields.targets import Target
from btcctl.apiserver.managedfields.typed import problems
from btcctl.apiserver.storage.collection import Body
from btcctl.json_values import is_same_json
from btcctl.logging import get_logger

logger = get_logger(__name__)

#: Tells what changed, as the version of an apiVersion has it.
Compared = Callable[[str], Comparison]

MAX_UPDATE_MANAGERS = 10  # DefaultMaxUpdateManagers
_ANCIENT = "ancient-changes"
_NOTHING: tuple[Any, ...] = ({}, [], None)  # what of metadata is as good as absent
_IDENTITY = frozenset(
    {
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    }
)
_NEVER_OWNED = of_paths(
    [("f:apiVersion",), ("f:kind",), ("f:metadata",), *(("f:metadata", f"f:{name}") for name in sorted(_IDENTITY))]
)
_NEVER_COMPARED = frozenset({"managedFields"})


class Author(msgspec.Struct, frozen=True):
    """Who writes, and when.

    Attributes:
        time: RFC 3339, whole seconds.
    """

    name: str
    time: str


def track(
    target: Target, old: Body | None, new: Mapping[str, Any], author: Author, sent: Body | None = None
) -> list[dict[str, Any]]:
    """The `managedFields` of an object after a create or an update.

    Args:
        old: None for a create.
        new: The new state; its own `managedFields` count, if the write may change them.
        sent: What the client wants: if it does not fit the kind's type, nothing is kept track of any
            more, though what does not fit may be in a part that such a write leaves alone.
    """
    managed = _before(target, old, new)
    if not managed and old is not None:
        return []  # nobody asked for it: see `applying` for how that begins
    try:
        _check_type(target, sent or new)
        return entries.write(updated(target, old, new, managed, author))
    except (ValueError, RecursionError) as error:
        logger.warning("fields are no more kept track of", kind=target.api_version, error=str(error))
        return []


def _check_type(target: Target, body: Body) -> None:
    wrong = next(problems(target.type, content(body), unique=False), "") if target.is_plain else ""
    if wrong:
        raise Untypable(wrong)


def updated(target: Target, old: Body | None, new: Body, managed: Managed, author: Author) -> Managed:
    """
    Raises:
        Untypable: One of the states does not fit the kind's type.
    """
    differing = _differing(old or {}, new) if target.convert is None else (old or {}, new)
    hidden = _NEVER_COMPARED if managed else _IDENTITY  # of which nobody owns anything yet
    before, after = (content(each, hidden) for each in differing)
    compared = comparisons(target, before, after, is_written=not target.is_plain)
    own = compared(target.api_version)
    changed = difference(own.changed, _NEVER_OWNED)
    manager = manager_of(author.name, UPDATE, target.api_version, target.subresource)
    again = _again(managed.get(manager), own, changed, author.time)
    managed = disown(target, managed, compared, but=manager if again else None)
    if again:
        managed[manager] = again
    elif changed:
        previous = managed.get(manager)
        fields = changed if previous is None else union(previous.fields, changed)
        managed[manager] = Entry(fields, target.api_version, author.time)
    return _capped(managed)


def _again(entry: Entry | None, own: Comparison, changed: FieldSet, time: str) -> Entry | None:
    """The entry of whoever changes what he has owned before, and removes nothing; None if it is not as simple."""
    if entry is None or not changed or own.removed or not contains(entry.fields, changed):
        return None
    return None if intersection(entry.fields, _NEVER_OWNED) else entry.again(time)


def _differing(old: Body, new: Body) -> tuple[Body, Body]:
    """Both states without the parts that are equal, which nobody needs to look at."""
    before, after = {}, dict(new)
    for key, value in old.items():
        if key in new and new[key] == value:
            del after[key]
        else:
            before[key] = value
    return before, after


def content(body: Body, hidden: Container[str] = _NEVER_COMPARED) -> dict[str, Any]:
    """What of an object is compared.

    Args:
        hidden: What of its metadata is not.
    """
    sent = body.get("metadata") or {}
    metadata = {key: value for key, value in sent.items() if key not in hidden and value not in _NOTHING}
    return {**body, "metadata": metadata} if metadata else {k: v for k, v in body.items() if k != "metadata"}


def comparisons(target: Target, before: Body, after: Body, *, is_written: bool = False) -> Compared:
    """What changed from one state to another, as a version has it: made once for each.

    Args:
        is_written: Compare what Go's types make of them.
    """
    known: dict[str, Comparison] = {}

    def compared(api_version: str) -> Comparison:
        if api_version not in known:
            states = before, after
            if target.convert is not None and api_version != target.api_version:
                states = tuple(target.convert(each, api_version) if each else each for each in states)  # type: ignore[assignment]
            found = compare(target.types[api_version], *states, is_written=is_written)
            known[api_version] = found.without(target.reset) if api_version == target.api_version else found
        return known[api_version]

    return compared


def disown(target: Target, managed: Managed, compared: Compared, but: Manager | None = None) -> Managed:
    """Everybody but `but` loses what was changed or removed; who has nothing left goes."""
    found: Managed = {}
    for manager, entry in managed.items():
        fields = entry.fields
        if manager != but:
            if entry.api_version not in target.types:
                continue
            made = compared(entry.api_version)
            fields = difference(fields, intersection(fields, made.changed))
            fields = difference(fields, made.removed)
        if fields:
            found[manager] = entry if fields is entry.fields else entry.with_fields(fields)
    return found


def never_owned(fields: FieldSet) -> FieldSet:
    """Without what nobody can own."""
    return difference(fields, _NEVER_OWNED)


def settled(new: dict[str, Any], old: Body) -> dict[str, Any]:
    """The new state; the old one if they differ in nothing but the times of their entries."""
    before, after = (each["metadata"].get("managedFields") or [] for each in (old, new))
    if before == after or len(before) != len(after):
        return new
    timed = [{**made, "time": kept.get("time")} for made, kept in zip(after, before, strict=True)]
    same = {**new, "metadata": {**new["metadata"], "managedFields": before}}
    return same if timed == before and is_same_json(same, old) else new


def _before(target: Target, old: Body | None, new: Mapping[str, Any]) -> Managed:
    """Who owns what before the write: as the client says, or else as the store does."""
    stored = (old or {}).get("metadata", {}).get("managedFields") or []
    sent = (new.get("metadata") or {}).get("managedFields")
    if not target.subresource and sent != stored:
        if entries.is_reset(sent, is_plain=target.is_plain):
            return {}
        try:
            said = entries.read(sent)
        except (ValueError, TypeError, AttributeError):
            said = {}
        if said:
            return reconciled(target, said)
    managed = entries.read_own(stored)
    return reconciled(target, managed) if target.is_changed else managed


def _capped(managed: Managed) -> Managed:
    """Of too many updaters the oldest become one, for each version they wrote in."""
    updaters = [manager for manager in managed if manager.operation == UPDATE]
    if len(updaters) <= MAX_UPDATE_MANAGERS:
        return managed
    found, left = dict(managed), len(updaters)
    first: dict[str, Manager] = {}
    gathered: dict[Manager, list[Entry]] = {}  # by the one that they become
    for manager in sorted(updaters, key=lambda each: (managed[each].time, each)):
        if left <= MAX_UPDATE_MANAGERS:
            break
        version = managed[manager].api_version
        if version not in first:
            first[version] = manager
            continue
        bucket = Manager(_ANCIENT, UPDATE, version)
        if bucket not in gathered:
            gathered[bucket] = [found.pop(first[version])]
        gathered[bucket].append(found.pop(manager))
        left -= 1
    for bucket, theirs in gathered.items():
        found[bucket] = Entry(union_of_all([each.fields for each in theirs]), bucket.api_version, theirs[-1].time)
    return found
