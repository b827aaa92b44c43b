"""Expressions about a request: the matchConditions of webhooks, and what policies say.

`object`, `oldObject` and `params` are of no known type; of `request` and `namespaceObject` a real server knows the
fields. `authorizer` is not known here, and an expression with it is refused.

Source: k8s.io/apiserver/pkg/admission/plugin/cel, v0.36.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from btcctl.apiserver.schemas.cel.compiler import Program, compile_expression
from btcctl.apiserver.schemas.cel.data import BUDGET, Budget, BudgetExceeded, EvaluationError
from btcctl.apiserver.schemas.cel.parts.prices import check_volume
from btcctl.apiserver.schemas.cel.syntax import CompileError
from btcctl.apiserver.schemas.cel.types import BOOL, DYN, INT, NULL, STRING, TIMESTAMP, Type, list_of, map_of

_OUT_OF_BUDGET = "validation failed due to running out of cost budget, no further validation rules will be run"
CONDITIONS_COST = 2_500_000  #: of all matchConditions of a webhook; RuntimeCELCostBudgetMatchConditions


def _struct(node: int, **fields: Type) -> Type:
    return Type("object", (), {name: (name, type_) for name, type_ in fields.items()}, node=node)


_TEXTS, _TEXT_MAP = list_of(STRING), map_of(STRING, STRING)
_KIND = _struct(-1, group=STRING, version=STRING, kind=STRING)
_RESOURCE = _struct(-2, group=STRING, version=STRING, resource=STRING)
_USER = _struct(-3, username=STRING, uid=STRING, groups=_TEXTS, extra=map_of(STRING, _TEXTS))
_REQUEST = _struct(
    -4, kind=_KIND, resource=_RESOURCE, subResource=STRING, requestKind=_KIND, requestResource=_RESOURCE,
    requestSubResource=STRING, name=STRING, namespace=STRING, operation=STRING, userInfo=_USER, dryRun=BOOL,
    options=DYN,
)  # fmt: skip
_NAMESPACE_METADATA = _struct(
    -5, name=STRING, generateName=STRING, namespace=STRING, labels=_TEXT_MAP, annotations=_TEXT_MAP, UID=STRING,
    creationTimestamp=TIMESTAMP, deletionGracePeriodSeconds=INT, deletionTimestamp=TIMESTAMP, generation=INT,
    resourceVersion=STRING, finalizers=_TEXTS,
)  # fmt: skip
_CONDITION = _struct(
    -6, status=STRING, type=STRING, lastTransitionTime=TIMESTAMP, message=STRING, reason=STRING
)  # fmt: skip
_NAMESPACE = _struct(
    -7,
    metadata=_NAMESPACE_METADATA,
    spec=_struct(-8, finalizers=_TEXTS),
    status=_struct(-9, conditions=list_of(_CONDITION), phase=STRING),
)
_BASE: Mapping[str, Type] = {"object": DYN, "oldObject": DYN, "request": _REQUEST, "namespaceObject": _NAMESPACE}


class _Fields(Mapping[str, tuple[str, Type]]):
    """A policy's variables as the fields of a type; no copy: each of thousands knows those before it."""

    def __init__(self, types: Mapping[str, Type]) -> None:
        self._types = types

    def __getitem__(self, name: str) -> tuple[str, Type]:
        return name, self._types[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)


class OutOfBudget(EvaluationError):
    """Nothing more of this webhook or policy is run."""


class Expression:
    """One of them, ready to run.

    Attributes:
        type: What it evaluates to.
    """

    def __init__(self, text: str, program: Program) -> None:
        self._text = text
        self._program = program
        self.type = program.type

    def value(self, scope: Mapping[str, Any], budget: Budget) -> Any:
        """
        Raises:
            EvaluationError: It has no value; in a real server's words.
            OutOfBudget: It, or what ran before it, costs too much.
        """
        try:
            budget.begin_rule()
        except BudgetExceeded as error:
            raise OutOfBudget(_OUT_OF_BUDGET) from error
        try:
            found = self.part_of({**scope, BUDGET: budget})
            if isinstance(found, list | Mapping):
                check_volume(found)
            return found
        except (BudgetExceeded, EvaluationError) as error:
            raise EvaluationError(f"expression '{self._text}' resulted in error: {error}") from error

    def part_of(self, scope: dict[str, Any]) -> Any:
        """Its value while another expression is evaluated, at whose cost it is.

        Raises:
            EvaluationError: It has none.
            BudgetExceeded: It costs too much.
        """
        return self._program.run(scope)


def compile_text(
    text: str,
    results: tuple[Type, ...] = (BOOL,),
    *,
    has_params: bool = False,
    variables: Mapping[str, Type] | None = None,
    makes_objects: bool = False,
) -> Expression:
    """
    Args:
        results: The types that it may evaluate to; () for any.
        makes_objects: Whether it may make objects and patches.
        has_params: Whether `params` is known.
        variables: Those of the policy that come before it; None where there are none.

    Raises:
        CompileError: It cannot be; with what a cause says of it.
        Unsupported: It cannot be here.
    """
    known = {**_BASE, **({"params": DYN} if has_params else {})}
    if variables is not None:
        known["variables"] = Type("object", (), _Fields(variables), node=-10)
    try:
        program = compile_expression(text, known, makes_objects=makes_objects)
    except CompileError as error:
        raise CompileError(f"compilation failed: {error}") from error
    if results and str(program.type) not in {str(each) for each in results}:
        names = ["null_type" if each == NULL else str(each) for each in results]
        wanted = names[0] if len(names) == 1 else f"one of [{' '.join(names)}]"
        raise CompileError(f"must evaluate to {wanted} but got {program.type}")
    return Expression(text, program)


class Variables(Mapping[str, Any]):
    """What a policy's variables are for one request, each computed when it is first asked for.

    Args:
        scope: What they know; they are put there themselves.
    """

    def __init__(self, expressions: Mapping[str, Expression], scope: Mapping[str, Any], budget: Budget) -> None:
        self._expressions = expressions
        self._scope = {**scope, "variables": self, BUDGET: budget}
        self._values: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._values:
            try:
                self._values[name] = self._expressions[name].part_of(self._scope)
            except EvaluationError as error:
                raise EvaluationError(f'composited variable "{name}" fails to evaluate: {error}') from error
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._expressions

    def __iter__(self) -> Iterator[str]:
        return iter(self._expressions)

    def __len__(self) -> int:
        return len(self._expressions)
