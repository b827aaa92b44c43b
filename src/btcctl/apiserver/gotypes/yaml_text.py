"""YAML as a real server reads it: into what JSON has, times left as they are written."""

from __future__ import annotations

import base64
import math
import re
from typing import Any

import msgspec
import yaml

from btcctl import codecs
from btcctl.apiserver.gotypes.yaml_limits import LimitCheck, Refused
from btcctl.apiserver.machinery.gofmt import plain
from btcctl.errors import BtcctlError

try:
    from yaml import CSafeLoader as _Safe  # libyaml, whose complaints Go's library has too
except ImportError:
    from yaml import SafeLoader as _Safe  # type: ignore[assignment]


_MANY_BRACKETS = 100
#: Begins a list or a map in another on the same line; one that begins on its own line pays with its indentation.
_NESTED_IN_LINE = re.compile(rb"(?:[-?:][ \t]+){3}")
_MAX_COMPOSED_DEPTH = 3_000  # libyaml's composer recurses in C, which nothing but the end of the stack stops


class YamlError(BtcctlError):
    """A text is no YAML, or has what JSON has not; in the words of Go's YAML library."""


_STR, _SEQ, _MAP, _INT, _MERGE = (f"tag:yaml.org,2002:{name}" for name in ("str", "seq", "map", "int", "merge"))
_SHORT = 18  # decimal digits, which any 64 bits hold


