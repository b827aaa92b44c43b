"""Cutting JSON that is nested too deep for the decoder. Pure.

The API server stores objects nested up to 9,990 deep (measured on 1.36.2), and the decoder gives up
at about 1,000 on Python 3.11, at 10,000 on 3.13, and where the thread's stack ends on 3.14: on a whole page
of a list, for the sake of one object in it. So any user who may create such an object could blind every informer.
Here a page, a line or an object is cut into its parts by counting brackets, and only what is needed of it is
decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from btcctl.errors import ObjectDecodeError

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_MARK = re.compile(_STRING.pattern + rb"|[][{},]", re.DOTALL)


def is_too_deep(error: ObjectDecodeError) -> bool:
    """True if the decoder gave up on nesting, and not on anything wrong."""
    return isinstance(error.__cause__, RecursionError)


def split_object(data: bytes) -> dict[bytes, bytes]:
    """The members of an object: name, as a JSON string without escapes undone, to value.

    Raises:
        ObjectDecodeError: It is no object, or is cut off.
    """
    members: dict[bytes, bytes] = {}
    for part in _parts(data, b"{", b"}"):
        name = _STRING.match(part)
        colon = part.find(b":", name.end()) if name else -1
        if name is None or colon < 0:
            raise ObjectDecodeError("not a JSON object")
        members[name[0]] = part[colon + 1 :].strip()
    return members


def split_array(data: bytes) -> list[bytes]:
    """The elements of an array.

    Raises:
        ObjectDecodeError: It is no array, or is cut off.
    """
    return list(_parts(data, b"[", b"]"))


def metadata_of(raw: bytes, names: Iterable[bytes]) -> bytes:
    """An object with nothing but these members of its metadata, as JSON; those that are missing stay so.

    Raises:
        ObjectDecodeError: It is no object, or its metadata are none.
    """
    metadata = split_object(split_object(raw).get(b'"metadata"', b"{}"))
    chosen = b",".join(b'"%s":%s' % (name, metadata[b'"%s"' % name]) for name in names if b'"%s"' % name in metadata)
    return b'{"metadata":{%s}}' % chosen


def _parts(data: bytes, opening: bytes, closing: bytes) -> Iterator[bytes]:
    """What stands between the commas of the outermost brackets, stripped."""
    data = data.strip()
    if not (data.startswith(opening) and data.endswith(closing)):
        raise ObjectDecodeError(f"not JSON in {opening.decode()}{closing.decode()}")
    depth, start = 0, 1
    for mark in _MARK.finditer(data):
        token = mark[0]
        if token in b"[{":
            depth += 1
        elif token in b"]}":
            depth -= 1
        if depth > 1 or (depth == 1 and token != b","):
            continue
        if depth == 0 and mark.end() != len(data):
            break
        part = data[start : mark.start()].strip()
        start = mark.end()
        if part:
            yield part
    if start != len(data):
        raise ObjectDecodeError("JSON with brackets that do not match")
