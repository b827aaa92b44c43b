"""What an expression may cost at most, told before it runs from how large its operands may become.

A real server refuses definitions by these figures: any other figure would refuse others.

Source: github.com/google/cel-go/checker/cost.go, v0.26, and k8s.io/apiserver/pkg/cel/library/cost.go, v0.36.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

from btcctl.apiserver.schemas.cel.library.overload import Overload
from btcctl.apiserver.schemas.cel.types import Type

Path = tuple[str, ...]  #: from a variable through the fields, `@items`, `@values` and `@keys`; () for none
SizeAt = Callable[[Path], int | None]  #: how large what a path leads to may become; None if nobody knows

MOST = 2**64 - 1
LIST_COST, MAP_COST, _STRUCT = 10, 30, 40
_TRAVERSAL, _PATTERN = 0.1, 0.25  # of a character
_FORMAT_PATTERN, _LONGEST_FORMAT = 128, 64
_NETWORK, _MASK = 4, 3  # 32 and 16 bytes, and one
_SCALARS = frozenset(["bool", "int", "double", "duration", "timestamp", "uint"])
_TEXTS = frozenset(["string", "bytes"])
_ORDERS = frozenset(["_<_", "_<=_", "_>_", "_>=_"])
_SEARCHES = frozenset(["isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"])
_COPIES = frozenset(["lowerAscii", "upperAscii", "substring", "trim"])


class Size(NamedTuple):
    """Of a text, bytes, a list or a map."""

    least: int
    most: int

    def plus(self, other: Size) -> Size:
        return Size(_bounded(self.least + other.least), _bounded(self.most + other.most))

    def times(self, other: Size) -> Size:
        return Size(_bounded(self.least * other.least), _bounded(self.most * other.most))

    def union(self, other: Size) -> Size:
        return Size(min(self.least, other.least), max(self.most, other.most))


UNKNOWN = Size(0, MOST)
NOTHING = Size(0, 0)
_ONE, _NONE_YET = Size(1, 1), Size(MOST, 0)


class Estimate(NamedTuple):
    """What is known of a part of an expression.

    Attributes:
        size: None if nobody knows.
        item: Of the items of a list or the values of a map; None if nobody knows.
        key: Of the keys of a map.
        literal: What it is, if it stands there.
    """

    cost: int = 0
    path: Path = ()
    size: Size | None = None
    item: Size | None = None
    key: Size | None = None
    literal: Any = None

    @property
    def extent(self) -> Size:
        return UNKNOWN if self.size is None else self.size


def literal(value: Any) -> Estimate:
    size = len(value) if isinstance(value, str) else 1
    return Estimate(size=Size(size, size), literal=value)


class Operand(NamedTuple):
    """An operand of a function."""

    type: Type
    estimate: Estimate


class Estimator:
    """Estimates parts from their parts.

    Args:
        size_at: What a schema says; None if there is none.
    """

    def __init__(self, size_at: SizeAt | None = None) -> None:
        self._size_at = size_at or (lambda _: None)
        self.locals: dict[str, Estimate] = {}  #: variables of loops

    def size_of(self, type_: Type, path: Path, otherwise: Size | None = None) -> Size | None:
        """What is known of a value by where it comes from, or by its type."""
        most = self._size_at(path) if path else None
        if most is not None:
            return Size(0, most)
        inner = type_.args[0] if type_.kind == "optional_type" and type_.args else type_
        return _ONE if inner.kind in _SCALARS else otherwise

    def variable(self, name: str, type_: Type) -> Estimate:
        known = self.locals.get(name, Estimate(path=(name,)))
        return known._replace(cost=1, size=self.size_of(type_, known.path, known.size))

    def field(self, owner: Operand, name: str, type_: Type) -> Estimate:
        path = (*owner.estimate.path, name)
        step = 1 if owner.type.kind == "map" or owner.type.is_struct else 0
        return Estimate(_bounded(owner.estimate.cost + step), path, self.size_of(type_, path))

    def call(
        self, name: str, overloads: Iterable[Overload], operands: Sequence[Operand], result: Type, *, is_member: bool
    ) -> Estimate:
        """
        Args:
            overloads: All that it may turn out to be.
        """
        estimates = [each.estimate for each in operands]
        if name == "dyn":
            return estimates[0]._replace(cost=_bounded(estimates[0].cost + 1), path=())
        cost, size = 0, None
        for each in overloads:
            found, made = self._function(name, each, operands, is_member=is_member)
            cost = max(cost, found)
            size = made if size is None else size if made is None else size.union(made)
        path: Path = ()
        item = key = None
        if name == "_[_]":
            path, size = (*estimates[0].path, "@items"), estimates[0].item
        if name == "_+_":
            item, key = _union(estimates[0].item, estimates[1].item), _union(estimates[0].key, estimates[1].key)
        total = _bounded(cost + sum(each.cost for each in estimates))
        return Estimate(total, path, size or self.size_of(result, path), item, key)

    def comparison(self, left: Operand, right: Operand) -> Estimate:
        """`==` and `!=`."""
        one, other = left.estimate, right.estimate
        known = _EQUALITY.get(left.type.kind) if left.type == right.type else None
        cost = _compared(one, other) if known is None else known(other)
        return Estimate(_bounded(cost + one.cost + other.cost), size=_ONE)

    def choice(self, condition: Estimate, then: Estimate, other: Estimate) -> Estimate:
        """`condition ? then : other`."""
        cost = _bounded(condition.cost + max(then.cost, other.cost))
        size = then.extent.union(other.extent)
        return Estimate(cost, (), size, _union(then.item, other.item), _union(then.key, other.key))

    def either(self, left: Estimate, right: Estimate) -> Estimate:
        """`||` and `&&`."""
        return Estimate(_bounded(left.cost + right.cost), size=_ONE)

    def a_list(self, items: Sequence[Estimate]) -> Estimate:
        cost = _bounded(LIST_COST + sum(each.cost for each in items))
        return Estimate(cost, (), Size(len(items), len(items)), _union_of(items), _ONE)

    def a_map(self, keys: Sequence[Estimate], values: Sequence[Estimate]) -> Estimate:
        cost = _bounded(MAP_COST + sum(each.cost for each in (*keys, *values)))
        return Estimate(cost, (), Size(len(keys), len(keys)), _union_of(values), _union_of(keys))

    def made(self, fields: Iterable[Estimate]) -> Estimate:
        """`Object{…}`."""
        return Estimate(_bounded(_STRUCT + sum(each.cost for each in fields)))

    def entry(self, items: Operand) -> Estimate:
        """The variable of a loop over them."""
        estimate = items.estimate
        if items.type.kind == "list":
            return Estimate(path=(*estimate.path, "@items"), size=estimate.item)
        return Estimate(path=(*estimate.path, "@keys"), size=estimate.key)

    def loop(self, name: str, items: Estimate, bodies: Sequence[Estimate], variable: Size) -> Estimate:
        """
        Args:
            name: Of the macro.
            variable: How large that of the loop may be.
        """
        body = bodies[0].cost
        if name in {"all", "exists"}:
            return Estimate(_looped(items, body + (3 if name == "all" else 4), around=1), size=_ONE)
        if name == "map":
            step, item = bodies[-1].cost + LIST_COST + 2, bodies[-1].extent
            step = body + step if len(bodies) == 2 else step
        elif name == "filter":
            step, item = body + LIST_COST + 3, variable
        else:  # exists_one
            return Estimate(_looped(items, body + 2, around=2), size=_ONE)
        return Estimate(_looped(items, step, around=LIST_COST + 1), (), items.extent, Size(0, item.most), _ONE)

    def _function(
        self, name: str, overload: Overload, operands: Sequence[Operand], *, is_member: bool
    ) -> tuple[int, Size | None]:
        """What a call itself costs, and the size of what it gives; None if that is not told by it."""
        kinds = [each.kind for each in overload.arguments]
        sizes = [each.estimate.extent for each in operands]
        if name == "_+_" and kinds[0] in {*_TEXTS, "list"}:
            size = sizes[0].plus(sizes[1])
            return (1 if kinds[0] == "list" else _traversed(size)), size
        if name in _ORDERS and kinds[0] in _TEXTS:
            return _compared(operands[0].estimate, operands[1].estimate), None
        if name == "@in" and kinds[1] == "list":
            return sizes[1].most, None
        known = _MEMBERS.get(name) if is_member else _GLOBALS.get(name) or _GLOBALS.get(f"{name}({','.join(kinds)})")
        if known is not None:
            return known(sizes, operands)
        if name in _SEARCHES:
            return self._searched(operands[0], sizes[0]), None
        if name == "join":
            return self._joined(operands, sizes)
        return 1, None

    def _item(self, items: Operand) -> Size:
        most = self._size_at((*items.estimate.path, "@items")) if items.estimate.path else None
        return UNKNOWN if most is None else Size(0, most)

    def _searched(self, items: Operand, size: Size) -> int:
        if not items.type.args:
            return _traversed(size)  # a text
        step = 1
        if items.type.args[0].kind in _TEXTS:
            step = _bounded(1 + _traversed(self._item(items)))
        return _bounded(size.most * step)

    def _joined(self, operands: Sequence[Operand], sizes: Sequence[Size]) -> tuple[int, Size]:
        size = sizes[0].times(self._item(operands[0])) if operands[0].type.args else NOTHING
        if len(sizes) > 1:
            between = Size(max(sizes[0].least - 1, 0), max(sizes[0].most - 1, 0))
            size = size.plus(sizes[1].times(between))
        return _traversed(size), size


def _bounded(value: int) -> int:
    return min(value, MOST)


def _scaled(value: int, factor: float) -> int:
    return _bounded(ceil(float(value) * factor))


def _traversed(size: Size) -> int:
    return _scaled(size.most, _TRAVERSAL)


def _compared(left: Estimate, right: Estimate) -> int:
    return _scaled(min(left.extent.most, right.extent.most), _TRAVERSAL)


def _union(one: Size | None, other: Size | None) -> Size | None:
    return None if one is None or other is None else one.union(other)


def _union_of(parts: Sequence[Estimate]) -> Size:
    found = _NONE_YET if parts else NOTHING
    for each in parts:
        found = found.union(each.extent)
    return found


def _looped(items: Estimate, step: int, *, around: int) -> int:
    return _bounded(items.cost + _bounded(items.extent.most * step) + around)


_Sizes = Sequence[Size]
_Operands = Sequence[Operand]


def _matched(sizes: _Sizes, _: _Operands) -> tuple[int, Size | None]:
    text = _traversed(sizes[0].plus(_ONE))
    return _bounded(text * _scaled(sizes[1].most, _PATTERN)), None


def _found(sizes: _Sizes, operands: _Operands) -> tuple[int, Size | None]:
    return _matched(sizes, operands)[0], Size(0, sizes[0].most)


def _contained(sizes: _Sizes, _: _Operands) -> tuple[int, Size | None]:
    return _bounded(_traversed(sizes[0]) * _traversed(sizes[1])), None


def _begun(sizes: _Sizes, _: _Operands) -> tuple[int, Size | None]:
    return _traversed(sizes[1]), None


def _copied(sizes: _Sizes, _: _Operands) -> tuple[int, Size | None]:
    return _traversed(sizes[0]), sizes[0]


def _split(sizes: _Sizes, operands: _Operands) -> tuple[int, Size | None]:
    limit = operands[2].estimate.literal if len(operands) > 2 else None
    most = sizes[0].most if not isinstance(limit, int) else limit % (MOST + 1)
    return _scaled(sizes[0].most, 2 * _TRAVERSAL), Size(0, most)


def _replacements(length: int, old: int, *, are_no_gain: bool) -> tuple[int, int]:
    """How often a text of this length is counted as replaced, and how much of it as kept."""
    if old == 0:
        return _bounded(length + 1), length
    if are_no_gain:
        return 0, length
    return ceil(float(length) / float(old)), 0


def _replaced(sizes: _Sizes, _: _Operands) -> tuple[int, Size | None]:
    text, old, new = sizes[:3]
    count, kept = _replacements(text.most, old.least, are_no_gain=new.most <= old.least)
    fewest, rest = _replacements(text.least, old.most, are_no_gain=old.most <= new.least)
    size = Size(_bounded(fewest), _bounded(count)).times(new).plus(Size(rest, kept))
    return _scaled(text.most, 2 * _TRAVERSAL), size


def _parsed(sizes: _Sizes, _: _Operands) -> tuple[int, Size | None]:
    return _traversed(sizes[0]), None


def _parsed_twice(sizes: _Sizes, _: _Operands) -> tuple[int, Size | None]:
    return _scaled(sizes[0].most, 2 * _TRAVERSAL), None


def _decoded(sizes: _Sizes, _: _Operands) -> tuple[int, Size | None]:
    return _traversed(sizes[0]), Size(sizes[0].least // 4, sizes[0].most)


def _encoded(sizes: _Sizes, _: _Operands) -> tuple[int, Size | None]:
    return _traversed(sizes[0]), sizes[0].times(Size(1, 4))


def _validated(sizes: _Sizes, _: _Operands) -> tuple[int, Size | None]:
    return _scaled(_traversed(sizes[1]), _FORMAT_PATTERN * _PATTERN), None


def _in_network(sizes: _Sizes, operands: _Operands) -> tuple[int, Size | None]:
    return _NETWORK + (_traversed(sizes[1]) if operands[1].type.kind == "string" else 0), None


def _network_in(sizes: _Sizes, operands: _Operands) -> tuple[int, Size | None]:
    return _in_network(sizes, operands)[0] + _MASK, None


def _of_sets(factor: int) -> Callable[[_Sizes, _Operands], tuple[int, Size | None]]:
    return lambda sizes, _: (_bounded(sizes[0].most * sizes[1].most * factor + 1), None)


def _listed(size: Size, factor: float = 1) -> tuple[int, Size | None]:
    return _bounded(_scaled(size.most, factor) + LIST_COST + 1), size


def _number(operand: Operand, otherwise: int) -> int:
    value = operand.estimate.literal
    return max(value, 0) if type(value) is int else otherwise


def _sliced(sizes: _Sizes, operands: _Operands) -> tuple[int, Size | None]:
    length = (_number(operands[2], sizes[0].most) - _number(operands[1], 0)) % (MOST + 1)
    return _listed(Size(length, length))


def _ranged(_: _Sizes, operands: _Operands) -> tuple[int, Size | None]:
    length = _number(operands[0], MOST)
    return _listed(Size(length, length))


def _flattened(sizes: _Sizes, operands: _Operands) -> tuple[int, Size | None]:
    return _listed(sizes[0], float(_number(operands[1], MOST)) if len(operands) > 1 else 1)


def _ordered(sizes: _Sizes, operands: _Operands) -> tuple[int, Size | None]:
    kind = operands[-1].type.args[0].kind if operands[-1].type.args else ""
    return _listed(sizes[-1].times(sizes[-1]), 2 + _TRAVERSAL if kind in _TEXTS else 2)


def _distinct(sizes: _Sizes, _: _Operands) -> tuple[int, Size | None]:
    return _listed(sizes[0].times(sizes[0]), 2)


#: `==` of two values of one of these types, from what is known of the right one.
_EQUALITY: Mapping[str, Callable[[Estimate], int]] = {
    **dict.fromkeys(("net.IP", "net.CIDR", "kubernetes.Quantity", "kubernetes.Semver"), lambda _: 1),
    "kubernetes.NamedFormat": lambda _: _scaled(_LONGEST_FORMAT, _TRAVERSAL),
    "kubernetes.URL": lambda right: 1 if right.size is None else _traversed(right.size),
}
_GLOBALS: Mapping[str, Callable[[_Sizes, _Operands], tuple[int, Size | None]]] = {
    **dict.fromkeys(("cidr", "isIP", "isCIDR", "ip", "quantity", "isQuantity", "semver", "isSemver"), _parsed),
    "url": _copied, "jsonpatch.escapeKey": _copied, "ip.isCanonical": _parsed_twice,
    "sets.contains": _of_sets(1), "sets.intersects": _of_sets(1), "sets.equivalent": _of_sets(2),
    "strings.quote": lambda sizes, _: (_traversed(sizes[0]), sizes[0].times(Size(1, 2)).plus(Size(2, 2))),
    "lists.range": _ranged, "string(bytes)": _decoded, "bytes(string)": _encoded,
}  # fmt: skip
_MEMBERS: Mapping[str, Callable[[_Sizes, _Operands], tuple[int, Size | None]]] = {
    "matches": _matched, "find": _found, "findAll": _found, "contains": _contained, "startsWith": _begun,
    "endsWith": _begun, "split": _split, "replace": _replaced, **dict.fromkeys(_COPIES, _copied),
    "format": lambda sizes, _: (_traversed(sizes[0]), None),
    "validate": _validated, "containsIP": _in_network, "containsCIDR": _network_in, "slice": _sliced,
    "flatten": _flattened, "sort": _ordered, "@sortByAssociatedKeys": _ordered, "distinct": _distinct,
    "reverse": lambda sizes, _: _listed(sizes[0]),
}  # fmt: skip
