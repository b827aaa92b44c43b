"""What may not be there: `x.?y`, `x[?y]`, `optMap`, and what is taken instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from btcctl.apiserver.schemas.cel.costs import LIST_COST, Estimate
from btcctl.apiserver.schemas.cel.data import EvaluationError, Optional, read
from btcctl.apiserver.schemas.cel.overloads import Run, Scope, spend
from btcctl.apiserver.schemas.cel.parts.part import Part
from btcctl.apiserver.schemas.cel.syntax import Unsupported
from btcctl.apiserver.schemas.cel.types import DYN, Type

if TYPE_CHECKING:
    from btcctl.apiserver.schemas.cel.compiler import Compiler

_NONE = Optional()
_STEPS = 2  # of optMap, while it runs: hasValue() and value(); the list that is estimated is made beforehand


def select(compiler: Compiler, owner: Part, name: str, position: int, *, is_call: bool) -> Part:
    """`owner.?name`, and `owner.name` where the owner may not be there itself.

    Args:
        is_call: It is written with a `?`: to a real server a call, of whose value it knows no size.
    """
    inner = _inner(owner.type)
    below = compiler.field(owner._replace(type=inner), name, position).type
    key = inner.fields[name][0] if name in inner.fields else name
    type_ = Type("optional_type", (below,))
    if is_call:
        cost = Estimate(owner.estimate.cost + 1, (), compiler.estimator.size_of(type_, ()))
    else:
        cost = compiler.estimator.field(owner.operand, name, type_)
    return Part(type_, _selected(owner.run, key, below), cost)


def index(compiler: Compiler, owner: Part, key: Part, position: int) -> Part:
    """`owner[?key]`, and `owner[key]` where the owner may not be there itself."""
    inner = _inner(owner.type)
    fitting = {"list": key.type.kind in {"int", "dyn"}, "dyn": True, "map": True}
    if not fitting.get(inner.kind, False):
        return compiler.no_overload(position, "_[?_]", [owner.type, key.type])
    if inner.kind != "map" and key.type.kind == "dyn":
        raise Unsupported("an index of a type that is not known")
    below = inner.args[-1] if inner.args else DYN
    type_ = Type("optional_type", (below,))
    cost = Estimate(owner.estimate.cost + key.estimate.cost + 1, (), compiler.estimator.size_of(type_, ()))
    return Part(type_, _indexed(owner.run, key.run), cost)


def instead(name: str, found: Part, held: Run, other: Run) -> Part:
    """`held.or(other)` and `held.orValue(other)`: the other is looked at if it is needed."""

    def run(scope: Scope) -> Any:
        value = held(scope)
        if not isinstance(value, Optional):
            return value
        if value.is_there:
            return value.value if name == "orValue" else value
        return other(scope)

    return found._replace(run=run)


def mapped(compiler: Compiler, name: str, owner: Part, arguments: Sequence[Any], position: int) -> Part:
    """`owner.optMap(variable, value)` and `owner.optFlatMap(variable, optional)`."""
    variable = compiler.text[arguments[0].meta.start_pos : arguments[0].meta.end_pos]
    if not variable.isidentifier():
        raise Unsupported(f"{variable!r} as a variable of {name}()")
    for each in ("hasValue", "value"):
        compiler.call(each, position, [owner], is_member=True)
    type_ = _inner(owner.type) if owner.type.kind == "optional_type" else DYN
    with compiler.local(variable, type_, Estimate(size=compiler.estimator.size_of(type_, ()))):
        body = compiler.part(arguments[1])
    is_flat = name == "optFlatMap"
    if is_flat and body.type.kind not in {"optional_type", "dyn"}:
        return compiler.no_overload(position, "_?_:_", [Type("bool"), body.type, Type("optional_type", (DYN,))])
    result = body.type if is_flat else Type("optional_type", (body.type,))
    before = owner.estimate.cost + 1
    cost = before + LIST_COST + before + body.estimate.cost + (0 if is_flat else 1)
    return Part(result, _mapped(owner.run, variable, body.run, is_flat=is_flat), Estimate(cost))


def _inner(type_: Type) -> Type:
    return (type_.args[0] if type_.args else DYN) if type_.kind == "optional_type" else type_


def _selected(owner: Run, key: str, type_: Type) -> Run:
    def run(scope: Scope) -> Optional:
        value = owner(scope)
        if isinstance(value, Optional):
            value = value.value
        if isinstance(value, list):
            raise EvaluationError("unsupported index type 'string' in list")
        if not isinstance(value, Mapping) or value.get(key) is None:
            return _NONE
        return Optional(read(type_, value[key]), is_there=True)

    return run


def _indexed(owner: Run, key: Run) -> Run:
    def run(scope: Scope) -> Optional:
        value, wanted = owner(scope), key(scope)
        if isinstance(value, Optional):
            value = value.value
        if isinstance(value, list) and type(wanted) is int:
            return Optional(value[wanted], is_there=True) if 0 <= wanted < len(value) else _NONE
        if isinstance(value, Mapping) and isinstance(wanted, str | int | float):
            return Optional(value[wanted], is_there=True) if wanted in value else _NONE
        if value is None or isinstance(value, str | int | float):
            return _NONE
        raise EvaluationError("no such overload")

    return run


def _mapped(owner: Run, variable: str, body: Run, *, is_flat: bool) -> Run:
    def run(scope: Scope) -> Any:
        held = owner(scope)
        if not isinstance(held, Optional):
            raise EvaluationError("no such overload")
        if not held.is_there:
            return held
        spend(scope, _STEPS)
        found = body({**scope, variable: held.value})
        return found if is_flat else Optional(found, is_there=True)

    return run
