"""What changed between two states of an object, as sets of fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from btcctl.apiserver.managedfields.field_sets import (
    SELF,
    FieldSet,
    Path,
    field_element,
    graft,
    insert,
    key_element,
    union,
    value_element,
    without_below,
)
from btcctl.apiserver.managedfields.types import DEDUCED, WHOLE, ListType, MapType, Type
from btcctl.json_values import is_same_json

MISSING: Any = object()


class Untypable(ValueError):
    """A value does not fit the type it should have; the message says where."""


@dataclass(slots=True)
class Comparison:
    """No field is in more than one of the sets."""

    removed: FieldSet = field(default_factory=dict)
    modified: FieldSet = field(default_factory=dict)
    added: FieldSet = field(default_factory=dict)
    _changed: FieldSet | None = None

    @property
    def changed(self) -> FieldSet:
        """What is modified or added; made once, when the sets are complete, for thousands of managers maybe."""
        if self._changed is None:
            self._changed = union(self.modified, self.added)
        return self._changed

    def without(self, fields: FieldSet) -> Comparison:
        """The same, but for these fields and all below them."""
        sets = (self.removed, self.modified, self.added)
        return Comparison(*(without_below(each, fields) for each in sets)) if fields else self


def compare(type_: Type, old: Any, new: Any) -> Comparison:
    """
    Raises:
        Untypable: A field is not in the type, or a list's item lacks its keys.
    """
    found = Comparison()
    _compare(type_, old, new, (), found)
    return found


def item_element(list_type: ListType, item: Any) -> str:
    """How an item of a list that is no atomic one is known.

    Raises:
        Untypable: It cannot be told from the others.
    """
    if not list_type.keys:
        if isinstance(item, dict):
            raise Untypable("associative list without keys has an element that's a map type")
        if isinstance(item, list):
            raise Untypable("not supported: associative list with lists as elements")
        if item is None:
            raise Untypable("associative list without keys has an element that's an explicit null")
        return value_element(item)
    if not isinstance(item, dict):
        what = "a null element" if item is None else "non-map elements"
        raise Untypable(f"associative list with keys may not have {what}")
    defaults: Mapping[str, Any] = {} if list_type.element.map is None else list_type.element.map.defaults
    keys = {name: item.get(name, defaults.get(name)) for name in list_type.keys if name in item or name in defaults}
    if not keys:
        listed = " ".join(f'"{name}"' for name in list_type.keys)
        why = "(and doesn't have default values for any key fields)"
        raise Untypable(f"associative list with keys has an element that omits all key fields [{listed}] {why}")
    return key_element(keys)


def completed(type_: Type, value: Any, *, zeros: bool = True) -> Any:
    """The value as Go's types write it: without what is empty, and with the fields that are always there.

    Args:
        zeros: Whether to add these.
    """
    if isinstance(value, list) and type_.list is not None:
        return [completed(type_.list.element, item, zeros=zeros) for item in value]
    if not isinstance(value, dict) or type_.map is None:
        return value
    map_type, found = type_.map, {}
    for name, each in value.items():
        below = map_type.fields.get(name, map_type.element)
        if below is None or below is WHOLE or below is DEDUCED or (each and not isinstance(each, dict | list)):
            found[name] = each
        elif each or not _is_omitted(map_type, name, below, each):
            found[name] = completed(below, each, zeros=zeros)
    for name, zero in map_type.zeros.items() if zeros else ():
        if name not in found:
            below = map_type.type_of(name)
            found[name] = zero if below is None else completed(below, zero)
    return found


def _is_omitted(map_type: MapType, name: str, type_: Type, value: Any) -> bool:
    """Whether an empty value is not written; one that Go has a pointer to is."""
    if name in map_type.zeros or name not in map_type.fields or name == "managedFields":
        return False  # without any entries, `managedFields` mean that nobody owns anything
    if value == []:
        return type_.list is not None
    if value == {}:
        return type_.map is not None and not type_.map.fields and type_.map.element is not DEDUCED
    return name in map_type.omitted


def _compare(type_: Type, old: Any, new: Any, path: Path, found: Comparison) -> None:
    if old is MISSING:
        graft(found.added, path, _whole(type_, new))
    elif new is MISSING:
        graft(found.removed, path, _whole(type_, old))
    elif not is_same_json(old, new):
        before, after = type_.form_of(old), type_.form_of(new)
        if before != after:
            _compare_as(before, type_, old, new, path, found)
        _compare_as(after, type_, old, new, path, found)


def _whole(type_: Type, value: Any) -> FieldSet:
    """A member of a set, and all that is below it in the value."""
    node: FieldSet = {}
    if isinstance(value, dict) and type_.map is not None and not type_.map.atomic:
        for name, each in value.items():
            below = _field_type(type_.map, name)
            node[f"f:{name}"] = _whole(below, each) if isinstance(each, dict | list) else {}
    elif isinstance(value, list) and type_.list is not None and type_.list.keys is not None:
        for element, items in _by_element(type_.list, value).items():
            node[element] = _whole(type_.list.element, items[0]) if len(items) == 1 else {}
    if node:
        node[SELF] = {}
    return node


def _compare_as(form: str, type_: Type, old: Any, new: Any, path: Path, found: Comparison) -> None:
    """Compare what differs as a map, a list or a scalar."""
    if form == "map" and type_.map is not None and not type_.map.atomic and _are_filled(dict, old, new):
        left, right = (each if isinstance(each, dict) else {} for each in (old, new))
        _compare_maps(type_.map, left, right, path, found)
    elif form == "list" and type_.list is not None and type_.list.keys is not None and _are_filled(list, old, new):
        before, after = (each if isinstance(each, list) else [] for each in (old, new))
        _compare_lists(type_.list, before, after, path, found)
    elif old != new:
        insert(found.modified, path)


def _are_filled(type_: type, *values: Any) -> bool:
    """Whether any of them is of that type, and not empty."""
    return any(isinstance(each, type_) and each for each in values)


def _compare_maps(
    type_: MapType, old: Mapping[str, Any], new: Mapping[str, Any], path: Path, found: Comparison
) -> None:
    for name in (*old, *(name for name in new if name not in old)):
        here = (*path, field_element(name))
        _compare(_field_type(type_, name), old.get(name, MISSING), new.get(name, MISSING), here, found)


def _field_type(type_: MapType, name: str) -> Type:
    found = type_.fields.get(name, type_.element)
    if found is None:
        raise Untypable(f".{name}: field not declared in schema")
    return found


def _compare_lists(list_type: ListType, old: list[Any], new: list[Any], path: Path, found: Comparison) -> None:
    before, after = _by_element(list_type, old), _by_element(list_type, new)
    for element in dict.fromkeys((*before, *after)):
        _compare_items(list_type, before.get(element, []), after.get(element, []), (*path, element), found)


def _compare_items(list_type: ListType, old: list[Any], new: list[Any], path: Path, found: Comparison) -> None:
    """Items that share an element, which they may not but sometimes do, count as one whole."""
    if len(old) > 1 and len(new) > 1:
        if old != new:
            insert(found.modified, path)
    elif len(old) > 1:
        if new:
            _compare(list_type.element, MISSING, new[0], path, found)
        insert(found.removed, path)
    elif len(new) > 1:
        if old:
            _compare(list_type.element, old[0], MISSING, path, found)
        insert(found.added, path)
    else:
        _compare(list_type.element, old[0] if old else MISSING, new[0] if new else MISSING, path, found)


def _by_element(list_type: ListType, items: list[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for item, element in elements(list_type, items):
        found.setdefault(element, []).append(item)
    return found


def elements(list_type: ListType, items: list[Any]) -> Iterator[tuple[Any, str]]:
    """Each item, and how it is known."""
    for index, item in enumerate(items):
        try:
            yield item, item_element(list_type, item)
        except Untypable as error:
            raise Untypable(f"element {index}: {error}") from error
