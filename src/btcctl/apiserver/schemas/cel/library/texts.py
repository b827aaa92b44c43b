"""`'%s is %d'.format([…])`, and texts in quotes.

Source: github.com/google/cel-go/ext/formatting.go and strings.go, v0.26.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple

from btcctl.apiserver.machinery.gofmt import quoted
from btcctl.apiserver.schemas.cel.data import Duration, EvaluationError, Timestamp, TypeName
from btcctl.apiserver.schemas.cel.library.conversions import to_text
from btcctl.apiserver.schemas.cel.library.overload import Functions, LibraryValue, Overload, member
from btcctl.apiserver.schemas.cel.types import DYN, STRING, Type, list_of

_CLAUSE = re.compile(r"(%%)|%(\.[0-9]*)?(.?)", re.DOTALL)
_DECIMALS = 6
_MOST_DECIMALS = 10_000  # more than anybody reads; a real server makes as many as it is told to
_INFINITIES = frozenset(["NaN", "Infinity", "-Infinity"])
_QUOTED = {"\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v", "\\": r"\\"}
_STRING_KINDS = frozenset([
    "list", "map", "int", "double", "bool", "string", "timestamp", "bytes", "duration", "type", "null", "dyn",
])  # fmt: skip
_STRING_TYPES = "strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps"
_STRING_CLAUSE = f"string clause can only be used on {_STRING_TYPES}"
#: By clause: the types that it takes where they are known, and what is said of others.
_CLAUSES: Mapping[str, tuple[frozenset[str], str]] = {
    "s": (_STRING_KINDS, _STRING_CLAUSE),
    "d": (frozenset(["int", "dyn"]), "decimal clause can only be used on integers"),
    "f": (frozenset(["double", "string", "dyn"]), "fixed-point clause can only be used on doubles"),
    "e": (frozenset(["double", "string", "dyn"]), "scientific clause can only be used on doubles"),
    "b": (frozenset(["int", "bool", "dyn"]), "only integers and bools can be formatted as binary"),
    "x": (
        frozenset(["int", "string", "bytes", "dyn"]),
        "only integers, byte buffers, and strings can be formatted as hex",
    ),
    "o": (frozenset(["int", "dyn"]), "octal clause can only be used on integers"),
}
_NAMES: dict[type, str] = {
    bool: "bool", int: "int", float: "double", str: "string", bytes: "bytes", list: "list", dict: "map",
    Duration: "duration", Timestamp: "timestamp", TypeName: "type", type(None): "null",
}  # fmt: skip
_LONG_NAMES = {"duration": "google.protobuf.Duration", "timestamp": "google.protobuf.Timestamp", "null": "null_type"}


class _Clause(NamedTuple):
    """
    Attributes:
        letter: What kind it is; "" for a text that stands as it is.
        decimals: How many, if that is said.
    """

    letter: str
    text: str = ""
    decimals: int | None = None


class FormatError(EvaluationError):
    """
    Attributes:
        index: Of the argument that it is about; None if it is about none.
    """

    def __init__(self, message: str, index: int | None = None) -> None:
        super().__init__(message)
        self.index = index


def _clauses(text: str, count: int) -> Iterator[_Clause]:
    """The parts of a text, of which as many take an argument as there are arguments, at most."""
    at = used = 0
    for found in _CLAUSE.finditer(text):
        if found.start() > at:
            yield _Clause("", text[at : found.start()])
        at = found.end()
        if found[1]:
            yield _Clause("", "%")
            continue
        if used >= count:
            raise FormatError(f"index {used} out of range")
        used += 1
        if not found[3] and not found[2]:
            raise FormatError("unexpected end of string")
        yield _Clause(found[3], decimals=_decimals(found))
    if at < len(text):
        yield _Clause("", text[at:])


def _decimals(found: re.Match[str]) -> int | None:
    parsing = "could not parse formatting clause: "
    decimals = None
    if found[2] is not None:
        if not found[3]:
            raise FormatError(f"{parsing}error while parsing precision: could not find end of precision specifier")
        digits = found[2][1:]
        if not digits:
            why = 'error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax'
            raise FormatError(f"{parsing}error while parsing precision: {why}")
        decimals = min(int(digits[:9]), _MOST_DECIMALS)
    if found[3].lower() not in _CLAUSES or (found[3].isupper() and found[3] != "X"):
        raise FormatError(f'{parsing}unrecognized formatting clause "{found[3]}"')
    return decimals


def check_format(text: str, types: Sequence[Type]) -> None:
    """
    Args:
        types: Of the arguments.

    Raises:
        FormatError: They do not fit; in a real server's words.
    """
    index = 0
    for clause in _clauses(text, len(types)):
        if not clause.letter:
            continue
        kinds, complaint = _CLAUSES[clause.letter.lower()]
        if types[index].kind not in kinds:
            raise FormatError(_misfit(complaint, types[index].kind), index)
        index += 1
    if index < len(types):
        raise FormatError(f"too many arguments supplied to string.format (expected {index}, got {len(types)})")


def _misfit(complaint: str, kind: str) -> str:
    return f"error during formatting: {complaint}, was given {_LONG_NAMES.get(kind, kind)}"


def _format(text: str, arguments: list[Any]) -> str:
    left = iter(arguments)
    return "".join(
        _WRITERS[each.letter](next(left), each.decimals) if each.letter else each.text
        for each in _clauses(text, len(arguments))
    )


def _kind(value: Any) -> str:
    if isinstance(value, LibraryValue):
        return value.type_name
    return _NAMES.get(type(value), "map" if isinstance(value, Mapping) else "dyn")


def _checked(letter: str, write: Callable[[Any, int | None], str]) -> Callable[[Any, int | None], str]:
    kinds, complaint = _CLAUSES[letter.lower()]

    def written(value: Any, decimals: int | None) -> str:
        kind = _kind(value)
        if kind not in kinds or (letter in "fe" and kind == "string" and value not in _INFINITIES):
            raise FormatError(_misfit(complaint, kind))
        return write(value, decimals)

    return written


def _as_text(value: Any, _: int | None = None) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_inside(each) for each in value)}]"
    if isinstance(value, Mapping):
        pairs = sorted((_key(key), _inside(each)) for key, each in value.items())
        return f"{{{', '.join(f'{key}:{each}' for key, each in pairs)}}}"
    return "null" if value is None else to_text(value)


def _key(value: Any) -> str:
    if not isinstance(value, str | int):
        raise FormatError(f"error during formatting: no formatting function for map key of type {_kind(value)}")
    return _inside(value)


def _inside(value: Any) -> str:
    """A value in a list or a map: as a literal."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bytes):
        return f"b{quoted(to_text(value))}"
    if isinstance(value, float):
        return f"{value:.{_DECIMALS}f}" if isfinite(value) else quoted(_infinity(value))
    if isinstance(value, Timestamp | Duration):
        return f"{_kind(value)}({quoted(to_text(value))})"
    if isinstance(value, LibraryValue):
        raise FormatError(f"error during formatting: no formatting function for {value.type_name}")
    return _as_text(value)


