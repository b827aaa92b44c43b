"""A kubeconfig's bytes as plain data, understood as kubectl's YAML parser understands them.

kubectl turns YAML 1.1 into JSON first (sigs.k8s.io/yaml): `yes` is a boolean, `12:30` and `2020-01-01` are texts,
a null field counts as missing, of several documents the first counts, of equal keys the last. PyYAML builds other
things of some of these, so only its composer is used, and the values are made here.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from btcctl import codecs
from btcctl.errors import ConfigError
from btcctl.named_files import read_once, shown_name

_MAX_VALUES = 1_000_000  # with every alias counted as often as it stands there
_MERGE = "tag:yaml.org,2002:merge"
_UNTAGGED = "untagged"

# gopkg.in/yaml.v2 resolve.go, which sigs.k8s.io/yaml carries on.
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})
_FALSE = frozenset({"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})
_INT = re.compile(r"[-+]?(0[bB][01_]+|0[oO]?[0-7_]+|0[xX][0-9a-fA-F_]+|[0-9][0-9_]*)")
_TABS_AT_END = re.compile(rb"[ \t]*\t[ \t]*$", re.MULTILINE)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


class _Loader(yaml.SafeLoader):
    """Leaves it to us what an untagged scalar is."""

    DEFAULT_SCALAR_TAG = _UNTAGGED  # type: ignore[misc]  # only the stubs say that it is final
    yaml_implicit_resolvers = {"<": [(_MERGE, re.compile("<<"))]}  # noqa: RUF012  as in the base class


def read(path: Path) -> dict[str, Any]:
    """The mapping in a file, {} if it is empty. Fields that are null are not in it.

    Raises:
        ConfigError: It cannot be read, or is no mapping. Quotes nothing of it: it holds secrets.
    """
    data = _bytes_of(path)
    try:
        document = _parsed_leniently(data)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark else f"{path}"
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "malformed"
        raise ConfigError(f"kubeconfig {where}: not YAML: {problem}") from None
    except RecursionError:
        raise ConfigError(f"kubeconfig {path} is nested too deep") from None
    except (ValueError, OverflowError):  # PyYAML's, of an escape beyond Unicode for one
        raise ConfigError(f"kubeconfig {path}: not YAML: malformed") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigError(f"kubeconfig {path} is not a kubeconfig: no mapping at its top")
    return document


def _bytes_of(path: Path) -> bytes:
    try:
        return read_once(path)
    except OSError as error:
        raise ConfigError(f"kubeconfig {shown_name(path)} cannot be read: {error.strerror}") from error


def _parsed_leniently(data: bytes) -> Any:
    """With tabs at the ends of lines, which PyYAML refuses and kubectl's parser skips."""
    try:
        return _parsed(data)
    except yaml.scanner.ScannerError:
        trimmed = _TABS_AT_END.sub(b"", data)
        if trimmed == data:
            raise
    return _parsed(trimmed)


def _parsed(data: bytes) -> Any:
    if data.lstrip()[:1] == b"{":  # JSON may be indented by tabs, which YAML forbids
        try:
            return _without_nulls(codecs.decode(data))
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass
    loader = _Loader(data)
    try:
        node = loader.get_node() if loader.check_node() else None
    finally:
        loader.dispose()
    if loader.yaml_version not in {None, (1, 1)}:
        raise yaml.parser.ParserError(None, None, "a document of another YAML than 1.1, which kubectl does not read")
    return None if node is None else _Values().of(node)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


class _Values:
    """Makes values of nodes, of one that has several aliases once."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[Any, int]] = {}  # by the node's id: its value and size
        self._open: set[int] = set()

    def of(self, node: Node) -> Any:
        value, _ = self._value(node)
        return value

    def _value(self, node: Node) -> tuple[Any, int]:
        known = self._made.get(id(node))
        if known is not None:
            return known
        if id(node) in self._open:
            raise yaml.composer.ComposerError(None, None, "a value contains itself", node.start_mark)
        self._open.add(id(node))
        value, size = self._build(node)
        self._open.discard(id(node))
        if size > _MAX_VALUES:
            raise yaml.composer.ComposerError(None, None, "too large with its aliases filled in", node.start_mark)
        self._made[id(node)] = (value, size)
        return value, size

    def _build(self, node: Node) -> tuple[Any, int]:
        if isinstance(node, MappingNode):
            return self._mapping(node)
        if isinstance(node, SequenceNode):
            parts = [self._value(each) for each in node.value]
            return [value for value, _ in parts], 1 + sum(size for _, size in parts)
        return _scalar(node) if isinstance(node, ScalarNode) else None, 1

    def _mapping(self, node: MappingNode) -> tuple[dict[str, Any], int]:
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        total = 1
        for key_node, value_node in node.value:
            value, size = self._value(value_node)
            total += size
            if key_node.tag == _MERGE:
                for each in reversed(value if isinstance(value, list) else [value]):
                    if not isinstance(each, dict):
                        raise yaml.composer.ComposerError(None, None, "<< needs a mapping", key_node.start_mark)
                    merged.update(each)
            else:
                own[_key(key_node)] = value
        return {key: value for key, value in {**merged, **own}.items() if value is not None}, total


def _key(node: Node) -> str:
    if not isinstance(node, ScalarNode):
        raise yaml.composer.ComposerError(None, None, "a key that is no text", node.start_mark)
    return str(node.value)


def _scalar(node: ScalarNode) -> Any:
    text = str(node.value)
    text.encode()  # half of a surrogate pair is no text, and no name of a file
    if node.tag != _UNTAGGED:
        make = _TAGGED.get(node.tag)
        return text if make is None else make(text)
    return text if node.style is not None else _plain(text)


def _plain(text: str) -> Any:
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    return _number(text) if _INT.fullmatch(text) or _FLOAT.fullmatch(text) else text


def _number(text: str) -> Any:
    """A number; the text itself if it is too large for one. There is no infinity in JSON: a ValueError."""
    digits = text.replace("_", "") if _INT.fullmatch(text) else text
    for base in (0, 8):
        with contextlib.suppress(ValueError):
            return int(digits, base)
    value = float(digits.lower().lstrip("+").replace(".inf", "inf").replace(".nan", "nan"))
    if math.isfinite(value):
        return value
    if any(each.isdecimal() for each in digits):
        return text
    raise ValueError("no number of JSON")


_TAGGED: dict[str, Callable[[str], Any]] = {
    "tag:yaml.org,2002:null": lambda _: None,
    "tag:yaml.org,2002:bool": lambda text: text in _TRUE,
    "tag:yaml.org,2002:int": _number,
    "tag:yaml.org,2002:float": _number,
}
