"""What changed between two states of an object, as sets of fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn

from btcctl.apiserver.managedfields.field_sets import (
    SELF,
    FieldSet,
    Path,
    graft,
    insert,
    key_element,
    text_key_element,
    union,
    value_element,
    without_below,
)
from btcctl.apiserver.managedfields.types import DEDUCED, WHOLE, ListType, MapType, Type

MISSING: Any = object()
_CONTAINERS = (dict, list)


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
        return Comparison(*(each and without_below(each, fields) for each in sets)) if fields else self


def compare(type_: Type, old: Any, new: Any, *, is_written: bool = False) -> Comparison:
    """
    Args:
        is_written: Compare what Go's types make of the values: see `completed`, of which no more is done than
            differs.

    Raises:
        Untypable: A field is not in the type, or a list's item lacks its keys.
    """
    walk = _Walk(is_written=is_written)
    walk.compare(type_, old, new, ())
    return walk.found


def item_element(list_type: ListType, item: Any) -> str:
    """How an item of a list that is no atomic one is known.

    Raises:
        Untypable: It cannot be told from the others.
    """
    if isinstance(item, dict) and list_type.keys and len(list_type.keys) == 1:  # as most are known
        name = list_type.keys[0]
        value = item.get(name)
        if type(value) is str:
            return text_key_element(name, value)
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
    keys = {name: item[name] for name in list_type.keys if name in item}
    if len(keys) < len(list_type.keys) and list_type.element.map is not None:
        defaults = list_type.element.map.defaults
        keys |= {name: defaults[name] for name in list_type.keys if name not in keys and name in defaults}
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
    fields, element = type_.map.fields, type_.map.element
    found = dict(_written(type_.map, value, zeros=zeros))
    for name, each in found.items():
        below = fields.get(name, element) if isinstance(each, _CONTAINERS) else None
        if below is not None and below is not WHOLE and below is not DEDUCED:
            found[name] = completed(below, each, zeros=zeros)
    return found


def _written(type_: MapType, value: Mapping[str, Any], *, zeros: bool = True) -> Mapping[str, Any]:
    """The fields as Go's types write them, but for what is below them."""
    missing = [name for name in type_.zeros if name not in value] if zeros and type_.zeros else None
    if not missing and all(value.values()):
        return value
    found = {name: each for name, each in value.items() if each or not _is_omitted(type_, name, each)}
    return found | {name: type_.zeros[name] for name in missing} if missing else found


def _is_omitted(map_type: MapType, name: str, value: Any) -> bool:
    """Whether an empty value is not written; one that Go has a pointer to is."""
    type_ = map_type.fields.get(name)
    if type_ is None or type_ is WHOLE or type_ is DEDUCED or name in map_type.zeros or name == "managedFields":
        return False  # without any entries, `managedFields` mean that nobody owns anything
    if value == []:
        return type_.list is not None
    if value == {}:
        return type_.map is not None and not type_.map.fields and type_.map.element is not DEDUCED
    return name in map_type.omitted


