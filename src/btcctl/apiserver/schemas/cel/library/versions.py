"""`semver('1.2.3')`: versions, compared as semver.org says.

Source: k8s.io/apiserver/pkg/cel/library/semverlib.go, v0.36; https://pkg.go.dev/github.com/blang/semver/v4
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from btcctl.apiserver.machinery.gofmt import quoted
from btcctl.apiserver.schemas.cel.data import EvaluationError
from btcctl.apiserver.schemas.cel.library.overload import Functions, LibraryValue, Overload, member, remembered
from btcctl.apiserver.schemas.cel.types import BOOL, INT, STRING, Type

SEMVER = Type("kubernetes.Semver")
_DIGITS = frozenset("0123456789")
_WORD = _DIGITS | frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-")
_UINT64 = 2**64

_Key = tuple[tuple[int, int, int], bool, tuple[tuple[bool, int, str], ...]]


@dataclass(frozen=True, slots=True)
class Version(LibraryValue):
    """
    Attributes:
        key: What tells which of two is the greater; what stands after a `+` is no part of it.
    """

    type_name: ClassVar[str] = "kubernetes.Semver"
    key: _Key
    numbers: tuple[int, int, int] = field(compare=False)


@remembered
def parse_version(text: str) -> Version:
    """
    Raises:
        ValueError: In a real server's words.
    """
    if not text:
        raise ValueError("Version string empty")
    parts = text.split(".", 2)
    if len(parts) != 3:
        raise ValueError("No Major.Minor.Patch elements found")
    major, minor = _number("Major", parts[0]), _number("Minor", parts[1])
    rest, plus, build = parts[2].partition("+")
    patch_text, dash, before = rest.partition("-")
    patch = _number("Patch", patch_text)
    labels = tuple(_label(each) for each in before.split(".")) if dash else ()
    for each in build.split(".") if plus else ():
        if not each:
            raise ValueError("Build meta data is empty")
        if not _WORD.issuperset(each):
            raise ValueError(f"Invalid character(s) found in build meta data {quoted(each)}")
    return Version(((major, minor, patch), not labels, labels), (major, minor, patch))


def _number(name: str, text: str) -> int:
    if not _DIGITS.issuperset(text):
        raise ValueError(f"Invalid character(s) found in {name.lower()} number {quoted(text)}")
    if len(text) > 1 and text[0] == "0":
        raise ValueError(f"{name} number must not contain leading zeroes {quoted(text)}")
    return _uint64(text)


def _uint64(text: str) -> int:
    if not text:
        raise ValueError('strconv.ParseUint: parsing "": invalid syntax')
    value = int(text) if len(text) < 21 else _UINT64
    if value >= _UINT64:
        raise ValueError(f"strconv.ParseUint: parsing {quoted(text)}: value out of range")
    return value


def _label(text: str) -> tuple[bool, int, str]:
    if not text:
        raise ValueError("Prerelease is empty")
    if _DIGITS.issuperset(text):
        if len(text) > 1 and text[0] == "0":
            raise ValueError(f"Numeric PreRelease version must not contain leading zeroes {quoted(text)}")
        return False, _uint64(text), ""
    if not _WORD.issuperset(text):
        raise ValueError(f"Invalid character(s) found in prerelease {quoted(text)}")
    return True, 0, text


def _normalized(text: str) -> str:
    parts = [_without_zeros(each) for each in text.removeprefix("v").split(".", 2)]
    if len(parts) < 3 and set(parts[-1]) & set("+-"):
        raise ValueError("short version cannot contain PreRelease/Build meta data")
    return ".".join(parts + ["0"] * (3 - len(parts)))


def _without_zeros(part: str) -> str:
    if len(part) < 2:
        return part
    stripped = part.lstrip("0")
    return stripped if stripped[:1] in _DIGITS else f"0{stripped}"


def _semver(text: str, is_normalized: bool = False) -> Version:
    try:
        return parse_version(_normalized(text) if is_normalized else text)
    except ValueError as error:
        raise EvaluationError(str(error)) from error


def _is_semver(text: str, is_normalized: bool = False) -> bool:
    try:
        return bool(_semver(text, is_normalized))
    except EvaluationError:
        return False


def _signed(number: int) -> int:
    """As an integer of 64 bits."""
    return number - _UINT64 if number >= _UINT64 // 2 else number


FUNCTIONS: Functions = {
    "semver": [Overload(each, SEMVER, _semver) for each in ((STRING,), (STRING, BOOL))],
    "isSemver": [Overload(each, BOOL, _is_semver) for each in ((STRING,), (STRING, BOOL))],
    "major": [member((SEMVER,), INT, lambda version: _signed(version.numbers[0]))],
    "minor": [member((SEMVER,), INT, lambda version: _signed(version.numbers[1]))],
    "patch": [member((SEMVER,), INT, lambda version: _signed(version.numbers[2]))],
    "isGreaterThan": [member((SEMVER, SEMVER), BOOL, lambda one, other: one.key > other.key)],
    "isLessThan": [member((SEMVER, SEMVER), BOOL, lambda one, other: one.key < other.key)],
    "compareTo": [member((SEMVER, SEMVER), INT, lambda one, other: (one.key > other.key) - (one.key < other.key))],
}
