"""Literals: scalars, lists, maps, and the objects that policies make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from btcctl.apiserver.schemas.cel import overloads
from btcctl.apiserver.schemas.cel.costs import Estimate, literal
from btcctl.apiserver.schemas.cel.data import Made
from btcctl.apiserver.schemas.cel.overloads import Run, fits, is_less_specific
from btcctl.apiserver.schemas.cel.parts.part import Part, arguments_of
from btcctl.apiserver.schemas.cel.syntax import LEAVES, Unsupported, located, number_of, position_of, text_of
from btcctl.apiserver.schemas.cel.types import (
    BOOL,
    DOUBLE,
    DYN,
    INT,
    NULL,
    STRING,
    Type,
    list_of,
    made_type,
    map_of,
)

if TYPE_CHECKING:
    from btcctl.apiserver.schemas.cel.compiler import Compiler


def scalar(token: Any) -> Part:
    """
    Raises:
        Unsupported: It is of a kind that this server does not know.
    """
    text = str(token)
    if token.type in {"INT_LIT", "FLOAT_LIT"}:
        number = number_of(token.type, text)
        type_ = INT if token.type == "INT_LIT" else DOUBLE
        return Part(type_, lambda _: number, literal(number), is_constant=True)
    if token.type in {"STRING_LIT", "MLSTRING_LIT"}:
        value = text_of(text)
        return Part(STRING, lambda _: value, literal(value), is_constant=True)
    if token.type in {"BOOL_LIT", "NULL_LIT"}:
        known = {"true": True, "false": False}.get(text)
        return Part(NULL if known is None else BOOL, lambda _: known, literal(known), is_constant=True)
    raise Unsupported(f"the literal {text}")


def a_list(compiler: Compiler, trees: Sequence[Any], position: int) -> Part:
    """`[…]`.

    Raises:
        Unsupported: An item may not be there.
    """
    if compiler.is_optional(position):
        raise Unsupported("a list of what may not be there")
    return list_of_parts(compiler, trees, [compiler.part(each) for each in trees])


def list_of_parts(compiler: Compiler, trees: Sequence[Any], parts: Sequence[Part]) -> Part:
    """A list of items that have been looked at."""
    item = _common_type(compiler, trees, parts, is_list=True)
    runs = [each.run for each in parts]
    cost = compiler.estimator.a_list([each.estimate for each in parts])
    if all(each.is_constant for each in parts):
        made = [run({}) for run in runs]
        return Part(list_of(item), lambda _: made, cost, is_constant=True)
    return Part(list_of(item), overloads.a_list(runs), cost)


def items_of(tree: Any) -> list[Any] | None:
    """Those of a list literal; None if it is something else."""
    while len(tree.children) == 1 and tree.data not in LEAVES:
        tree = tree.children[0]
    return arguments_of(tree.children) if tree.data == "list_lit" else None


def a_map(compiler: Compiler, trees: Sequence[Any]) -> Part:
    """`{…}`.

    Args:
        trees: Keys and values in turn.
    """
    parts = [compiler.part(each) for each in trees]
    keys, held = parts[::2], parts[1::2]
    type_ = map_of(_common_type(compiler, trees[::2], keys), _common_type(compiler, trees[1::2], held))
    pairs = [(key.run, value.run) for key, value in zip(keys, held, strict=True)]
    cost = compiler.estimator.a_map([each.estimate for each in keys], [each.estimate for each in held])
    return Part(type_, overloads.a_map(pairs), cost)


def an_object(compiler: Compiler, tree: Any) -> Part:
    """`Object.spec{replicas: 1}`."""
    name_tree, fields = tree.children[0], arguments_of(tree.children[1:])
    name = "".join(compiler.text_of(name_tree).split())
    known = made_type(name) if compiler.makes_objects else None
    if known is None:
        message = f"undeclared reference to '{name}' (in container '')"
        return compiler.complain(position_of(compiler.text, tree), message)
    runs: dict[str, Run] = {}
    costs: list[Estimate] = []
    for token, value_tree in zip(fields[::2], fields[1::2], strict=True):
        value, wanted = compiler.part(value_tree), known.get(str(token), DYN)
        if not fits(wanted, value.type):
            position = compiler.text.index(":", token.end_pos)
            message = f"expected type of field '{token}' is '{wanted}' but provided type is '{value.type}'"
            return compiler.complain(position, message)
        runs[str(token)] = value.run
        costs.append(value.estimate)
    cost = compiler.estimator.made(costs)
    return Part(Type(name), lambda scope: Made(name, {field: run(scope) for field, run in runs.items()}), cost)


def _common_type(compiler: Compiler, trees: Sequence[Any], parts: Sequence[Part], *, is_list: bool = False) -> Type:
    """The type that all items of a literal have; of any type if there are none, or one does not fit."""
    found = first = parts[0].type if parts else DYN
    remarks: list[str] = []
    for tree, each in zip(trees, parts, strict=True):
        if compiler.takes_any:
            found = found if is_less_specific(found, each.type) else each.type if fits(found, each.type) else DYN
            continue
        if not fits(found, each.type):
            message = f"expected type '{found}' but found '{each.type}'"
            return compiler.complain(position_of(compiler.text, tree), message).type
        if str(first) != str(each.type) and not each.is_empty and not parts[0].is_empty:
            message = f"expected type '{first}' but found '{each.type}'"
            remarks.append(located(compiler.text, position_of(compiler.text, tree), message))
        found = found if is_less_specific(found, each.type) else each.type
    compiler.remarks += remarks[:1] if is_list else remarks
    return found
