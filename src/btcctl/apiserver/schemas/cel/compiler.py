"""Turns an expression into a function: each part is given its type, and a closure that computes it.

An undefined field, an unknown function or operands that do not fit are found here, in the words
of a real server; what this server cannot do is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from operator import itemgetter
from typing import Any

from btcctl.apiserver.schemas.cel.costs import Estimate, Estimator, SizeAt
from btcctl.apiserver.schemas.cel.data import BUDGET, PLAIN, EvaluationError, TypeName, equal, loosely_equal
from btcctl.apiserver.schemas.cel.functions import FUNCTIONS, TYPES, UNSUPPORTED
from btcctl.apiserver.schemas.cel.library.texts import FormatError, check_format
from btcctl.apiserver.schemas.cel.overloads import (
    Run,
    Scope,
    bind,
    direct,
    dispatched,
    fits,
    is_vague,
    selected,
    truth,
)
from btcctl.apiserver.schemas.cel.parts import literals, macros, optionals
from btcctl.apiserver.schemas.cel.parts.part import Part, arguments_of
from btcctl.apiserver.schemas.cel.parts.prices import comparison_cost, has_one_price
from btcctl.apiserver.schemas.cel.syntax import (
    LEAVES,
    MAX_CHARACTERS,
    OPERATORS,
    CompileError,
    Unsupported,
    located,
    parse,
    position_of,
    without_optionals,
)
from btcctl.apiserver.schemas.cel.types import BOOL, DYN, INT, STRING, Type, made_type

_MAX_DEPTH = 250  # of brackets, as cel-go's parser
_LONGEST_LIBRARY = 40  # characters, with spaces: `jsonpatch`


@dataclass
class Program:
    """A compiled expression."""

    type: Type
    run: Run
    names: frozenset[str]  #: the variables it uses
    most_cost: int = 0


def compile_expression(
    text: str, variables: Mapping[str, Type], *, makes_objects: bool = False, size_at: SizeAt | None = None
) -> Program:
    """
    Args:
        makes_objects: Whether it may make objects and patches, as policies do.
        size_at: What is known of the sizes of variables and what is in them.

    Raises:
        CompileError: It cannot be, whoever asks.
        Unsupported: It cannot be here.
    """
    if len(text) > MAX_CHARACTERS:
        why = f"expression code point size exceeds limit: size: {len(text)}, limit {MAX_CHARACTERS}"
        raise CompileError(f"ERROR: <input>:-1:0: {why}")
    if _depth(text) > _MAX_DEPTH:
        raise CompileError(f"ERROR: <input>:-1:0: expression recursion limit exceeded: {_MAX_DEPTH}")
    readable, optionals_at = without_optionals(text)
    compiler = Compiler(text, variables, Estimator(size_at), makes_objects=makes_objects, optionals_at=optionals_at)
    try:
        part = compiler.part(parse(readable))
    except RecursionError:
        raise Unsupported("an expression that is nested so deeply") from None
    problems = compiler.problems or compiler.remarks
    if problems:
        raise CompileError("\n".join(problems))
    return Program(part.type, part.run, frozenset(compiler.used), part.estimate.cost)


def _depth(text: str) -> int:
    """How deep brackets are nested; those in string literals count, too, which is no matter below the limit."""
    depths = accumulate(1 if each in "([{" else -1 for each in text if each in "([{)]}")
    return max(depths, default=0)


class Compiler:
    """Walks the tree once. Problems are gathered, and what has one is of any type."""

    def __init__(
        self,
        text: str,
        variables: Mapping[str, Type],
        estimator: Estimator,
        *,
        makes_objects: bool = False,
        optionals_at: Collection[int] = (),
    ) -> None:
        self.text = text
        self.takes_any = False  # lists may have items of several types
        self._optionals_at = optionals_at
        self.estimator = estimator
        self.makes_objects = makes_objects
        self.variables = dict(variables)
        self.problems: list[str] = []
        self.remarks: list[str] = []  # what is said only of what has no problem
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

    @contextmanager
    def local(self, name: str, type_: Type, estimate: Estimate) -> Iterator[None]:
        """With a variable that hides others of its name."""
        hidden, locals_ = self.variables, self.estimator.locals
        self.variables, self.estimator.locals = {**hidden, name: type_}, {**locals_, name: estimate}
        yield
        self.variables, self.estimator.locals = hidden, locals_

    def is_optional(self, position: int) -> bool:
        """Whether there is a `?` behind the dot or bracket that stands there."""
        return position in self._optionals_at

    def complain(self, position: int, message: str) -> Part:
        self.problems.append(located(self.text, position, message))
        return Part(DYN, lambda _: None)

    def call(self, name: str, position: int, arguments: Sequence[Part], *, is_member: bool = False) -> Part:
        """A call of a function or operator with operands of these types."""
        candidates = [each for each in FUNCTIONS[name] if each.is_member == is_member]
        types = [each.type for each in arguments]
        fitting = [(each, bound) for each in candidates if (bound := bind(each, types)) is not None]
        if not fitting:
            return self.no_overload(position, name, types, is_member=is_member)
        runs, operands = [each.run for each in arguments], [each.operand for each in arguments]
        if any(each.kind == "dyn" or (len(fitting) > 1 and is_vague(each)) for each in types):
            results = {bound.result for _, bound in fitting}
            result = results.pop() if len(results) == 1 else DYN
            made = [overload for overload, _ in fitting]
            cost = self.estimator.call(name, made, operands, result, is_member=is_member)
            return Part(result, dispatched(name, candidates, runs), cost)
        overload, bound = fitting[0]
        cost = self.estimator.call(name, [overload], operands, bound.result, is_member=is_member)
        return Part(bound.result, direct(name, overload, runs), cost)

    def no_overload(self, position: int, name: str, types: Sequence[Type], *, is_member: bool = False) -> Part:
        """That no overload fits operands of these types."""
        shown = [str(each) for each in types]
        shape = f"{shown[0]}.({', '.join(shown[1:])})" if is_member else f"({', '.join(shown)})"
        return self.complain(position, f"found no matching overload for '{name}' applied to '{shape}'")

    def _expr(self, tree: Any) -> Part:
        condition, then, other = (self.part(each) for each in tree.children)
        position = position_of(self.text, tree)
        if condition.type.kind not in {"bool", "dyn"} or not fits(then.type, other.type):
            return self.no_overload(position, "_?_:_", [condition.type, then.type, other.type])
        type_ = then.type if not is_vague(then.type) and then.type.kind != "null" else other.type
        cost = self.estimator.choice(condition.estimate, then.estimate, other.estimate)
        return Part(type_, lambda scope: then.run(scope) if truth(condition.run(scope)) else other.run(scope), cost)

    def _conditionalor(self, tree: Any) -> Part:
        return self._logic(tree, decisive=True)

    def _conditionaland(self, tree: Any) -> Part:
        return self._logic(tree, decisive=False)

    def _logic(self, tree: Any, *, decisive: bool) -> Part:
        left, right = (self.boolean(each) for each in tree.children)
        cost = self.estimator.either(left.estimate, right.estimate)
        return Part(BOOL, macros.either(left.run, right.run, decisive=decisive), cost)

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
        if name == "@in" and right.is_constant and not self.problems:
            return self.call(name, position, [left, right])._replace(run=macros.membership(left.run, right.run({})))
        return self.call(name, position, [left, right])

    def _equality(self, name: str, position: int, left: Part, right: Part) -> Part:
        if not fits(left.type, right.type):
            return self.no_overload(position, name, [left.type, right.type])
        type_ = left.type if not is_vague(left.type) and left.type.kind != "null" else right.type
        wanted = name == "_==_"
        cost = self.estimator.comparison(left.operand, right.operand)
        vague = is_vague(left.type) or is_vague(right.type)
        is_cheap = has_one_price(name, (left.type, right.type))

        left_run, right_run = left.run, right.run

        def run(scope: Scope) -> bool:
            one, other = left_run(scope), right_run(scope)
            if BUDGET in scope:
                scope[BUDGET].spend(1 if is_cheap else comparison_cost(one, other))
            if type(one) is type(other) and type(one) in PLAIN:
                return (one == other) is wanted
            return (loosely_equal(one, other) if vague else equal(type_, one, other)) is wanted

        return Part(BOOL, run, cost)

    def _unary(self, tree: Any) -> Part:
        sign, operand = tree.children
        return self.call("!_" if sign.data == "unary_not" else "-_", sign.meta.start_pos, [self.part(operand)])

    def _member_dot(self, tree: Any) -> Part:
        owner, name, position = self.part(tree.children[0]), str(tree.children[1]), position_of(self.text, tree)
        if self.is_optional(position) or owner.type.kind == "optional_type":
            return optionals.select(self, owner, name, position, is_call=self.is_optional(position))
        return self.field(owner, name, position)

    def field(self, owner: Part, name: str, position: int) -> Part:
        """`owner.name`."""
        type_ = owner.type
        real, below = name, DYN
        if type_.kind == "map":
            below = type_.args[1]
        elif type_.kind == "object":
            if name not in type_.fields:
                return self.complain(position, f"undefined field '{name}'")
            real, below = type_.fields[name]
        elif type_.is_struct:
            below = (made_type(type_.kind) or {}).get(name, DYN)
        elif type_.kind.startswith("kubernetes."):
            return self.complain(position, f"unexpected failed resolution of '{type_}'")
        elif type_.kind != "dyn":
            return self.complain(position, f"type '{type_}' does not support field selection")
        return Part(below, selected(owner.run, name, below, real), self.estimator.field(owner.operand, name, below))

    def _member_index(self, tree: Any) -> Part:
        owner, index = (self.part(each) for each in tree.children)
        position = position_of(self.text, tree)
        if self.is_optional(position) or owner.type.kind == "optional_type":
            return optionals.index(self, owner, index, position)
        found = self.call("_[_]", position, [owner, index])
        if owner.type.kind == "list" and index.type.kind == "dyn":
            raise Unsupported("an index of a type that is not known")
        return found

    def _member_object(self, tree: Any) -> Part:
        return literals.an_object(self, tree)

    def _member_dot_arg(self, tree: Any) -> Part:
        name, arguments = str(tree.children[1]), arguments_of(tree.children[2:])
        qualified = self._qualified(tree.children[0], name)
        if qualified is not None:
            return self.call(qualified, position_of(self.text, tree), [self.part(each) for each in arguments])
        if name in macros.NAMES and len(arguments) in macros.NAMES[name]:
            return macros.expand(self, tree.children[0], name, arguments)
        if name in UNSUPPORTED:
            raise Unsupported(f"the CEL function {name}()")
        position = position_of(self.text, tree)
        if name == "sortBy" and len(arguments) == 2:
            return macros.sorted_by(self, tree.children[0], arguments, position)
        owner = self.part(tree.children[0])
        if name in {"optMap", "optFlatMap"} and len(arguments) == 2:
            return optionals.mapped(self, name, owner, arguments, position)
        if name == "format" and len(arguments) == 1:
            return self._format(owner, arguments[0], position)
        parts = [owner, *(self.part(each) for each in arguments)]
        if name not in FUNCTIONS:
            return self.complain(position, f"undeclared reference to '{name}' (in container '')")
        if name == "matches" and len(parts) == 2:
            self._check_literal(name, parts[1], arguments[0], lambda pattern: FUNCTIONS[name][0].run("", pattern))
        found = self.call(name, position, parts, is_member=True)
        is_choice = name in {"or", "orValue"} and len(parts) == 2
        return optionals.instead(name, found, parts[0].run, parts[1].run) if is_choice else found

    def _check_literal(self, name: str, part: Part, tree: Any, run: Callable[[Any], Any]) -> None:
        """Remark on a literal that a function will not take."""
        if part.is_constant and part.type in {STRING, INT}:
            try:
                run(part.run({}))
            except EvaluationError:
                message = f"invalid {name} argument"
                self.remarks.append(located(self.text, position_of(self.text, tree), message))

    def _format(self, owner: Part, tree: Any, position: int) -> Part:
        """`owner.format([…])`, whose list may be of several types."""
        self.takes_any, before = True, self.takes_any
        items = literals.items_of(tree)
        parts = [self.part(each) for each in items or ()]
        found = self.part(tree) if items is None else literals.list_of_parts(self, items, parts)
        self.takes_any = before
        if owner.is_constant and owner.type == STRING and items is not None and not self.problems:
            try:
                check_format(owner.run({}), [each.type for each in parts])
            except FormatError as error:
                at = position if error.index is None else position_of(self.text, items[error.index])
                self.remarks.append(located(self.text, at, str(error)))
        return self.call("format", position, [owner, found], is_member=True)

    def _qualified(self, owner: Any, name: str) -> str | None:
        """The function whose name has a dot, `sets.contains`, if it is one."""
        if owner.meta.end_pos - owner.meta.start_pos > _LONGEST_LIBRARY:
            return None
        found = f"{''.join(self.text_of(owner).split())}.{name}"
        if found in UNSUPPORTED:
            raise Unsupported(f"the CEL function {found}()")
        return found if found in FUNCTIONS and (self.makes_objects or found != "jsonpatch.escapeKey") else None

    def text_of(self, tree: Any) -> str:
        return self.text[tree.meta.start_pos : tree.meta.end_pos]

    def _ident_arg(self, tree: Any) -> Part:
        name, arguments = str(tree.children[0]), arguments_of(tree.children[1:])
        if name == "has" and len(arguments) == 1:
            return macros.presence(self, arguments[0], position_of(self.text, tree))
        if name in UNSUPPORTED or name == "has":
            raise Unsupported(f"the CEL function {name}()")
        position = position_of(self.text, tree)
        parts = [self.part(each) for each in arguments]
        if name in {"timestamp", "duration"} and len(parts) == 1:
            self._check_literal(name, parts[0], arguments[0], FUNCTIONS[name][0].run)
        if name not in FUNCTIONS or name[0] in "_@!":
            return self.complain(position, f"undeclared reference to '{name}' (in container '')")
        return self.call(name, position, parts)

    def _ident(self, tree: Any) -> Part:
        name = str(tree.children[0])
        if name not in self.variables:
            if name in TYPES:
                value, type_ = TypeName(name), Type("type", (TYPES[name],))
                return Part(type_, lambda _: value, self.estimator.variable(name, type_))
            if name in {"authorizer", "google", "uint", "optional_type"}:
                raise Unsupported(f"the CEL name {name}")
            return self.complain(tree.meta.start_pos, f"undeclared reference to '{name}' (in container '')")
        self.used.add(name)
        type_ = self.variables[name]
        return Part(type_, itemgetter(name), self.estimator.variable(name, type_))

    def _literal(self, tree: Any) -> Part:
        return literals.scalar(tree.children[0])

    def _list_lit(self, tree: Any) -> Part:
        return literals.a_list(self, arguments_of(tree.children), tree.meta.start_pos)

    def _map_lit(self, tree: Any) -> Part:
        return literals.a_map(self, arguments_of(tree.children))
