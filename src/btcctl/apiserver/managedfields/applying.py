"""Server-side apply: what a manager wants is put over what there is, unless somebody else minds.

Source: as `tracking`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from btcctl.apiserver.machinery import errors as statuses
from btcctl.apiserver.machinery.errors import Cause, StatusError
from btcctl.apiserver.managedfields import entries
from btcctl.apiserver.managedfields.comparing import Untypable, compare, completed
from btcctl.apiserver.managedfields.entries import APPLY, Entry, Managed, Manager, manager_of
from btcctl.apiserver.managedfields.field_sets import (
    FieldSet,
    Path,
    difference,
    has,
    intersection,
    members,
    path_text,
    union,
    union_of_all,
    without_below,
)
from btcctl.apiserver.managedfields.reconciling import reconciled
from btcctl.apiserver.managedfields.targets import Target
from btcctl.apiserver.managedfields.tracking import Author, Compared, comparisons, content, disown, never_owned, updated
from btcctl.apiserver.managedfields.typed import complaint, field_set, merge, problems, remove, with_named
from btcctl.apiserver.managedfields.types import Type
from btcctl.apiserver.storage.collection import Body

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_KUBECTL = "kubectl"
_BEFORE = "before-first-apply"

Conflicts = list[tuple[Manager, Path]]


class Conflicting(Exception):
    """Others own what would change."""

    def __init__(self, conflicts: Conflicts) -> None:
        super().__init__(f"{len(conflicts)} conflicts")
        self.conflicts = conflicts


def apply(
    target: Target, live: Body | None, wanted: Mapping[str, Any], author: Author, *, force: bool
) -> dict[str, Any]:
    """The state after an apply, with its `managedFields`, before defaults.

    Args:
        live: None if there is no such object.
        wanted: What was sent.

    Raises:
        StatusError: It cannot be.
    """
    _check_types(target, wanted)
    stored = ((live or {}).get("metadata") or {}).get("managedFields") or []
    managed = entries.read_own(stored)
    if not managed and live is not None:
        managed = updated(target, None, live, {}, Author(_BEFORE, author.time))
    before = content(live or {"apiVersion": wanted["apiVersion"], "kind": wanted["kind"]})
    if not target.is_plain:
        before = completed(target.type, before)
    try:
        new, managed = _apply_kindly(target, before, wanted, managed, author, force=force)
    except Conflicting as error:
        raise _conflict(error.conflicts) from error
    except Untypable as error:
        raise statuses.internal(f"failed to merge config: {error}") from error
    if author.name == _KUBECTL:
        new = _with_last_applied(new, wanted)
    return {**new, "metadata": {**(new.get("metadata") or {}), "managedFields": entries.write(managed)}}


def as_written(target: Target, new: dict[str, Any]) -> dict[str, Any]:
    """The state as it is decoded and written again, where Go's types have a say in that."""
    if target.is_plain or target.type.map is None:
        return new
    written = completed(target.type, _without_nulls(target.type, new), zeros=False)
    return {**{name: {} for name, zero in target.type.map.zeros.items() if zero == {}}, **written}


def _without_nulls(type_: Type | None, value: Any) -> Any:
    """A field that is null is absent. A map still has its key: what null is there, its Go type says."""
    if isinstance(value, dict):
        map_type = None if type_ is None else type_.map
        fields: Mapping[str, Type] = {} if map_type is None else map_type.fields
        element = None if map_type is None else map_type.element
        return {
            key: _without_nulls(fields.get(key, element), each)
            for key, each in value.items()
            if each is not None or (element is not None and key not in fields)
        }
    below = None if type_ is None or type_.list is None else type_.list.element
    return [_without_nulls(below, each) for each in value] if isinstance(value, list) else value


def _apply_kindly(
    target: Target, before: Body, wanted: Mapping[str, Any], managed: Managed, author: Author, *, force: bool
) -> tuple[dict[str, Any], Managed]:
    """kubectl may take from itself what it once applied from its own side."""
    try:
        return _apply(target, before, wanted, managed, author, force=force)
    except Conflicting as error:
        allowed = _last_applied_set(target, before) if author.name == _KUBECTL else None
        if allowed is None:
            raise
        left = [(manager, path) for manager, path in error.conflicts if not has(allowed, path)]
        if left:
            raise Conflicting(left) from error
        return _apply(target, before, wanted, managed, author, force=True)


def _apply(
    target: Target, before: Body, wanted: Mapping[str, Any], managed: Managed, author: Author, *, force: bool
) -> tuple[dict[str, Any], Managed]:
    manager = manager_of(author.name, APPLY, target.api_version, target.subresource)
    time = managed[manager].time if manager in managed else ""
    managed = reconciled(target, managed)
    last = managed.get(manager)
    new = merge(target.type, before, dict(wanted))
    mine = without_below(field_set(target.type, wanted), target.reset)
    managed[manager] = Entry(mine, target.api_version, time)
    new = _pruned(target, new, managed, last)
    compared = comparisons(target, before, new)
    if not force:
        _check_conflicts(managed, compared, manager)
    managed = disown(target, managed, compared, but=manager)
    mine = never_owned(mine)
    managed.pop(manager, None)
    if mine:
        managed[manager] = Entry(mine, target.api_version, time if new == before else author.time)
    return new, managed


