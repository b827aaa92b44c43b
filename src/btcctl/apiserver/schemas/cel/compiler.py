"""Turns an expression into a function: each part is given its type, and a closure that computes it.

An undefined field, an unknown function or operands that do not fit are found here, in the words
of a real server; what this server cannot do is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple

from btcctl.apiserver.schemas.cel import macros
from btcctl.apiserver.schemas.cel.data import (
    BUDGET,
    Duration,
    EvaluationError,
    Optional,
    Timestamp,
    equal,
    loosely_equal,
    read,
)
from btcctl.apiserver.schemas.cel.functions import FUNCTIONS, UNSUPPORTED, Overload
from btcctl.apiserver.schemas.cel.syntax import (
    LEAVES,
    OPERATORS,
    CompileError,
    Unsupported,
    located,
    number_of,
    parse,
    position_of,
    text_of,
)
from btcctl.apiserver.schemas.cel.types import BOOL, DOUBLE, DYN, INT, NULL, STRING, Type, list_of, map_of

Scope = dict[str, Any]  #: the values of the variables
Run = Callable[[Scope], Any]

_MAX_DEPTH = 250  # of brackets, as cel-go's parser
_NULLABLE = frozenset(["null", "object", "dyn", "timestamp", "duration", "optional_type"])


class Part(NamedTuple):
    """A part of an expression: its type, and what computes it."""

    type: Type
    run: Run


@dataclass
class Program:
    """A compiled expression."""

    type: Type
    run: Run
    names: frozenset[str]  #: the variables it uses


def compile_expression(text: str, variables: Mapping[str, Type]) -> Program:
    """
    Raises:
        CompileError: It cannot be, whoever asks.
        Unsupported: It cannot be here.
    """
    if _depth(text) > _MAX_DEPTH:
        raise CompileError(f"ERROR: <input>:-1:0: expression recursion limit exceeded: {_MAX_DEPTH}")
    compiler = Compiler(text, variables)
    try:
        part = compiler.part(parse(text))
    except RecursionError:
        raise Unsupported("an expression that is nested so deeply") from None
    if compiler.problems:
        raise CompileError("\n".join(compiler.problems))
    return Program(part.type, part.run, frozenset(compiler.used))


def _depth(text: str) -> int:
    """How deep brackets are nested; those in string literals count, too, which is no matter below the limit."""
    depths = accumulate(1 if each in "([{" else -1 for each in text if each in "([{)]}")
    return max(depths, default=0)


class Compiler:
    """Walks the tree once. Problems are gathered, and what has one is of any type."""

    def __init__(self, text: str, variables: Mapping[str, Type]) -> None:
        self.text = text
        self.variables = dict(variables)
        self.problems: list[str] = []
        self.used: set[str] = set()

    def part(self, tree: Any) -> Part:
        """The part a tree stands for."""
        children = tree.children
        if len(children) == 1 and tree.data not in LEAVES:
            return self.part(children[0])
        handler = getattr(self, f"_{tree.data}", None)
        if handler is None:
            raise Unsupported(f"{tree.data} in {self.text!r}")
        found: Part = handler(tree)
        return found

    def complain(self, position: int, message: str) -> Part:
        self.problems.append(located(self.text, position, message))
        return Part(DYN, lambda _: None)

    def call(self, name: str, position: int, arguments: Sequence[Part], *, is_member: bool = False) -> Part:
        """A call of a function or operator with operands of these types."""
        candidates = [each for each in FUNCTIONS[name] if each.is_member == is_member]
        types = [each.type for each in arguments]
        fitting = [(each, bound) for each in candidates if (bound := _bind(each, types)) is not None]
        if not fitting:
            return self._no_overload(position, name, types, is_member=is_member)
        runs = [each.run for each in arguments]
        if any(_is_vague(each) for each in types) and len(fitting) > 1:
            results = {bound.result for _, bound in fitting}
            result = results.pop() if len(results) == 1 else DYN
            return Part(result, _dispatched(candidates, runs))
        overload, bound = fitting[0]
        return Part(bound.result, _direct(overload.run, runs))

    def _no_overload(self, position: int, name: str, types: Sequence[Type], *, is_member: bool = False) -> Part:
        shown = [str(each) for each in types]
        shape = f"{shown[0]}.({', '.join(shown[1:])})" if is_member else f"({', '.join(shown)})"
        return self.complain(position, f"found no matching overload for '{name}' applied to '{shape}'")

    def _expr(self, tree: Any) -> Part:
        condition, then, other = (self.part(each) for each in tree.children)
        position = position_of(self.text, tree)
        if condition.type.kind not in {"bool", "dyn"} or not _fits(then.type, other.type):
            return self._no_overload(position, "_?_:_", [condition.type, then.type, other.type])
        type_ = then.type if not _is_vague(then.type) and then.type.kind != "null" else other.type
        return Part(type_, lambda scope: then.run(scope) if _truth(condition.run(scope)) else other.run(scope))

    def _conditionalor(self, tree: Any) -> Part:
        return self._logic(tree, decisive=True)

    def _conditionaland(self, tree: Any) -> Part:
        return self._logic(tree, decisive=False)

    def _logic(self, tree: Any, *, decisive: bool) -> Part:
        left, right = (self.boolean(each) for each in tree.children)
        return Part(BOOL, macros.either(left.run, right.run, decisive=decisive))

    def boolean(self, tree: Any) -> Part:
        """A part that must be true or false."""
        part = self.part(tree)
        if part.type.kind in {"bool", "dyn"}:
            return part
        return self.complain(position_of(self.text, tree), f"expected type 'bool' but found '{part.type}'")

    def _relation(self, tree: Any) -> Part:
        return self._binary(tree)

    def _addition(self, tree: Any) -> Part:
        return self._binary(tree)

    def _multiplication(self, tree: Any) -> Part:
        return self._binary(tree)

    def _binary(self, tree: Any) -> Part:
        operator, right_tree = tree.children
        name, position = OPERATORS[operator.data][0], position_of(self.text, tree)
        left, right = self.part(operator.children[0]), self.part(right_tree)
        if name in {"_==_", "_!=_"}:
            return self._equality(name, position, left, right)
        return self.call(name, position, [left, right])

    def _equality(self, name: str, position: int, left: Part, right: Part) -> Part:
        if not _fits(left.type, right.type):
            return self._no_overload(position, name, [left.type, right.type])
        type_ = left.type if not _is_vague(left.type) and left.type.kind != "null" else right.type
        wanted = name == "_==_"
        vague = _is_vague(left.type) or _is_vague(right.type)
        if vague:
            return Part(BOOL, lambda scope: loosely_equal(left.run(scope), right.run(scope)) is wanted)
        return Part(BOOL, lambda scope: equal(type_, left.run(scope), right.run(scope)) is wanted)

    def _unary(self, tree: Any) -> Part:
        sign, operand = tree.children
        return self.call("!_" if sign.data == "unary_not" else "-_", sign.meta.start_pos, [self.part(operand)])

    def _member_dot(self, tree: Any) -> Part:
        return self.field(self.part(tree.children[0]), str(tree.children[1]), position_of(self.text, tree))

    def field(self, owner: Part, name: str, position: int) -> Part:
        """`owner.name`."""
        type_ = owner.type
        if type_.kind == "map":
            return Part(type_.args[1], _field(owner.run, name, type_.args[1]))
        if type_.kind == "dyn":
            return Part(DYN, _field(owner.run, name, DYN))
        if type_.kind == "optional_type":
            raise Unsupported("fields of optional values")
        if type_.kind != "object":
            return self.complain(position, f"type '{type_}' does not support field selection")
        if name not in type_.fields:
            return self.complain(position, f"undefined field '{name}'")
        real, below = type_.fields[name]
        return Part(below, _field(owner.run, name, below, real))

    def _member_index(self, tree: Any) -> Part:
        owner, index = (self.part(each) for each in tree.children)
        position = position_of(self.text, tree)
        found = self.call("_[_]", position, [owner, index])
        if owner.type.kind == "list" and index.type.kind == "dyn":
            raise Unsupported("an index of a type that is not known")
        return found

    def _member_dot_arg(self, tree: Any) -> Part:
        name, arguments = str(tree.children[1]), _arguments(tree.children[2:])
        if name in macros.NAMES and len(arguments) in macros.NAMES[name]:
            return macros.expand(self, tree.children[0], name, arguments)
        if name in UNSUPPORTED or self._is_library(tree.children[0]):
            raise Unsupported(f"the CEL function {name}()")
        position = position_of(self.text, tree)
        owner = self.part(tree.children[0])
        parts = [owner, *(self.part(each) for each in arguments)]
        if name not in FUNCTIONS:
            return self.complain(position, f"undeclared reference to '{name}' (in container '')")
        return self.call(name, position, parts, is_member=True)

    def _is_library(self, tree: Any) -> bool:
        """Whether it is the `math` of `math.greatest(…)`."""
        name = self.text[tree.meta.start_pos : tree.meta.end_pos]
        return name in UNSUPPORTED and name not in self.variables

    def _ident_arg(self, tree: Any) -> Part:
        name, arguments = str(tree.children[0]), _arguments(tree.children[1:])
        if name == "has" and len(arguments) == 1:
            return macros.presence(self, arguments[0], position_of(self.text, tree))
        if name in UNSUPPORTED or name in {"type", "has"}:
            raise Unsupported(f"the CEL function {name}()")
        position = position_of(self.text, tree)
        parts = [self.part(each) for each in arguments]
        if name not in FUNCTIONS or name.startswith("_"):
            return self.complain(position, f"undeclared reference to '{name}' (in container '')")
        return self.call(name, position, parts)

    def _ident(self, tree: Any) -> Part:
        name = str(tree.children[0])
        if name not in self.variables:
            if name in UNSUPPORTED or name in {"int", "string", "bool", "double", "list", "map", "null_type", "type"}:
                raise Unsupported(f"the CEL name {name}")
            return self.complain(tree.meta.start_pos, f"undeclared reference to '{name}' (in container '')")
        self.used.add(name)
        return Part(self.variables[name], lambda scope: scope[name])

    def _literal(self, tree: Any) -> Part:
        token = tree.children[0]
        text = str(token)
        if token.type in {"INT_LIT", "FLOAT_LIT"}:
            number = number_of(token.type, text)
            return Part(INT if token.type == "INT_LIT" else DOUBLE, lambda _: number)
        if token.type in {"STRING_LIT", "MLSTRING_LIT"}:
            value = text_of(text)
            return Part(STRING, lambda _: value)
        if token.type in {"BOOL_LIT", "NULL_LIT"}:
            known = {"true": True, "false": False}.get(text)
            return Part(NULL if known is None else BOOL, lambda _: known)
        raise Unsupported(f"the literal {text}")

    def _list_lit(self, tree: Any) -> Part:
        trees = _arguments(tree.children)
        parts = [self.part(each) for each in trees]
        types = {each.type for each in parts}
        for index, each in enumerate(parts):
            if not _fits(parts[0].type, each.type):
                message = f"expected type '{parts[0].type}' but found '{each.type}'"
                return self.complain(trees[index].meta.start_pos, message)
        runs = [each.run for each in parts]
        return Part(list_of(types.pop() if types else DYN), lambda scope: [run(scope) for run in runs])

    def _map_lit(self, tree: Any) -> Part:
        trees = tree.children[0].children if tree.children else []
        keys = [self.part(each) for each in trees[::2]]
        held = [self.part(each) for each in trees[1::2]]
        if len({each.type for each in keys}) > 1 or len({each.type for each in held}) > 1:
            raise Unsupported("a map of several types")
        type_ = map_of(keys[0].type, held[0].type) if keys else map_of(DYN, DYN)
        pairs = [(key.run, value.run) for key, value in zip(keys, held, strict=True)]
        return Part(type_, lambda scope: {key(scope): value(scope) for key, value in pairs})


def _arguments(trees: Sequence[Any]) -> list[Any]:
    return list(trees[0].children) if trees else []


def _is_vague(type_: Type) -> bool:
    return type_.kind == "dyn" or any(_is_vague(each) for each in type_.args)


def _fits(one: Type, other: Type) -> bool:
    """Whether values of the two types can be compared, or stand for each other."""
    if "dyn" in {one.kind, other.kind}:
        return True
    if "null" in {one.kind, other.kind}:
        return {one.kind, other.kind} <= _NULLABLE
    if one.kind == "object":
        return one == other
    return one.kind == other.kind and all(_fits(*each) for each in zip(one.args, other.args, strict=False))


def _bind(overload: Overload, types: Sequence[Type]) -> Overload | None:
    """The overload with its free types bound; None if the operands do not fit."""
    bound: dict[Type, Type] = {}
    if len(overload.arguments) != len(types):
        return None
    fits = all(_match(wanted, found, bound) for wanted, found in zip(overload.arguments, types, strict=True))
    return overload._replace(result=_filled(overload.result, bound)) if fits else None


def _match(wanted: Type, found: Type, bound: dict[Type, Type]) -> bool:
    if wanted.kind.startswith("<"):
        if wanted not in bound or _is_vague(bound[wanted]):
            bound[wanted] = found
            return True
        return _fits(bound[wanted], found)
    if found.kind == "dyn":
        for each in wanted.args:
            _match(each, found, bound)
        return True
    return wanted.kind == found.kind and all(_match(w, f, bound) for w, f in zip(wanted.args, found.args, strict=False))


def _filled(type_: Type, bound: Mapping[Type, Type]) -> Type:
    if type_ in bound:
        return bound[type_]
    return Type(type_.kind, tuple(_filled(each, bound) for each in type_.args)) if type_.args else type_


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise EvaluationError("no such overload")
    return value


def _direct(function: Callable[..., Any], runs: Sequence[Run]) -> Run:
    def run(scope: Scope) -> Any:
        operands = [each(scope) for each in runs]
        try:
            return function(*operands)
        except (TypeError, AttributeError) as error:  # null where the type is another
            raise EvaluationError("no such overload") from error

    return run


def _dispatched(overloads: Sequence[Overload], runs: Sequence[Run]) -> Run:
    """Finds the overload by the values: the types were not known before."""
    known: dict[tuple[type, ...], Overload | None] = {}  # by Python's types: few, and each found once

    def run(scope: Scope) -> Any:
        budget = scope.get(BUDGET)
        if budget is not None:
            budget.spend(1)  # the least that a real server counts for a call
        operands = [each(scope) for each in runs]
        key = tuple(type(each) for each in operands)
        if key not in known:
            types = [_type_of_value(each) for each in operands]
            known[key] = next((each for each in overloads if _bind(each, types) is not None), None)
        overload = known[key]
        if overload is None:
            raise EvaluationError("no such overload")
        return overload.run(*operands)

    return run


def _type_of_value(value: Any) -> Type:
    kinds: dict[type, str] = {
        bool: "bool", int: "int", float: "double", str: "string", bytes: "bytes", list: "list", dict: "map",
        Duration: "duration", Timestamp: "timestamp", Optional: "optional_type",
    }  # fmt: skip
    return Type(kinds.get(type(value), "null"))


def _field(owner: Run, name: str, type_: Type, real: str | None = None) -> Run:
    """
    Args:
        real: The field's name in the object, if it is another.
    """
    key = name if real is None else real

    def run(scope: Scope) -> Any:
        value = owner(scope)
        if not isinstance(value, Mapping):
            raise EvaluationError("no such overload")
        if key not in value:
            raise EvaluationError(f"no such key: {name}")
        return read(type_, value[key])

    return run
