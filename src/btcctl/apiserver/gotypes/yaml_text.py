"""YAML as a real server reads it: into what JSON has, times left as they are written.

Source: go.yaml.in/yaml/v2 2.4.3, resolve.go, and sigs.k8s.io/yaml.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Mapping
from typing import Any

import msgspec
import yaml

from btcctl import codecs
from btcctl.apiserver.gotypes.yaml_events import Reader, Refused
from btcctl.apiserver.machinery.gofmt import plain
from btcctl.errors import BtcctlError

try:
    from yaml import CSafeLoader as _Loader  # libyaml, whose complaints Go's library has too
except ImportError:
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]


class YamlError(BtcctlError):
    """A text is no YAML, or has what JSON has not; in the words of Go's YAML library."""


_PREFIX = "tag:yaml.org,2002:"
_SHORT = 18  # decimal digits, which any 64 bits hold
_INTEGER = re.compile("[-+]?(?:0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]*|0[bB][01_]+|[1-9][0-9_]*)$")
#: No number in base 60 is among them: 12:30 is a text, and so is what would take seconds to compute.
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?$")
_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**64 - 1
_SHOWN_IN_FULL_BELOW = 1e21  # by encoding/json
_MOST_DIGITS = 400  # with more, no number is one of 64 bits

Meaning = tuple[str, Any]  #: the short name of a tag, and a value


def _words() -> Mapping[str, Meaning]:
    listed = {("bool", True): "y yes on true", ("bool", False): "n no off false", ("null", None): "null"}
    found: dict[str, Meaning] = {"": ("null", None), "~": ("null", None)}
    for meaning, words in listed.items():
        for word in words.split():
            found |= dict.fromkeys((word, word.capitalize(), word.upper()), meaning)
    shown = {"+Inf": ".inf .Inf .INF +.inf +.Inf +.INF", "-Inf": "-.inf -.Inf -.INF", "NaN": ".nan .NaN .NAN"}
    for infinite, words in shown.items():
        found |= dict.fromkeys(words.split(), ("float", float(infinite)))
    return found


_WORDS = _words()
_RESOLVED = frozenset(["bool", "int", "float", "null"])


def load(text: bytes) -> Any:
    """
    Raises:
        YamlError: It cannot be read.
    """
    return read(text)[0]


def read(text: bytes) -> tuple[Any, list[str]]:
    """The value, and what a strict reader says of keys that come twice.

    Raises:
        YamlError: It cannot be read.
    """
    loader, reader = None, Reader(_scalar, _key)
    try:
        loader = _Loader(text)
        value = reader.read(loader.get_event)
        encoded = codecs.encode(value)  # or it is nested too deep, or no JSON
        return (codecs.decode(encoded) if reader.has_aliases else value), reader.repeated  # each alias is a copy now
    except yaml.MarkedYAMLError as error:
        raise YamlError(_told(error)) from error
    except Refused as error:
        raise YamlError(f"yaml: {error}") from None
    except RecursionError:
        raise YamlError("yaml: nested deeper than the embedded API server reads") from None
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, TypeError, msgspec.MsgspecError) as error:
        raise YamlError(f"yaml: {error}") from error
    finally:
        if loader is not None:
            loader.dispose()


def _scalar(tag: str | None, text: str) -> Any:
    """What a text means that is plain, or has a tag; with a tag that nobody knows it is a text."""
    if tag is None and not text:  # most that is left out
        return None
    if tag is None:
        value = int(text) if len(text) <= _SHORT and _is_short_number(text) else _meaning(text)[1]
    else:
        value = _tagged(tag.removeprefix(_PREFIX), text)
    if isinstance(value, float) and not math.isfinite(value):
        shown = "NaN" if math.isnan(value) else f"{'-' if value < 0 else '+'}Inf"
        raise YamlError(f"json: unsupported value: {shown}")
    return value


def _is_short_number(text: str) -> bool:
    return text.isdecimal() and text.isascii() and text[0] != "0"


def _tagged(tag: str, text: str) -> Any:
    if tag == "binary":
        return _binary(text)
    if tag not in _RESOLVED:
        return text
    found, value = _meaning(text)
    if found != tag and (found, tag) != ("int", "float"):
        raise YamlError(f"yaml: cannot decode !!{found} `{text}` as a !!{tag}")
    return value


def _meaning(text: str) -> Meaning:
    """What has more than 64 bits is a floating-point number, and what is too much for one is a text."""
    known = _WORDS.get(text)
    if known is not None:
        return known
    digits = text.replace("_", "")
    if text[0] not in "-+.0123456789" or len(digits) > _MOST_DIGITS:
        return "str", text
    whole = _integer(digits) if _INTEGER.match(text) else None
    if whole is not None and _MIN_INTEGER <= whole <= _MAX_INTEGER:
        return "int", whole
    if not _FLOAT.match(text):
        return "str", text
    number = float(digits)
    if math.isinf(number):
        return "str", text
    return "float", int(number) if number.is_integer() and abs(number) < _SHOWN_IN_FULL_BELOW else number


def _integer(text: str) -> int | None:
    digits = text.lstrip("-+")
    is_octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdecimal()
    try:
        number = int(digits, 8 if is_octal else 0)
    except ValueError:  # `0o`
        return None
    return -number if text.startswith("-") else number


def _binary(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except binascii.Error:
        raise YamlError("yaml: !!binary value contains invalid base64 data") from None


def _key(key: Any) -> str:
    """JSON has texts for keys: `on`, which is true, becomes "true"."""
    if isinstance(key, list | dict):
        raise YamlError("yaml: invalid map key")
    return plain(key)


def _told(error: yaml.MarkedYAMLError) -> str:
    """Lines are counted from 0 and told from 1, or not told; a scanner's one is told as the next."""
    mark = error.problem_mark or error.context_mark
    line = mark.line if mark is not None else 0
    if isinstance(error, yaml.scanner.ScannerError) and line:
        line += 1
    return f"yaml: line {line}: {error.problem}" if line else f"yaml: {error.problem}"