def _check_conflicts(managed: Managed, compared: Compared, mine: Manager) -> None:
    """
    Raises:
        Conflicting: Somebody else owns what changes.
    """
    conflicts: Conflicts = []
    for manager, entry in managed.items():
        if manager == mine:
            continue
        taken = intersection(entry.fields, compared(entry.api_version).changed)
        conflicts += [(manager, path) for path in members(taken)]
    if conflicts:
        raise Conflicting(conflicts)


def _pruned(target: Target, merged: dict[str, Any], managed: Managed, last: Entry | None) -> dict[str, Any]:
    """Without what the manager applied last time, not this time, and nobody else owns."""
    if last is None or not last.fields or last.api_version not in target.types:
        return merged
    type_ = target.types[last.api_version]
    pruned = remove(type_, merged, with_named(type_, last.fields))
    owned: dict[str, list[FieldSet]] = {last.api_version: []}
    for entry in managed.values():
        owned.setdefault(entry.api_version, []).append(entry.fields)
    for version, sets in owned.items():
        pruned = _with_owned(target, version, merged, pruned, union_of_all(sets))
    gone = difference(_named_set(target, last.api_version, merged), _named_set(target, last.api_version, pruned))
    left: dict[str, Any] = remove(type_, merged, intersection(gone, with_named(type_, last.fields)))
    return left


def _with_owned(target: Target, version: str, merged: Any, pruned: Any, owned: FieldSet) -> Any:
    type_ = target.types.get(version)
    if type_ is None:
        return pruned
    kept = union(_named_set(target, version, pruned), with_named(type_, owned))
    return remove(type_, merged, difference(_named_set(target, version, merged), kept))


def _named_set(target: Target, version: str, value: Any) -> FieldSet:
    return with_named(target.types[version], field_set(target.types[version], value))


def _check_types(target: Target, wanted: Mapping[str, Any]) -> None:
    sent = wanted.get("metadata")
    if isinstance(sent, dict) and sent.get("managedFields") is not None:
        raise statuses.bad_request("metadata.managedFields must be nil")
    why = complaint(problems(target.type, wanted))
    if why:
        metadata = wanted.get("metadata") if isinstance(wanted.get("metadata"), dict) else {}
        name = "/".join(str((metadata or {}).get(each) or "") for each in ("namespace", "name"))
        group, _, version = str(wanted.get("apiVersion")).rpartition("/")
        shown = f"{group}/{version}, Kind={wanted.get('kind')}"
        raise statuses.internal(f"failed to create typed patch object ({name}; {shown}): {why}")


def _conflict(conflicts: Conflicts) -> StatusError:
    causes = [
        Cause("FieldManagerConflict", f"conflict with {manager.shown()}", path_text(path))
        for manager, path in conflicts
    ]
    if len(conflicts) == 1:
        message = f"Apply failed with 1 conflict: conflict with {conflicts[0][0].shown()}: {causes[0].field}"
    else:
        lines = []
        for manager in sorted({each for each, _ in conflicts}, key=_identifier):
            lines.append(f"conflicts with {manager.shown()}:")
            lines += [f"- {path_text(path)}" for each, path in conflicts if each == manager]
        message = f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(lines)
    details = {"causes": [cause._asdict() for cause in causes]}
    return StatusError(409, message, "Conflict", details=details)


def _identifier(manager: Manager) -> str:
    """What a real server sorts managers by: their entries as JSON."""
    values = zip(("manager", "operation", "apiVersion", "subresource"), manager, strict=True)
    return json.dumps({name: value for name, value in values if value}, separators=(",", ":"))


def _last_applied_set(target: Target, live: Body) -> FieldSet | None:
    """The fields that kubectl applied from its own side and nobody changed since."""
    text = ((live.get("metadata") or {}).get("annotations") or {}).get(LAST_APPLIED)
    try:
        last = json.loads(text) if text else None
        if (
            not isinstance(last, dict)
            or last.get("apiVersion") != target.api_version
            or any(problems(target.type, last))
        ):
            return None
        changed = compare(target.type, last, live)
        fields = field_set(target.type, last)
    except ValueError:
        return None
    for each in (changed.modified, changed.added, changed.removed):
        fields = difference(fields, each)
    return fields


def _with_last_applied(new: dict[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The annotation of kubectl's other way to apply is kept up to date where it is."""
    metadata = new.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    if not annotations.get(LAST_APPLIED):
        return new
    sent = dict(wanted.get("metadata") or {})
    if sent.get("annotations") is not None:
        sent["annotations"] = {key: value for key, value in sent["annotations"].items() if key != LAST_APPLIED}
    text = json.dumps({**wanted, "metadata": sent}, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n"
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return {**new, "metadata": {**metadata, "annotations": {**annotations, LAST_APPLIED: text}}}