def _infinity(value: float) -> str:
    return "NaN" if value != value else "+Inf" if value > 0 else "-Inf"  # noqa: PLR0124 - NaN alone is not itself


def _fixed(value: float | str, decimals: int | None) -> str:
    number = float(value)
    if not isfinite(number):
        return "NaN" if number != number else "∞" if number > 0 else "-∞"  # noqa: PLR0124
    return f"{number:,.{_DECIMALS if decimals is None else decimals}f}"


def _scientific(value: float | str, decimals: int | None) -> str:
    number = float(value)
    if not isfinite(number):
        return _fixed(value, decimals)
    digits, _, exponent = f"{number:.{_DECIMALS}e}".partition("e")  # what is said of decimals is not heard
    raised = "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(each)] for each in exponent.lstrip("+-"))
    return f"{digits}×10{'⁻' if exponent[0] == '-' else ''}{raised}"


def _hex(value: Any, *, upper: bool) -> str:
    raw = value.encode() if isinstance(value, str) else value
    found = raw.hex() if isinstance(raw, bytes) else f"{raw:x}"
    return found.upper() if upper else found


_WRITERS: Mapping[str, Callable[[Any, int | None], str]] = {
    "s": _checked("s", _as_text),
    "d": _checked("d", lambda value, _: str(value)),
    "f": _checked("f", _fixed),
    "e": _checked("e", _scientific),
    "b": _checked("b", lambda value, _: f"{value:b}"),
    "x": _checked("x", lambda value, _: _hex(value, upper=False)),
    "X": _checked("X", lambda value, _: _hex(value, upper=True)),
    "o": _checked("o", lambda value, _: f"{value:o}"),
}


def _quote(text: str) -> str:
    return '"' + "".join(_QUOTED.get(each, '\\"' if each == '"' else each) for each in text) + '"'


FUNCTIONS: Functions = {
    "format": [member((STRING, list_of(DYN)), STRING, _format)],
    "strings.quote": [Overload((STRING,), STRING, _quote)],
}
