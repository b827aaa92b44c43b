"""A part of an expression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from btcctl.apiserver.schemas.cel.costs import NOTHING, Estimate, Operand
from btcctl.apiserver.schemas.cel.overloads import Run, is_vague
from btcctl.apiserver.schemas.cel.types import Type


class Part(NamedTuple):
    """A part of an expression: its type, what computes it, and what that costs."""

    type: Type
    run: Run
    estimate: Estimate = Estimate()
    is_constant: bool = False  #: a literal, or a list of nothing else

    @property
    def operand(self) -> Operand:
        return Operand(self.type, self.estimate)

    @property
    def is_empty(self) -> bool:
        """Whether it is `[]` or `{}`, which are of any type."""
        return self.type.kind in {"list", "map"} and self.estimate.size == NOTHING and is_vague(self.type)


def arguments_of(trees: Sequence[Any]) -> list[Any]:
    return list(trees[0].children) if trees else []
