"""How two objects differ, and how what somebody changed in a part of one is put into the whole. Pure.

A class names some fields of an object. What is changed in a value of it has to come into the object as it is, without
what the class does not name being lost: `overlaid`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from btcctl.json_values import is_same_json
from btcctl.objects import Object
from btcctl.typed.typed_object import TypedObject
from btcctl.typed.values import body_of

#: From the object inwards: names of fields, and numbers of items.
Path: TypeAlias = tuple[str | int, ...]
Comparable: TypeAlias = Object | TypedObject | Mapping[str, Any] | None

#: What each write changes, whatever was written.
_BOOKKEEPING = ("managedFields", "resourceVersion")
_NOTHING = object()


class Change(NamedTuple):
    """One field that differs.

    Attributes:
        path: ("spec", "replicas"); of an item of a list its number.
        old: None where there was nothing.
        new: None where there is nothing any more.
    """

    path: Path
    old: Any
    new: Any

    def __str__(self) -> str:
        return f"{shown_path(self.path)}: {self.old!r} → {self.new!r}"


def diff(old: Comparable, new: Comparable) -> list[Change]:
    """What differs between two states of an object, field by field: [] if they say the same.

        def on_update(old: Object, new: Object) -> None:
            for path, before, after in diff(old, new):
                ...

    Lists of the same length are compared item by item, others as a whole. `metadata.managedFields` and
    `metadata.resourceVersion`, which every write changes, are left out.

    Args:
        old: An Object, a value of a class, or a body; None: there was none.
        new: Likewise; None: there is none any more.
    """
    return [
        Change(path, None if before is _NOTHING else before, None if after is _NOTHING else after)
        for path, before, after in _differences(_plain(old), _plain(new), ())
    ]


def json_patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The JSON patch (RFC 6902) that makes `new` of `old`; [] if they are the same."""
    operations: list[dict[str, Any]] = []
    for path, before, after in _differences(old, new, ()):
        pointer = "".join(f"/{_escaped(each)}" for each in path)
        if after is _NOTHING:
            operations.append({"op": "remove", "path": pointer})
        else:
            operations.append({"op": "add" if before is _NOTHING else "replace", "path": pointer, "value": after})
    return operations


def overlaid(whole: Any, known: Any, changed: Any) -> Any:
    """`whole`, with what makes `changed` of `known`.

    Args:
        whole: JSON; not changed.
        known: What a class has read of it.
        changed: The same after somebody has changed it. An item of a list is the one that it was by its value, else by
            its name, else by its place, if there are as many as before.
    """
    if is_same_json(known, changed):
        return whole
    if isinstance(changed, Mapping) and isinstance(known, Mapping) and isinstance(whole, Mapping):
        kept = {name: each for name, each in whole.items() if name in changed or name not in known}
        made = {
            name: overlaid(whole.get(name, _NOTHING), known.get(name, _NOTHING), each) for name, each in changed.items()
        }
        return kept | {name: each for name, each in made.items() if each is not _NOTHING}  # a default that nobody set
    if isinstance(changed, list) and isinstance(known, list) and isinstance(whole, list) and len(known) == len(whole):
        return _overlaid_items(whole, known, changed)
    return changed


def shown_path(path: Sequence[str | int]) -> str:
    """As the API server writes it: `spec.ports[0].name`, `metadata.labels[app.kubernetes.io/name]`."""
    text = ""
    for each in path:
        if isinstance(each, int) or "." in each or "/" in each:
            text += f"[{each}]"
        else:
            text += f".{each}" if text else each
    return text


def _plain(obj: Comparable) -> dict[str, Any]:
    if obj is None:
        return {}
    body = body_of(obj) if isinstance(obj, TypedObject) else obj.body() if isinstance(obj, Object) else dict(obj)
    metadata = body.get("metadata")
    if isinstance(metadata, Mapping):
        body["metadata"] = {name: each for name, each in metadata.items() if name not in _BOOKKEEPING}
    return body


def _differences(old: Any, new: Any, path: Path) -> list[tuple[Path, Any, Any]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        names = [*old, *(name for name in new if name not in old)]
        return [
            each
            for name in names
            for each in _differences(old.get(name, _NOTHING), new.get(name, _NOTHING), (*path, name))
        ]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [
            each
            for number, (one, other) in enumerate(zip(old, new, strict=True))
            for each in _differences(one, other, (*path, number))
        ]
    is_same = old is new if _NOTHING in (old, new) else is_same_json(old, new)
    return [] if is_same else [(path, old, new)]


def _overlaid_items(whole: list[Any], known: list[Any], changed: list[Any]) -> list[Any]:
    left = dict(enumerate(known))
    places: dict[int, int] = {}  # from that of a changed item to that which it had
    for is_it in (is_same_json, _has_same_name):
        for place, each in enumerate(changed):
            found = None if place in places else next((old for old, one in left.items() if is_it(one, each)), None)
            if found is not None:
                places[place] = found
                del left[found]
    if len(known) == len(changed):
        places |= {place: place for place in range(len(changed)) if place not in places and place in left}
    return [
        overlaid(whole[places[place]], known[places[place]], each) if place in places else each
        for place, each in enumerate(changed)
    ]


def _has_same_name(one: Any, other: Any) -> bool:
    return (
        isinstance(one, Mapping)
        and isinstance(other, Mapping)
        and one.get("name") is not None
        and one.get("name") == other.get("name")
    )


def _escaped(part: str | int) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")
