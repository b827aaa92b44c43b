"""Objects and the types of their fields: merged, cut down, and taken as sets of fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from btcctl.apiserver.managedfields.comparing import MISSING, Untypable, elements, item_element
from btcctl.apiserver.managedfields.field_sets import (
    SELF,
    FieldSet,
    Path,
    below,
    field_element,
    insert,
    is_member,
    path_text,
)
from btcctl.apiserver.managedfields.types import DEDUCED, WHOLE, ListType, MapType, Type

#: Python's types for values of the scalars of ours.
_FITTING: Mapping[str, frozenset[type]] = {
    "": frozenset(),
    "string": frozenset({str}),
    "numeric": frozenset({int, float}),
    "boolean": frozenset({bool}),
    "untyped": frozenset({str, int, float, bool}),
}


def merge(type_: Type, old: Any, new: Any) -> Any:
    """Put `new` over `old`: nothing is removed, and lists with keys are merged item by item.

    Returns:
        MISSING if neither is there.

    Raises:
        Untypable: An item of a list cannot be told from the others.
    """
    if old is MISSING or new is MISSING:
        known = new if old is MISSING else old
        form = type_.form_of(None if known is MISSING else known)
    else:
        form = type_.form_of(new)
    if form == "map" and type_.map is not None and not type_.map.atomic:
        return _merge_maps(type_.map, old, new)
    if form == "list" and type_.list is not None and type_.list.keys is not None:
        return _merge_lists(type_.list, old, new)
    return old if new is MISSING else new


def field_set(type_: Type, value: Any) -> FieldSet:
    """All fields that a value has."""
    found: FieldSet = {}
    _collect(type_, value, (), found)
    return found


def remove(type_: Type, value: Any, fields: FieldSet) -> Any:
    """The value without the members of a set: fields of maps, and items of lists."""
    form = type_.form_of(value)
    if form == "list" and type_.list is not None:
        return _remove_items(type_.list, value, fields)
    if form == "map" and type_.map is not None:
        return _remove_fields(type_.map, value, fields)
    return value


def with_named(type_: Type | None, fields: FieldSet) -> FieldSet:
    """The set and all the fields, known by name, that have members of it below them."""
    found: FieldSet = {}
    for element, node in fields.items():
        if element == SELF or not node:
            found[element] = node
            continue
        children = with_named(_type_below(type_, element), below(fields, element))
        named = type_.map.fields if type_ is not None and type_.map is not None else {}
        is_named = element.startswith("f:") and element[2:] in named
        found[element] = {SELF: {}, **children} if is_named or is_member(node) else children
    return found


def problems(type_: Type, value: Any, path: str = "", *, unique: bool = True) -> Iterator[str]:
    """What is wrong with a value, in the words of structured-merge-diff.

    Args:
        unique: Whether an item may come only once in a set or a list with keys.
    """
    for place, why in _problems(type_, value, unique=unique):
        yield _at(path + place, why)


def complaint(found: Iterable[str]) -> str:
    """All problems in one text; "" for none."""
    each = list(found)
    return each[0] if len(each) == 1 else "\n".join(["errors:", *(f"  {one}" for one in each)]) if each else ""


def atomics(type_: Type, value: Any, path: str = "") -> Iterator[str]:
    """Where in a value there are lists and maps that have one owner as a whole."""
    form = type_.form_of(value)
    if form == "map" and type_.map is not None and isinstance(value, dict):
        if type_.map.atomic:
            yield path
        for name, each in value.items():
            if name in type_.map.fields:
                yield from atomics(type_.map.fields[name], each, f"{path}.{name}")
    elif form == "list" and type_.list is not None and isinstance(value, list):
        if type_.list.keys is None:
            yield path
        for index, each in enumerate(value):
            yield from atomics(type_.list.element, each, f"{path}[{index}]")


def _merge_maps(type_: MapType, old: Any, new: Any) -> Any:
    left, right = (each if isinstance(each, dict) else {} for each in (old, new))
    if not left and not right:
        return old if new is MISSING else new
    merged = {}
    for name in (*left, *(name for name in right if name not in left)):
        field_type = type_.type_of(name)
        if field_type is None:
            raise Untypable(f".{name}: field not declared in schema")
        merged[name] = merge(field_type, left.get(name, MISSING), right.get(name, MISSING))
    return {name: value for name, value in merged.items() if value is not MISSING}


def _merge_lists(type_: ListType, old: Any, new: Any) -> Any:
    """New items come where the new list has them; items of the old list alone keep their neighbours."""
    left, right = (each if isinstance(each, list) else [] for each in (old, new))
    if not left and not right:
        return old if new is MISSING else new
    before = [(element, item) for item, element in elements(type_, left)]
    after = [(element, item) for item, element in elements(type_, right)]
    known = dict(reversed(before))
    for element in _repeated(element for element, _ in before):
        known[element] = None  # items that cannot be told apart are not merged with
    wanted = dict(after)
    if len(wanted) < len(after):
        raise Untypable(f"duplicate entries for key {_repeated(element for element, _ in after)}")
    merged = []
    for element, item in _in_order(before, after, wanted, known):
        mine = known.get(element, MISSING) if element in wanted else item
        merged.append(merge(type_.element, mine, wanted.get(element, MISSING)))
    return merged


_Items = list[tuple[str, Any]]


def _in_order(
    before: _Items, after: _Items, wanted: dict[str, Any], known: dict[str, Any]
) -> Iterator[tuple[str, Any]]:
    shared = [element for element, _ in after if element in known]
    done: set[str] = set()
    left = right = following_at = 0
    while left < len(before) or right < len(after):
        while following_at < len(shared) and shared[following_at] in done:
            following_at += 1
        following = shared[following_at] if following_at < len(shared) else None
        if left < len(before) and right < len(after):
            element = before[left][0]
            if element == after[right][0]:
                done.add(element)
                yield after[right]
                left, right = left + 1, right + 1
                continue
            if element in wanted and following is not None and following != element:
                left += 1
                continue
        if left < len(before):
            element = before[left][0]
            if element not in wanted:
                yield before[left]
                left += 1
                continue
            if element in done:
                left += 1
        if right < len(after):
            done.add(after[right][0])
            yield after[right]
            right += 1


def _repeated(found: Iterator[str]) -> list[str]:
    seen: set[str] = set()
    repeated: dict[str, None] = {}
    for element in found:
        if element in seen:
            repeated[element] = None
        seen.add(element)
    return list(repeated)


def _collect(type_: Type, value: Any, path: Path, found: FieldSet) -> None:
    form = type_.form_of(value)
    if form == "list" and type_.list is not None:
        if type_.list.keys is None:
            insert(found, path)
        elif isinstance(value, list):
            _collect_items(type_.list, value, path, found)
    elif form == "map" and type_.map is not None:
        if type_.map.atomic:
            insert(found, path)
        elif isinstance(value, dict):
            _collect_fields(type_.map, value, path, found)
    else:
        insert(found, path)


def _collect_items(type_: ListType, items: list[Any], path: Path, found: FieldSet) -> None:
    known = list(elements(type_, items))
    repeated = set(_repeated(element for _, element in known))
    for item, element in known:
        if element not in repeated:
            _collect(type_.element, item, (*path, element), found)
        insert(found, (*path, element))


def _collect_fields(type_: MapType, value: dict[str, Any], path: Path, found: FieldSet) -> None:
    for name, each in value.items():
        here = (*path, field_element(name))
        field_type = type_.type_of(name)
        if field_type is not None:
            _collect(field_type, each, here, found)
        if each is None or each == {} or name not in type_.fields:
            insert(found, here)


def _remove_items(type_: ListType, value: Any, fields: FieldSet) -> Any:
    if not isinstance(value, list) or not value or type_.keys is None:
        return None
    kept, touched = [], False
    for item in value:
        element = item_element(type_, item)
        node = fields.get(element)
        if node is not None and is_member(node):
            continue
        touched = touched or bool(node)
        kept.append(_removed_below(type_.element, item, node) if node else item)
    return kept if kept or touched else None


def _remove_fields(type_: MapType, value: Any, fields: FieldSet) -> Any:
    if not isinstance(value, dict) or not value or type_.atomic:
        return None
    kept, touched = {}, False
    for name, each in value.items():
        node = fields.get(field_element(name))
        if node is not None and is_member(node):
            continue
        touched = touched or bool(node)
        field_type = type_.type_of(name)
        kept[name] = _removed_below(field_type, each, node) if node and field_type is not None else each
    return kept if kept or touched else None


def _removed_below(type_: Type, value: Any, fields: FieldSet) -> Any:
    """What has had something in it stays, even with nothing left in it."""
    left = remove(type_, value, fields)
    return type(value)() if left is None and isinstance(value, dict | list) else left


def _type_below(type_: Type | None, element: str) -> Type | None:
    if type_ is None:
        return None
    if element.startswith("f:"):
        return None if type_.map is None else type_.map.type_of(element[2:])
    return type_.list.element if element.startswith("k:") and type_.list is not None else None


def _problems(type_: Type, value: Any, *, unique: bool) -> Iterator[tuple[str, str]]:
    """Where below the value something is wrong, and what."""
    if value is None:
        return
    form = type_.form_of(value)
    if form == "map" and type_.map is not None:
        yield from _map_problems(type_.map, value, unique=unique)
    elif form == "list" and type_.list is not None:
        yield from _list_problems(type_.list, value, unique=unique)
    else:
        why = _scalar_problem(type_.scalar, value)
        if why:
            yield "", why


def _map_problems(type_: MapType, value: Any, *, unique: bool) -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict):
        yield "", f"expected map, got &{{{_go_text(value)}}}"
        return
    for name, each in value.items():
        field_type = type_.fields.get(name, type_.element)
        if field_type is None:
            yield f".{name}", "field not declared in schema"
            return
        if field_type is not DEDUCED and field_type is not WHOLE and type(each) not in _FITTING[field_type.scalar]:
            for place, why in _problems(field_type, each, unique=unique):
                yield f".{name}{place}", why


def _list_problems(type_: ListType, value: Any, *, unique: bool) -> Iterator[tuple[str, str]]:
    if not isinstance(value, list):
        yield "", f"expected list, got &{{{_go_text(value)}}}"
        return
    seen: set[str] = set()
    for index, item in enumerate(value):
        element = ""
        if type_.keys is not None:
            try:
                element = item_element(type_, item)
            except Untypable as error:
                yield "", f"element {index}: {error}"
                return
            if unique and element in seen:
                yield "", f"duplicate entries for key {path_text((element,))}"
            seen.add(element)
        for place, why in _problems(type_.element, item, unique=unique):
            yield (path_text((element,)) if element else f"[{index}]") + place, why


def _scalar_problem(scalar: str, value: Any) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if scalar == "numeric" and not is_number:
        return f"expected numeric (int or float), got {_go_type(value)}"
    if scalar == "string" and not isinstance(value, str):
        return f"expected string, got &value.valueUnstructured{{Value:{_go_syntax(value)}}}"
    if scalar == "boolean" and not isinstance(value, bool):
        return f"expected boolean, got &{{{_go_text(value)}}}"
    if scalar == "untyped" and isinstance(value, dict | list):
        return f"expected any scalar, got &{{{_go_text(value)}}}"
    return ""


def _at(path: str, why: str) -> str:
    return f"{path}: {why}" if path else why


def _go_type(value: Any) -> str:
    names = {bool: "bool", int: "int64", float: "float64", str: "string", dict: "map[string]interface {}"}
    return names.get(type(value), "[]interface {}")


def _go_text(value: Any) -> str:
    """A value as Go's %v prints it."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{name}:{_go_text(value[name])}" for name in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(_go_text(each) for each in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "<nil>" if value is None else f"{value}"


def _go_syntax(value: Any) -> str:
    """A value as Go's %#v prints it."""
    if isinstance(value, dict):
        inner = ", ".join(f'"{name}":{_go_syntax(value[name])}' for name in sorted(value))
        return f"map[string]interface {{}}{{{inner}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(_go_syntax(each) for each in value)}}}"
    if isinstance(value, str):
        return f'"{value}"'
    return "interface {}(nil)" if value is None else _go_text(value)
