"""What is wrong with a text that should be JSON, in the words of Go's encoding/json."""

from __future__ import annotations

import functools
import re

from btcctl.apiserver.machinery.gofmt import quoted
from btcctl.patterns import again

MAX_DEPTH = 10_000  # of encoding/json
_UNEXPECTED_END = "unexpected end of JSON input"
_SPACE = re.compile(r"[ \t\r\n]*")
_LITERALS = {"t": "true", "f": "false", "n": "null"}
_PLAIN = r"""[^"\\\x00-\x1f]"""
_ROUNDS = "1000"  # of older Pythons, in one go
_INSIDE = again(rf"""{_PLAIN}++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{{4}})""", bound=_ROUNDS)
_STRETCH = re.compile(_INSIDE)
_PLAIN_STRETCH = re.compile(f"{_PLAIN}*+")
_DIGITS = re.compile(r"[0-9]*")
_RUN_DEPTH = 2


@functools.cache
def _runs() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What is right in a list and in an object, with the comma behind it, again and again; nested a little at most.

    A text of megabytes may be right up to its end: a step for each of its characters would take seconds.
    """
    space, text = r"[ \t\r\n]*+", f'"{_INSIDE}"'
    value = rf"(?:{text}|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false|null)"
    for _ in range(_RUN_DEPTH):
        key = f"{text}{space}:{space}"
        in_list = again(f"{value}{space}{again(f',{space}{value}{space}', bound=_ROUNDS)}", "?")
        in_object = again(f"{key}{value}{space}{again(f',{space}{key}{value}{space}', bound=_ROUNDS)}", "?")
        value = rf"(?:{value}|\[{space}{in_list}\]|\{{{space}{in_object}\}})"
    in_list = again(f"{space}{value}{space},", bound=_ROUNDS)
    in_object = again(f"{space}{text}{space}:{space}{value}{space},", bound=_ROUNDS)
    return re.compile(in_list), re.compile(in_object)


class _Wrong(Exception):
    """The text goes wrong at a character: why, in words."""


def syntax_problem(body: bytes) -> str:
    """The first complaint; "" if it is JSON."""
    try:
        _Scanner(body.decode("latin-1")).scan()
    except _Wrong as wrong:
        return str(wrong)
    return ""


class _Scanner:
    """Goes through a text once. What is open is on a stack: deep texts need no recursion."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._open: list[str] = []

    def scan(self) -> None:
        self._value()
        while self._open:
            if self._open[-1] == "{":
                self._after("}", "after object key:value pair")
            else:
                self._after("]", "after array element")
        if self._next_or_end():
            raise self._wrong("after top-level value")

    def _after(self, end: str, what: str) -> None:
        """What follows a value inside of something."""
        found = self._next()
        if found == end:
            self._at += 1
            self._open.pop()
        elif found == ",":
            self._at += 1
            self._next_in(end)
        else:
            raise self._wrong(what)

    def _next_in(self, end: str) -> None:
        """What follows a comma inside of something."""
        self._pass(self._open[-1])
        if end == "}":
            self._key()
        self._value()

    def _pass(self, inside: str) -> None:
        """Go by what is right, up to a comma."""
        if len(self._open) < MAX_DEPTH - _RUN_DEPTH:
            in_list, in_object = _runs()
            self._skip(in_list if inside == "[" else in_object)

    def _value(self) -> None:
        """Up to the end of a value, or into it, if there are others inside."""
        while True:
            found = self._next()
            if found not in "{[":
                self._scalar(found)
                return
            if len(self._open) >= MAX_DEPTH:
                raise self._wrong("exceeded max depth")
            self._at += 1
            if self._next() == ("}" if found == "{" else "]"):
                self._at += 1
                return
            self._open.append(found)
            self._pass(found)
            if found == "{":
                self._key()

    def _key(self) -> None:
        if self._next() != '"':
            raise self._wrong("looking for beginning of object key string")
        self._string()
        if self._next() != ":":
            raise self._wrong("after object key")
        self._at += 1

    def _scalar(self, first: str) -> None:
        if first == '"':
            self._string()
        elif first in _LITERALS:
            self._literal(_LITERALS[first])
        elif first == "-" or first.isdecimal():
            self._number()
        else:
            raise self._wrong("looking for beginning of value")

    def _literal(self, literal: str) -> None:
        for character in literal[1:]:
            self._at += 1
            if self._character() != character:
                raise self._wrong(f"in literal {literal} (expecting '{character}')")
        self._at += 1

    def _string(self) -> None:
        self._at += 1
        while True:
            self._skip(_STRETCH)
            self._skip(_PLAIN_STRETCH)
            found = self._inside()
            self._at += 1
            if found == '"':
                return
            if found != "\\":
                self._at -= 1
                raise self._wrong("in string literal")
            self._escape()

    def _escape(self) -> None:
        found = self._character()
        if found not in 'bfnrt\\/"u':
            raise self._wrong("in string escape code")
        self._at += 1
        for _ in range(4 if found == "u" else 0):
            if self._character() not in "0123456789abcdefABCDEF":
                raise self._wrong("in \\u hexadecimal character escape")
            self._at += 1

    def _number(self) -> None:
        if self._text[self._at] == "-":
            self._at += 1
        first = self._digit("in numeric literal")
        if first != "0":
            self._skip(_DIGITS)
        if self._text[self._at : self._at + 1] == ".":
            self._at += 1
            self._digit("after decimal point in numeric literal")
            self._skip(_DIGITS)
        if self._text[self._at : self._at + 1] in {"e", "E"}:
            self._at += 1
            if self._text[self._at : self._at + 1] in {"+", "-"}:
                self._at += 1
            self._digit("in exponent of numeric literal")
            self._skip(_DIGITS)

    def _digit(self, where: str) -> str:
        found = self._character()
        if found not in "0123456789":
            raise self._wrong(where)
        self._at += 1
        return found

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()

    def _next_or_end(self) -> str:
        """The next character that is no space; "" at the end."""
        self._skip(_SPACE)
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        self._skip(_SPACE)
        return self._inside()

    def _inside(self) -> str:
        """The character here, where something is still open."""
        if self._at >= len(self._text):
            raise _Wrong(_UNEXPECTED_END)
        return self._text[self._at]

    def _character(self) -> str:
        """The character here; a space at the end, which Go takes to see whether a word is over."""
        return self._text[self._at : self._at + 1] or " "

    def _wrong(self, where: str) -> _Wrong:
        """Go quotes the byte as a character."""
        character = self._character()
        shown = {"'": r"\'", '"': '"'}.get(character, quoted(character)[1:-1])
        return _Wrong(f"invalid character '{shown}' {where}")