class _Loader(_Safe):
    """Leaves times as they are written, as JSON does, and reads plain texts as Go's library (goyaml.v2) does."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> Any:
        """As ever, but for what no document of ours has: nodes resolved by their paths."""
        if kind is not yaml.ScalarNode:
            return _SEQ if kind is yaml.SequenceNode else _MAP
        if implicit[0]:
            for tag, pattern in self.yaml_implicit_resolvers.get(value[:1], ()):
                if pattern.match(value):
                    return tag
        return _STR


_BOOL = re.compile("(?:y|yes|on|true|n|no|off|false|Y|N|Yes|On|True|No|Off|False|YES|ON|TRUE|NO|OFF|FALSE)$")
_INTEGER = re.compile("[-+]?(?:0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]*|0[bB][01_]+|[1-9][0-9_]*)$")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?$|[-+]?\.(?:inf|Inf|INF)$|\.(?:nan|NaN|NAN)$"
)
_SHOWN_IN_FULL_BELOW = 1e21  # by encoding/json
_MOST_DIGITS = 400  # with more, no number is one of 64 bits

#: No number in base 60 is among them: 12:30 is a text, and so is what would take seconds to compute.
_RESOLVED = (
    ("bool", _BOOL, "yYnNtTfFoO"),
    ("int", _INTEGER, "-+0123456789"),
    ("float", _FLOAT, "-+0123456789."),
    ("null", re.compile("(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
    ("merge", re.compile("<<$"), "<"),
)
_Loader.yaml_implicit_resolvers = {}
for _name, _pattern, _first in _RESOLVED:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", _pattern, list(_first))


def _text(loader: _Loader, node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise YamlError(f"yaml: cannot decode a collection as a {node.tag}")
    return str(loader.construct_scalar(node))


def _bool(loader: _Loader, node: yaml.Node) -> bool:
    return _text(loader, node).lower() in {"y", "yes", "on", "true"}


def _number(loader: _Loader, node: yaml.Node) -> int | float | str:
    """What has more than 64 bits is a floating-point number, and what is too much for one is a text."""
    text = _text(loader, node)
    plain_text = text.replace("_", "")
    if len(plain_text) > _MOST_DIGITS:
        return text
    if _INTEGER.match(plain_text):
        whole = _integer(plain_text)
        if -(2**63) <= whole < 2**64:
            return whole
    if plain_text.lower().endswith(("inf", "nan")):
        shown = "NaN" if plain_text[-1] in "nN" else f"{'-' if plain_text[0] == '-' else '+'}Inf"
        raise YamlError(f"json: unsupported value: {shown}")
    number = float(plain_text)
    if math.isinf(number):
        return text
    return int(number) if number.is_integer() and abs(number) < _SHOWN_IN_FULL_BELOW else number


def _integer(text: str) -> int:
    digits = text.lstrip("-+")
    is_octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdecimal()
    number = int(digits, 8 if is_octal else 0)
    return -number if text.startswith("-") else number


def _binary(loader: _Loader, node: yaml.Node) -> str:
    return base64.b64decode(_text(loader, node)).decode()


def _untagged(loader: _Loader, node: yaml.Node) -> Any:
    """What has a tag that nobody knows is what it would be without."""
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    return loader.construct_sequence(node, deep=True) if isinstance(node, yaml.SequenceNode) else node.value


_Loader.add_constructor("tag:yaml.org,2002:bool", _bool)
_Loader.add_constructor("tag:yaml.org,2002:int", _number)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)
_Loader.add_constructor("tag:yaml.org,2002:binary", _binary)
_Loader.add_constructor(None, _untagged)


def load(text: bytes) -> Any:
    """
    Raises:
        YamlError: It cannot be read.
    """
    try:
        _check_limits(text)
        return codecs.decode(codecs.encode(_first_document(text)))
    except yaml.MarkedYAMLError as error:
        raise YamlError(_told(error)) from error
    except Refused as error:
        raise YamlError(f"yaml: {error}") from None
    except RecursionError:
        raise YamlError("yaml: nested deeper than the embedded API server reads") from None
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, TypeError, msgspec.MsgspecError) as error:
        raise YamlError(f"yaml: {error}") from error


def _first_document(text: bytes) -> Any:
    loader = _Loader(text)
    try:
        node = loader.get_node() if loader.check_node() else None
        return None if node is None else _built(loader, node)
    finally:
        loader.dispose()


def _built(loader: _Loader, node: yaml.Node) -> Any:
    """The value of a node, with texts for keys: in one pass over what most documents are made of."""
    if isinstance(node, yaml.ScalarNode):
        text: str = node.value
        if node.tag == _STR:
            return text
        if node.tag == _INT and len(text) <= _SHORT and text.isdecimal() and text.isascii() and text[0] != "0":
            return int(text)
    elif isinstance(node, yaml.SequenceNode) and node.tag == _SEQ:
        return [_built(loader, each) for each in node.value]
    elif node.tag == _MAP and all(isinstance(key, yaml.ScalarNode) and key.tag != _MERGE for key, _ in node.value):
        return {_key(_built(loader, key)): _built(loader, each) for key, each in node.value}
    return _with_text_keys(loader.construct_document(node))


def _check_limits(text: bytes) -> None:
    """Only what nests on a line or has an alias can exceed one; reading all of it twice would cost the others."""
    if b"*" not in text and text.count(b"[") + text.count(b"{") < _MANY_BRACKETS and not _NESTED_IN_LINE.search(text):
        return
    check = LimitCheck()
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.DocumentEndEvent):
            break
        check.see(event)
    if check.depth > _MAX_COMPOSED_DEPTH:
        raise RecursionError


def _with_text_keys(value: Any) -> Any:
    """JSON has texts for keys: `on`, which is true, becomes "true"."""
    if isinstance(value, dict):
        return {_key(key): _with_text_keys(each) for key, each in value.items()}
    return [_with_text_keys(each) for each in value] if isinstance(value, list) else value


def _key(key: Any) -> Any:
    return plain(key) if isinstance(key, bool | int | float) else key


def _told(error: yaml.MarkedYAMLError) -> str:
    """Lines are counted from 0 and told from 1, or not told; a scanner's one is told as the next."""
    mark = error.problem_mark or error.context_mark
    line = mark.line if mark is not None else 0
    if isinstance(error, yaml.scanner.ScannerError) and line:
        line += 1
    return f"yaml: line {line}: {error.problem}" if line else f"yaml: {error.problem}"
