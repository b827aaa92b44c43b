"""What a method takes: counting, naming and type checks in bitcoind's order and words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from btcctl.sandbox.simnode.rpc.jsonrpc import INVALID_PARAMETER, MISC_ERROR, TYPE_ERROR, RpcError

HIDDEN = "hidden"  #: the group of methods that `help` does not list


@dataclass(frozen=True, slots=True)
class Parameter:
    """One positional parameter.

    Attributes:
        name: Also its name in an object of parameters.
        type: string, number or bool.
        is_required: An optional one may be missing or null.
    """

    name: str
    type: str
    is_required: bool = True

    def __str__(self) -> str:
        return f'"{self.name}"' if self.type == "string" else self.name


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC method.

    Attributes:
        name: What is called.
        summary: One sentence for `help`.
        handler: Takes one argument per parameter (None for what was left out); returns the result or a coroutine.
        parameters: Required ones first.
        group: Heading in `help`.
    """

    name: str
    summary: str
    handler: Callable[..., Any]
    parameters: Sequence[Parameter] = ()
    group: str = "Network"

    @property
    def usage(self) -> str:
        """`addnode "node" "command" ( v2transport )`."""
        required = [str(each) for each in self.parameters if each.is_required]
        optional = [str(each) for each in self.parameters if not each.is_required]
        return " ".join([self.name, *required, *(["(", *optional, ")"] if optional else [])])

    @property
    def help_text(self) -> str:
        return f"{self.usage}\n\n{self.summary}\n"

    def arguments(self, params: Any) -> list[Any]:
        """Check and order what was sent.

        Args:
            params: A list, an object or None.

        Raises:
            RpcError: Too few or too many (-1, with the help text), unknown name (-8), wrong type (-3).
        """
        given = self._by_position(params) if isinstance(params, dict) else list(params or [])
        required = sum(each.is_required for each in self.parameters)
        if not required <= len(given) <= len(self.parameters):
            raise RpcError(MISC_ERROR, self.help_text)
        mismatches = [
            f'    "Position {position} ({parameter.name})": '
            f'"JSON value of type {type_name(value)} is not of expected type {parameter.type}"'
            for position, (parameter, value) in enumerate(zip(self.parameters, given, strict=False), start=1)
            if type_name(value) != parameter.type and (parameter.is_required or value is not None)
        ]
        if mismatches:
            raise RpcError(TYPE_ERROR, "Wrong type passed:\n{\n" + ",\n".join(mismatches) + "\n}")
        return given + [None] * (len(self.parameters) - len(given))

    def _by_position(self, named: dict[str, Any]) -> list[Any]:
        names = [parameter.name for parameter in self.parameters]
        first = named.get("args") if "args" not in names else None
        if isinstance(first, list):  # as transformNamedArguments of bitcoind has both together
            return self._after(first, {name: value for name, value in named.items() if name != "args"})
        unknown = next((name for name in named if name not in names), None)
        if unknown is not None:
            raise RpcError(INVALID_PARAMETER, f"Unknown named parameter {unknown}")
        last = max((names.index(name) for name in named), default=-1)
        return [named.get(name) for name in names[: last + 1]]

    def _after(self, first: list[Any], named: dict[str, Any]) -> list[Any]:
        taken = {parameter.name for parameter in self.parameters[: len(first)]}
        twice = next((name for name in named if name in taken), None)
        if twice is not None:
            words = f"Parameter {twice} specified twice both as positional and named argument"
            raise RpcError(INVALID_PARAMETER, words)
        return [*first, *self._by_position(named)[len(first) :]]


def type_name(value: Any) -> str:
    """JSON's name for the type of a decoded value."""
    if value is None:
        return "null"
    names = {bool: "bool", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]