class _Walk:
    """Along two states of a value and their type, only where they differ. Methods raise Untypable."""

    __slots__ = ("_is_written", "found")

    def __init__(self, *, is_written: bool) -> None:
        self._is_written = is_written
        self.found = Comparison()

    def compare(self, type_: Type, old: Any, new: Any, path: Path) -> None:
        if old is MISSING:
            graft(self.found.added, path, self._whole(type_, new))
        elif new is MISSING:
            graft(self.found.removed, path, self._whole(type_, old))
        elif old == new:
            return
        elif type(old) is dict and type(new) is dict and type_.map is not None and not type_.map.atomic:
            self._compare_maps(type_.map, old, new, path)
        elif not isinstance(old, _CONTAINERS) and not isinstance(new, _CONTAINERS):
            insert(self.found.modified, path)
        else:
            before, after = type_.form_of(old), type_.form_of(new)
            if before != after:
                self._compare_as(before, type_, old, new, path)
            self._compare_as(after, type_, old, new, path)

    def _whole(self, type_: Type, value: Any) -> FieldSet:
        """A member of a set, and all that is below it in the value."""
        node: FieldSet = {}
        if isinstance(value, dict) and type_.map is not None and not type_.map.atomic:
            fields, element = type_.map.fields, type_.map.element
            for name, each in (_written(type_.map, value) if self._is_written else value).items():
                below = fields.get(name, element) or _undeclared(name)
                node[f"f:{name}"] = self._whole(below, each) if isinstance(each, _CONTAINERS) else {}
        elif isinstance(value, list) and type_.list is not None and type_.list.keys is not None:
            for key, items in self._by_element(type_.list, value).items():
                node[key] = self._whole(type_.list.element, items[0]) if len(items) == 1 else {}
        if node:
            node[SELF] = {}
        return node

    def _compare_as(self, form: str, type_: Type, old: Any, new: Any, path: Path) -> None:
        """Compare what differs as a map, a list or a scalar."""
        if form == "map" and type_.map is not None and not type_.map.atomic:
            left, right = (self._shown(type_, each) if isinstance(each, dict) else {} for each in (old, new))
            if left or right:
                return self._compare_maps(type_.map, left, right, path)
        elif form == "list" and type_.list is not None and type_.list.keys is not None:
            before, after = (each if isinstance(each, list) else [] for each in (old, new))
            if before or after:
                return self._compare_lists(type_.list, before, after, path)
        if self._differ(type_, old, new):
            insert(self.found.modified, path)
        return None

    def _shown(self, type_: Type, value: Any) -> Any:
        return completed(type_, value) if self._is_written else value

    def _differ(self, type_: Type, old: Any, new: Any) -> bool:
        return bool(self._shown(type_, old) != self._shown(type_, new))

    def _compare_maps(self, type_: MapType, old: Mapping[str, Any], new: Mapping[str, Any], path: Path) -> None:
        if self._is_written:
            old, new = _written(type_, old), _written(type_, new)
        fields, element = type_.fields, type_.element
        for name, each in old.items():
            below, other = fields.get(name, element) or _undeclared(name), new.get(name, MISSING)
            if other is not each:
                self.compare(below, each, other, (*path, f"f:{name}"))
        for name, each in new.items():
            if name not in old:
                below = fields.get(name, element) or _undeclared(name)
                node = self._whole(below, each) if isinstance(each, _CONTAINERS) else {}
                graft(self.found.added, (*path, f"f:{name}"), node)

    def _compare_lists(self, list_type: ListType, old: list[Any], new: list[Any], path: Path) -> None:
        before, after = self._by_element(list_type, old), self._by_element(list_type, new)
        for element in dict.fromkeys((*before, *after)):
            self._compare_items(list_type, before.get(element, []), after.get(element, []), (*path, element))

    def _compare_items(self, list_type: ListType, old: list[Any], new: list[Any], path: Path) -> None:
        """Items that share an element, which they may not but sometimes do, count as one whole."""
        if len(old) > 1 and len(new) > 1:
            if any(map(partial(self._differ, list_type.element), old, new)) or len(old) != len(new):
                insert(self.found.modified, path)
        elif len(old) > 1:
            if new:
                self.compare(list_type.element, MISSING, new[0], path)
            insert(self.found.removed, path)
        elif len(new) > 1:
            if old:
                self.compare(list_type.element, old[0], MISSING, path)
            insert(self.found.added, path)
        else:
            self.compare(list_type.element, old[0] if old else MISSING, new[0] if new else MISSING, path)

    def _by_element(self, list_type: ListType, items: list[Any]) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for item, element in elements(list_type, items, is_written=self._is_written):
            found.setdefault(element, []).append(item)
        return found


def _undeclared(name: str) -> NoReturn:
    raise Untypable(f".{name}: field not declared in schema")


def elements(list_type: ListType, items: list[Any], *, is_written: bool = False) -> Iterator[tuple[Any, str]]:
    """Each item, and how it is known."""
    keys, fields = list_type.keys or (), list_type.element.map
    for index, each in enumerate(items):
        item = each
        if is_written and fields is not None and isinstance(each, dict) and not all(map(each.get, keys)):
            item = _written(fields, each)  # an empty key may be none
        try:
            yield item, item_element(list_type, item)
        except Untypable as error:
            raise Untypable(f"element {index}: {error}") from error
