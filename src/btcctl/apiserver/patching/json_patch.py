"""JSON Patch, as kube-apiserver's library takes it, which is looser than RFC 6902.

Replacing what is not there sets it, copying it gives null, and a pointer need not begin with a
slash. Source: gopkg.in/evanphx/json-patch.v4.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from btcctl import codecs
from btcctl.apiserver.machinery.integers import saturated
from btcctl.apiserver.machinery.json_values import deep_equal
from btcctl.apiserver.patching.ordering import LONG, Opened, Pieces, copied

Container = dict[str, Any] | list[Any] | Pieces
Operation = Mapping[str, Any]
#: Bytes of JSON that the copies of one patch may make together: as much as a request may have.
_MOST_COPIED_BYTES = 3 << 20
_INDEX = re.compile(r"[+-]?\d+", re.ASCII)


class PatchError(ValueError):
    """An operation does not apply; in the library's words."""


class _MissingPath(PatchError):
    """What a path leads into is not there."""


class TestFailed(PatchError):
    """A `test` finds something else."""


class _Worded(PatchError):
    """An error that says all that there is to say."""


#: What the library says of an operation whose path leads nowhere, and of one that fails at its end.
_LOST = {
    "add": 'add operation does not apply: doc is missing path: "{0}"',
    "remove": 'remove operation does not apply: doc is missing path: "{0}"',
    "replace": "replace operation does not apply: doc is missing path: {0}",
    "move": "move operation does not apply: doc is missing from path: {0}",
    "test": "test operation does not apply: is missing path: {0}",
    "copy": "copy operation does not apply: doc is missing from path: {0}",
}
_FAILED = {
    "add": "error in add for path: '{0}': {1}",
    "remove": "error in remove for path: '{0}': {1}",
    "replace": "replace operation does not apply: doc is missing key: {0}: missing value",
    "move": "error in move for path: '{0}': {1}",
    "test": "error in test for path: '{0}': {1}",
    "copy": "error in copy for from: '{0}': {1}",
}


def apply_operations(target: Mapping[str, Any], operations: Sequence[Operation]) -> Any:
    """The target as the operations leave it; neither argument is changed.

    Returns:
        It, with each object that was looked into as an `Opened` one, and each long list as `Pieces`: see `written`.

    Raises:
        PatchError: One of the operations does not apply.
    """
    document: Any = Opened(copied(target))
    bytes_left = _MOST_COPIED_BYTES
    for operation in operations:
        kind, path = str(operation.get("op")), operation.get("path")
        if kind not in _OPERATIONS or not isinstance(path, str):
            raise PatchError(f"Unexpected kind: {kind}")
        if path == "" and kind in {"replace", "test"}:
            document = _whole(document, kind, operation)
        else:
            bytes_left -= _applied(document, kind, path, operation)
            if bytes_left < 0:
                raise PatchError(f"copy operations of more than {_MOST_COPIED_BYTES} bytes")
    return document


def _applied(document: Any, kind: str, path: str, operation: Operation) -> int:
    try:
        return _OPERATIONS[kind](document, path, operation) or 0
    except (TestFailed, _Worded):
        raise
    except PatchError as error:
        place = str(operation.get("from")) if kind in {"move", "copy"} else path
        if isinstance(error, _MissingPath):
            raise PatchError(f"{_LOST[kind].format(place)}: missing value") from error
        raise PatchError(_FAILED[kind].format(place, error)) from error


def _whole(document: Any, kind: str, operation: Operation) -> Any:
    value = operation.get("value")
    if kind == "test":
        if not deep_equal(copied(document), value):
            raise TestFailed("testing value failed")
        return document
    if isinstance(value, dict):
        return Opened(copied(value))
    return copied(value) if isinstance(value, list) else _fail("replace operation value must be object or array")


def _add(document: Any, path: str, operation: Operation) -> None:
    _insert(*_found(document, path), copied(operation.get("value")))


