"""YAML as a real server reads it: into what JSON has, times left as they are written."""

from __future__ import annotations

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


class _Loader(_Safe):
    """Leaves times as they are written, as JSON does."""


_Loader.yaml_implicit_resolvers = {
    character: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for character, resolvers in _Safe.yaml_implicit_resolvers.items()
}


def load(text: bytes) -> Any:
    """
    Raises:
        YamlError: It cannot be read.
    """
    try:
        _check_limits(text)
        loaded = yaml.load(text, _Loader)  # noqa: S506 - it is a safe loader
        return codecs.decode(codecs.encode(_with_text_keys(loaded)))
    except yaml.MarkedYAMLError as error:
        raise YamlError(_told(error)) from error
    except Refused as error:
        raise YamlError(f"yaml: {error}") from None
    except RecursionError:
        raise YamlError("yaml: nested deeper than the embedded API server reads") from None
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, TypeError, msgspec.MsgspecError) as error:
        raise YamlError(f"yaml: {error}") from error


def _check_limits(text: bytes) -> None:
    """Only what nests on a line or has an alias can exceed one; reading all of it twice would cost the others."""
    if b"*" not in text and text.count(b"[") + text.count(b"{") < _MANY_BRACKETS and not _NESTED_IN_LINE.search(text):
        return
    check = LimitCheck()
    for event in yaml.parse(text, _Loader):
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
