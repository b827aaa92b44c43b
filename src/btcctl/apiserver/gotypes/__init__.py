"""From JSON to objects, as strictly as a server written in Go reads it, and with its complaints."""

from btcctl.apiserver.gotypes.syntax import syntax_problem
from btcctl.apiserver.gotypes.typed import Misfit, Pairs, convert, decode, json_name
from btcctl.apiserver.gotypes.types import (
    TYPE_META,
    GoType,
    has_floats,
    type_named,
    type_of_kind,
)

__all__ = [
    "TYPE_META",
    "GoType",
    "Misfit",
    "Pairs",
    "convert",
    "decode",
    "has_floats",
    "json_name",
    "syntax_problem",
    "type_named",
    "type_of_kind",
]