def _remove(document: Any, path: str, _: Operation) -> None:
    _take(*_found(document, path))


def _take(container: Container, key: str) -> None:
    if not isinstance(container, dict):
        del container[_index(container, key)]
    elif key in container:
        del container[key]
    else:
        _fail(f"Unable to remove nonexistent key: {key}: missing value")


def _replace(document: Any, path: str, operation: Operation) -> None:
    container, key = _found(document, path)
    value = copied(operation.get("value"))
    _set(container, key, value)


def _move(document: Any, path: str, operation: Operation) -> None:
    container, key = _found(document, _source(operation))
    try:
        value = _read(container, key)
        _take(container, key)
    except PatchError as error:
        raise _Worded(f"error in move for path: '{key}': {error}") from error
    _arrive(document, path, value, "move", "error in move for path: '{0}'")


def _copy(document: Any, path: str, operation: Operation) -> int:
    """Returns how many bytes of JSON it has copied."""
    value = copied(_read(*_found(document, _source(operation))))
    size = len(codecs.encode(value))  # before it may be put into what it was copied from
    _arrive(document, path, value, "copy", "error while adding value during copy")
    return size


def _arrive(document: Any, path: str, value: Any, kind: str, failed: str) -> None:
    """Put in what comes from elsewhere."""
    try:
        _insert(*_found(document, path), value)
    except _MissingPath as error:
        why = f"{kind} operation does not apply: doc is missing destination path: {path}: missing value"
        raise _Worded(why) from error
    except PatchError as error:
        raise _Worded(f"{failed.format(path)}: {error}") from error


def _test(document: Any, path: str, operation: Operation) -> None:
    found, wanted = _read(*_found(document, path)), operation.get("value")
    if not deep_equal(copied(found), wanted):
        raise TestFailed(f"testing value {path} failed: test failed")


_OPERATIONS: Mapping[str, Callable[[Any, str, Operation], int | None]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


def _source(operation: Operation) -> str:
    found = operation.get("from")
    return found if isinstance(found, str) else _fail("the operation is missing its from field")


def _found(document: Any, path: str) -> tuple[Container, str]:
    """The container that a path leads into, and the key in it; all on the way are opened."""
    _, *parts = path.split("/")
    if not parts:
        raise _MissingPath(path)
    container = document
    for part in (_unescaped(each) for each in (path.split("/")[1:-1])):
        below = _read(container, part)
        if isinstance(below, dict) and not isinstance(below, Opened):
            below = Opened(below)
            _set(container, part, below)
        elif isinstance(below, list) and len(below) > LONG:
            below = Pieces(below)
            _set(container, part, below)
        if not isinstance(below, dict | list | Pieces):
            raise _MissingPath(path)
        container = below
    return container, _unescaped(parts[-1])


def _unescaped(part: str) -> str:
    return re.sub("~[01]", lambda found: "/" if found[0] == "~1" else "~", part)


def _read(container: Container, key: str) -> Any:
    """None for a key that is not there."""
    return container.get(key) if isinstance(container, dict) else container[_index(container, key)]


def _set(container: Container, key: str, value: Any) -> None:
    if isinstance(container, dict):
        container[key] = value
    else:
        container[_index(container, key)] = value


def _insert(container: Container, key: str, value: Any) -> None:
    if isinstance(container, dict):
        container[key] = value
    elif key == "-":
        container.append(value)
    else:
        container.insert(_index(container, key, after=1), value)


def _index(items: list[Any] | Pieces, key: str, *, after: int = 0) -> int:
    """Negative ones count from the end.

    Args:
        after: How far behind the last item an index may be.
    """
    size = len(items) + after
    index = saturated(key) if _INDEX.fullmatch(key) else size
    return (
        index % size
        if -size <= index < size
        else _fail(f"Unable to access invalid index: {key}: invalid index referenced")
    )


def _fail(why: str) -> NoReturn:
    raise PatchError(why)
