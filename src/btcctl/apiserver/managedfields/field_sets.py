"""Sets of fields, in the very form in which `managedFields` carries them: FieldsV1.

A set is a dict from path elements to nodes: "f:name" is a field of a map, 'k:{"name":"x"}' an item
of a list with keys, 'v:"x"' an item of a list that is a set, "i:0" one by its place. A node is a
dict too: `{}` is a member of the set with nothing below it, `{".": {}, …}` a member with members
below it, and `{…}` no member itself. No node is there for nothing. Sets are never changed once
built; they share what they have in common.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from btcctl import codecs

FieldSet = dict[str, Any]
Path = tuple[str, ...]

SELF = "."
_RANKS = {"f": 0, "k": 1, "v": 2, "i": 3}
#: An item that is known by one text in which nothing is escaped, as most are.
_PLAIN = re.compile(r"[A-Za-z0-9_./:-]*").fullmatch  # a text in which nothing is escaped
_ONE_TEXT = re.compile(r'k:\{"([^"\\]*)":"([^"\\]*)"\}').fullmatch


def field_element(name: str) -> str:
    return f"f:{name}"


def key_element(keys: Mapping[str, Any]) -> str:
    """The element of a list item that is known by these fields of its."""
    if len(keys) > 1:
        keys = dict(sorted(keys.items()))
    return "k:" + _compact(_whole(keys) if float in map(type, keys.values()) else keys)


def text_key_element(name: str, value: str) -> str:
    """The element of an item that is known by one text."""
    return f'k:{{"{name}":"{value}"}}' if _PLAIN(value) else key_element({name: value})


def value_element(value: Any) -> str:
    """The element of an item of a list that is a set."""
    return "v:" + _compact(_whole(value))


def insert(fields: FieldSet, path: Path) -> None:
    """Make a path a member, in place: for a set that is being built. No path is no member."""
    if not path:
        return
    for element in path[:-1]:
        below = fields.get(element)
        if below is None:
            below = fields[element] = {}
        elif not below:
            below[SELF] = {}
        fields = below
    last = fields.get(path[-1])
    if last is None:
        fields[path[-1]] = {}
    elif last:
        last[SELF] = {}


def graft(fields: FieldSet, path: Path, node: FieldSet) -> None:
    """Make a path a member, in place, with all that is below it in `node`: where there was nothing."""
    for element in path[:-1]:
        fields = fields.setdefault(element, {})
    fields[path[-1]] = node


def has(fields: FieldSet, path: Path) -> bool:
    for element in path:
        found = fields.get(element)
        if found is None:
            return False
        fields = found
    return is_member(fields)


def is_member(node: Mapping[str, Any]) -> bool:
    return not node or SELF in node


def below(fields: FieldSet, element: str) -> FieldSet:
    """The set of what is below a path element, which it may be a member of or not."""
    node = fields.get(element)
    return {key: each for key, each in node.items() if key != SELF} if node else {}


def union(left: FieldSet, right: FieldSet) -> FieldSet:
    if not left or not right:
        return left or right
    found = dict(left)
    for element, node in right.items():
        other = found.get(element)
        found[element] = node if other is None else _union_nodes(other, node)
    return found


def union_of_all(sets: Sequence[FieldSet]) -> FieldSet:
    """Of many, two by two: one after the other would go through what there is already each time."""
    if len(sets) < 2:
        return sets[0] if sets else {}
    half = len(sets) // 2
    return union(union_of_all(sets[:half]), union_of_all(sets[half:]))


def difference(left: FieldSet, right: FieldSet) -> FieldSet:
    """What is in `left` and not in `right`; a member does not take along what is below it."""
    return _difference(left, right, recursive=False)


def without_below(left: FieldSet, right: FieldSet) -> FieldSet:
    """What is in `left`, without the members of `right` and all that is below those."""
    return _difference(left, right, recursive=True)


def intersection(left: FieldSet, right: FieldSet) -> FieldSet:
    if len(right) < len(left):
        left, right = right, left
    found: FieldSet = {}
    for element, node in left.items():
        other = right.get(element)
        if element == SELF or other is None:
            continue
        children = intersection(node, other) if node and other else {}
        both = is_member(node) and is_member(other)
        if both or children:
            found[element] = {SELF: {}, **children} if both and children else children
    return found


def contains(fields: FieldSet, others: FieldSet) -> bool:
    """Whether all members of `others` are in `fields`."""
    for element, node in others.items():
        mine = fields.get(element)
        if mine is None or (mine and not (node or SELF in mine)) or (node and not contains(mine, node)):
            return False
    return True


def members(fields: FieldSet, path: Path = ()) -> Iterator[Path]:
    """The paths of all members: those of one level in order first, then what is below each."""
    ordered = sorted((element for element in fields if element != SELF), key=_rank)
    yield from ((*path, element) for element in ordered if is_member(fields[element]))
    for element in ordered:
        yield from members(fields[element], (*path, element))


def of_paths(paths: Iterable[Path]) -> FieldSet:
    found: FieldSet = {}
    for path in paths:
        insert(found, path)
    return found


def ordered(fields: FieldSet) -> FieldSet:
    """The same set with its elements in the order a real server writes them in."""
    if not fields:
        return fields
    elements = sorted(fields)
    if elements[-1][0] not in ".f":  # items sort behind fields, and by more than their text
        _sort_items(elements)
    return {element: ordered(node) if (node := fields[element]) else node for element in elements}


def _sort_items(elements: list[str]) -> None:
    """Those of many items differ, mostly, in one text, by which they are sorted without being taken apart."""
    begin = elements[-1].rpartition(':"')[0] + ':"'
    head = [each for each in elements[:1] if each == SELF]
    items = elements[len(head) :]
    if begin.count('"') == 3 and all(
        each.startswith(begin) and each.count('"') == 4 and "\\" not in each and each.endswith('"}') for each in items
    ):
        items.sort(key=lambda each: each[len(begin) : -2])
        elements[:] = head + items
    else:
        elements.sort(key=_rank)


def decode(fields: Any) -> FieldSet:
    """A set from a client, its elements written as we write them.

    Raises:
        ValueError, TypeError: It is none.
    """
    if not isinstance(fields, dict):
        raise TypeError("fieldsV1 is no object")
    found: FieldSet = {}
    for element, node in fields.items():
        if element == SELF:
            continue
        known = _canonical(element)
        if known is None:
            continue
        children = decode(node)
        if isinstance(node, dict) and SELF in node and children:
            children = {SELF: {}, **children}
        found[known] = children
    return found


def path_text(path: Path) -> str:
    """A path as messages print it: `.spec.ports[port=80,protocol="TCP"].name`."""
    return "".join(_element_text(element) for element in path)


def _union_nodes(left: FieldSet, right: FieldSet) -> FieldSet:
    if not left or not right:
        node = left or right
        return node if is_member(node) else {SELF: {}, **node}
    return union(left, right)


def _difference(left: FieldSet, right: FieldSet, *, recursive: bool) -> FieldSet:
    if not right:
        return left
    found: FieldSet = {}
    for element, node in left.items():
        other = right.get(element)
        if other is None:
            found[element] = node
        elif element != SELF:
            removed = not other or SELF in other
            if removed and (recursive or not node):
                continue
            if not node:
                found[element] = node
                continue
            children = _difference(below(left, element), other, recursive=recursive)
            kept = is_member(node) and not removed
            if kept or children:
                found[element] = {SELF: {}, **children} if kept and children else children
    return found


def _canonical(element: str) -> str | None:
    """None for a kind of element that nobody knows.

    Raises:
        ValueError: It is no element.
    """
    if len(element) < 2 or element[1] != ":":
        raise ValueError(f"missing colon: {element}")
    kind, content = element[0], element[2:]
    if kind == "k":
        return key_element(json.loads(content))
    if kind == "v":
        return value_element(json.loads(content))
    if kind == "i":
        return f"i:{int(content)}"
    return element if kind == "f" else None


def _compact(value: Any) -> str:
    text = codecs.encode_compact(value).decode()
    if "<" not in text and ">" not in text and "&" not in text:
        return text
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _whole(value: Any) -> Any:
    """A whole float is an integer to Go."""
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


@functools.lru_cache(4096)
def _rank(element: str) -> tuple[int, Any]:
    """The order of elements: fields by name, then items by keys, by value, by place."""
    plain = _ONE_TEXT(element)
    if plain is not None:
        return 1, [(plain[1], 1, plain[2])]
    kind, content = element[:1], element[2:]
    if kind == "k":
        return 1, [(name, *_value_rank(value)) for name, value in json.loads(content).items()]
    if kind == "v":
        return 2, _value_rank(json.loads(content))
    if kind == "i":
        return 3, int(content)
    return _RANKS.get(kind, -1), content


def _value_rank(value: Any) -> tuple[int, Any]:
    if isinstance(value, bool):
        return 2, value
    if isinstance(value, int | float):
        return 0, value
    return (1, value) if isinstance(value, str) else (3, repr(value))


def _element_text(element: str) -> str:
    kind, content = element[0], element[2:]
    if kind == "k":
        return "[" + ",".join(f"{name}={_compact(_whole(value))}" for name, value in json.loads(content).items()) + "]"
    if kind == "v":
        return f"[={_compact(_whole(json.loads(content)))}]"
    return f"[{content}]" if kind == "i" else f".{content}"
