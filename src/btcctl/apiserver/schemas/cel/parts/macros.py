"""What looks like a function and is more: has, all, exists, exists_one, filter, map."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from btcctl.apiserver.schemas.cel.costs import LIST_COST
from btcctl.apiserver.schemas.cel.data import BUDGET, EvaluationError, loosely_equal, read
from btcctl.apiserver.schemas.cel.overloads import Run, Scope, truth
from btcctl.apiserver.schemas.cel.parts.part import Part
from btcctl.apiserver.schemas.cel.syntax import LEAVES, Unsupported, position_of
from btcctl.apiserver.schemas.cel.types import BOOL, DYN, Type, list_of

if TYPE_CHECKING:
    from btcctl.apiserver.schemas.cel.compiler import Compiler

#: How many arguments each takes.
NAMES: Mapping[str, frozenset[int]] = {
    "all": frozenset([2]),
    "exists": frozenset([2]),
    "exists_one": frozenset([2]),
    "existsOne": frozenset([2]),
    "filter": frozenset([2]),
    "map": frozenset([2, 3]),
}


#: What a step of a loop costs a real server beside its body; measured on 1.36.2 as 3.0, 4.0, 12.0 and more than 2.
_STEP_COSTS = {"all": 3, "exists": 4, "map": LIST_COST + 2}
_LEAST_STEP_COST = 2
#: Members whose arguments are evaluated if it comes to that.
_LAZY = frozenset([*NAMES, "or", "orValue", "optMap", "optFlatMap", "sortBy"])
#: What errors call the types of values that are no lists.
_GO_TYPES = {int: "types.Int", str: "types.String", bool: "types.Bool", float: "types.Double", bytes: "types.Bytes"}
#: Values of these types that need no reading, by Python's type.
_PLAIN = {"int": int, "string": str, "bool": bool, "double": float}
#: Of a body, for what is in it that costs a real server nothing, and time: literals, fields, `&&`.
_WORDS_FOR_ONE = 5


def presence(compiler: Compiler, tree: Any, position: int) -> Part:
    """`has(owner.field)`."""
    while len(tree.children) == 1 and tree.data not in LEAVES | {"member_dot"}:
        tree = tree.children[0]
    if tree.data != "member_dot":
        return compiler.complain(tree.meta.start_pos, "invalid argument to has() macro")
    if compiler.is_optional(position_of(compiler.text, tree)):
        return compiler.complain(position_of(compiler.text, tree), "invalid argument to has() macro")
    owner, name = compiler.part(tree.children[0]), str(tree.children[1])
    if owner.type.kind == "optional_type":
        raise Unsupported("has() of what is optional")
    found = compiler.field(owner, name, position)
    real = owner.type.fields[name][0] if name in owner.type.fields else name
    cost = owner.estimate._replace(path=(), size=compiler.estimator.size_of(BOOL, ()), item=None, key=None)
    return found._replace(type=BOOL, run=lambda scope: _is_there(owner.run(scope), real), estimate=cost)


def expand(compiler: Compiler, range_tree: Any, name: str, arguments: Sequence[Any]) -> Part:
    """`range.all(variable, predicate)` and its like."""
    return _over(compiler, compiler.part(range_tree), range_tree, name, arguments)


def _over(compiler: Compiler, items: Part, range_tree: Any, name: str, arguments: Sequence[Any]) -> Part:
    variable = compiler.text[arguments[0].meta.start_pos : arguments[0].meta.end_pos]
    if not variable.isidentifier():
        raise Unsupported(f"{variable!r} as a variable of {name}()")
    item = _item_type(items.type)
    if item is None:
        message = (
            f"expression of type '{items.type}' cannot be range of a comprehension (must be list, map, or dynamic)"
        )
        return compiler.complain(position_of(compiler.text, range_tree), message)
    with compiler.local(variable, item, compiler.estimator.entry(items.operand)):
        bodies = [compiler.part(each) for each in arguments[1:]]
        size = compiler.estimator.variable(variable, item).extent
    predicates = bodies[:1] if len(bodies) == 2 or name != "map" else []
    for tree, each in zip(arguments[1:], predicates, strict=False):
        if each.type.kind not in {"bool", "dyn"}:
            return compiler.complain(position_of(compiler.text, tree), f"expected type 'bool' but found '{each.type}'")
    least = _STEP_COSTS.get(name, _LEAST_STEP_COST) if len(bodies) == 1 else _LEAST_STEP_COST
    words = sum(map(_words, arguments[1:])) // _WORDS_FOR_ONE
    step_cost = least + max(words, _named(arguments[1], {*compiler.variables, variable}))
    each_scope = _scopes(items.run, variable, item, step_cost)
    cost = compiler.estimator.loop(name, items.estimate, [each.estimate for each in bodies], size)
    run = _loop(name, each_scope, bodies, variable)
    return bodies[0]._replace(type=_result(name, items.type, bodies), run=run, estimate=cost)


def sorted_by(compiler: Compiler, range_tree: Any, arguments: Sequence[Any], position: int) -> Part:
    """`range.sortBy(variable, key)`."""
    items = compiler.part(range_tree)
    keys = _over(compiler, items, range_tree, "map", arguments)
    if compiler.problems:
        return keys
    again = items._replace(estimate=items.estimate._replace(cost=1))
    cheap = keys._replace(estimate=keys.estimate._replace(cost=keys.estimate.cost - items.estimate.cost + 1))
    found = compiler.call("@sortByAssociatedKeys", position, [again, cheap], is_member=True)
    cost = found.estimate.cost + items.estimate.cost + LIST_COST
    return found._replace(estimate=found.estimate._replace(cost=cost))


def membership(wanted: Run, items: list[Any]) -> Run:
    """`x in ['a', 'b']`, which costs nothing, as on a real server: what is in the list is looked up."""
    known = {(isinstance(each, bool), each) for each in items if not isinstance(each, list)}
    lists = [each for each in items if isinstance(each, list)]

    def run(scope: Scope) -> bool:
        value = wanted(scope)
        if isinstance(value, str | int | float | None):
            return (isinstance(value, bool), value) in known
        return any(loosely_equal(value, each) for each in lists)

    return run


def either(left: Run, right: Run, *, decisive: bool) -> Run:
    """`||` if True decides, `&&` if False does; an error counts only if nothing decides."""

    def run(scope: Scope) -> bool:
        error: EvaluationError | None = None
        for each in (left, right):
            try:
                if truth(each(scope)) is decisive:
                    return decisive
            except EvaluationError as found:
                error = error or found
        if error is not None:
            raise error
        return not decisive

    return run


def _named(tree: Any, variables: Collection[str]) -> int:
    """How many variables and fields are looked at whenever it is evaluated, each of which costs a real server 1."""
    count, left = 0, [tree]
    while left:
        node = left.pop()
        kind, children = getattr(node, "data", ""), [*getattr(node, "children", ())]
        if kind == "ident":
            count += str(children[0]) in variables
        elif kind == "ident_arg":
            left += children[1:] if str(children[0]) != "has" else []
        elif kind == "member_dot":
            count += 1
            left.append(children[0])
        elif kind == "member_dot_arg":
            left += children[:1] if str(children[1]) in _LAZY else children
        elif kind in {"conditionalor", "conditionaland", "expr"}:
            left.append(children[0])
        else:
            left += children
    return count


def _words(tree: Any) -> int:
    """How many names and literals are in it."""
    return sum(1 for _ in tree.scan_values(lambda _: True))


def _item_type(type_: Type) -> Type | None:
    if type_.kind in {"list", "map"}:
        return type_.args[0]
    return DYN if type_.kind == "dyn" else None


def _scopes(items: Run, variable: str, type_: Type, cost: int) -> Callable[[Scope], Iterator[Scope]]:
    """The scope of each step: the same one again, with another value of the variable."""
    plain = _PLAIN.get(type_.kind)

    def scopes(scope: Scope) -> Iterator[Scope]:
        found = items(scope)
        if not isinstance(found, list | Mapping):
            raise EvaluationError(f"got '{_GO_TYPES.get(type(found), 'types.Null')}', expected iterable type")
        inner = dict(scope)
        spend = inner[BUDGET].spend if BUDGET in inner else None
        for each in found:
            if spend is not None:
                spend(cost)
            is_ready = type(each) is plain or not isinstance(each, str | int | float)
            inner[variable] = each if is_ready else read(type_, each)
            yield inner

    return scopes


def _result(name: str, items: Type, bodies: Sequence[Part]) -> Type:
    if name == "map":
        return list_of(bodies[-1].type)
    if name == "filter":
        return list_of(items.args[0] if items.args else DYN)
    return BOOL


def _loop(name: str, scopes: Callable[[Scope], Iterator[Scope]], bodies: Sequence[Part], variable: str) -> Run:
    body = bodies[0].run
    if name in {"all", "exists"}:
        return _quantified(scopes, body, decisive=name == "exists")
    if name == "filter":
        return lambda scope: [each[variable] for each in scopes(scope) if truth(body(each))]
    if name == "map" and len(bodies) == 2:
        return lambda scope: [bodies[1].run(each) for each in scopes(scope) if truth(body(each))]
    if name == "map":
        return lambda scope: [body(each) for each in scopes(scope)]
    return lambda scope: sum([truth(body(each)) for each in scopes(scope)]) == 1


def _quantified(scopes: Callable[[Scope], Iterator[Scope]], body: Run, *, decisive: bool) -> Run:
    def run(scope: Scope) -> bool:
        error: EvaluationError | None = None
        for each in scopes(scope):
            try:
                value = body(each)
                if value is decisive or truth(value) is decisive:
                    return decisive
            except EvaluationError as found:
                error = error or found
        if error is not None:
            raise error
        return not decisive

    return run


def _is_there(owner: Any, name: str) -> bool:
    """A field that is null is not there."""
    if isinstance(owner, Mapping):
        return owner.get(name) is not None
    if isinstance(owner, str | int | float | None):
        return False
    raise EvaluationError("no such overload")
