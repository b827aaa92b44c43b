"""Regular expressions as Go has them: found in linear time, and refused in Go's words.

RE2's syntax is Go's but for the few things named here. Python's own `re` would take time that doubles with each
character for patterns such as `^(a+)+$`, which anyone may put into a schema.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Iterator
from typing import Any

from btcctl.apiserver.machinery import errors as statuses
from btcctl.errors import BtcctlError

_MAX_DEPTH = 1000  # of groups, in Go
_MEMORY_BYTES = 8 << 20  # that a compiled pattern may take; RE2's own default
_WORDS = {
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "missing ]": "missing closing ]",
    "no argument for repetition operator": "missing argument to repetition operator",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid repetition size": "invalid repeat count",
    "invalid named capture group": "invalid named capture",
    "pattern too large - compile failed": "expression too large",
}
#: Backslashes in pairs, then one with a C: a byte, which RE2 has and Go has not.
_ANY_BYTE = re.compile(r"(?<!\\)(?:\\\\)*\\C")
_GROUPING = re.compile(r"\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|[()]", re.DOTALL)


class PatternError(BtcctlError):
    """What is no pattern, in Go's words after "error parsing regexp: "."""


def check(pattern: str) -> None:
    """
    Raises:
        PatternError: Go does not take it.
        StatusError: 501, the engine is not installed.
    """
    _compiled(pattern)


def matches(pattern: str, text: str) -> Iterator[str]:
    """The parts of the text that the pattern describes, from left to right.

    Raises:
        PatternError: Go does not take the pattern.
    """
    return (each[0] for each in _compiled(pattern).finditer(_encodable(text)))


def is_found(pattern: str, text: str) -> bool:
    """True if a part of the text is what the pattern describes.

    Raises:
        PatternError: Go does not take the pattern.
    """
    return _compiled(pattern).search(_encodable(text)) is not None


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    if _ANY_BYTE.search(pattern):
        raise PatternError("invalid escape sequence: `\\C`")
    if _depth(pattern) > _MAX_DEPTH:
        raise PatternError(f"expression nests too deeply: `{pattern}`")
    re2 = _engine()
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY_BYTES
    try:
        return re2.compile(_encodable(pattern), options)
    except re2.error as error:
        raise PatternError(_in_words_of_go(_text(error), pattern)) from None


def _engine() -> Any:
    try:
        return importlib.import_module("re2")
    except ImportError:
        raise statuses.not_implemented("patterns without google-re2: pip install 'btcctl[testing]'") from None


def _text(error: Exception) -> str:
    found = error.args[0] if error.args else ""
    return found.decode(errors="replace") if isinstance(found, bytes) else str(found)


def _in_words_of_go(text: str, pattern: str) -> str:
    if text.startswith("missing ): "):
        return f"missing closing ): `{pattern}`"
    if text.startswith("trailing \\"):
        return "trailing backslash at end of expression: ``"
    kind, _, part = text.partition(": ")
    return f"{_WORDS.get(kind, kind)}: `{part or pattern}`"


def _depth(pattern: str) -> int:
    """How deep groups are nested in it."""
    depth = deepest = 0
    if pattern.count("(") <= _MAX_DEPTH:
        return 0
    for found in _GROUPING.finditer(pattern):
        if found[0] == "(":
            depth += 1
            deepest = max(deepest, depth)
        elif found[0] == ")":
            depth -= 1
    return deepest


def _encodable(text: str) -> str:
    """JSON may name halves of characters, which no encoding has."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text
