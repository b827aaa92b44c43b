"""Reading JSON that is nested too deep for the decoder.

The API server stores objects nested up to 9,990 deep (measured on 1.36.2), and the
decoder gives up at about 1,000: on a whole page of a list, for the sake of one object in it. So
whoever may create such an object could blind every informer. Here a page, a line or an object is
cut into its parts by counting brackets, and only what is needed of it is decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from btcctl.errors import ObjectDecodeError
from btcctl.objects import Object, ObjectMeta, decode_json

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_MARK = re.compile(_STRING.pattern + rb"|[][{},]", re.DOTALL)
_META = (b'"name"', b'"namespace"', b'"uid"', b'"resourceVersion"', b'"generation"', b'"deletionTimestamp"')


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


def read_object(raw: bytes) -> Object:
    """An API object, however deep; decoding its body later fails, and only that.

    Raises:
        ObjectDecodeError: It has no usable metadata.
    """
    metadata = split_object(split_object(raw).get(b'"metadata"', b"{}"))
    scalars = b",".join(name + b":" + metadata[name] for name in _META if name in metadata)
    meta = decode_json(b"{" + scalars + b"}", ObjectMeta, lambda: "metadata")
    if not meta.name:
        raise ObjectDecodeError("object cannot be decoded: it has no metadata.name")
    return Object(meta, raw)


def object_from(raw: bytes) -> Object:
    """`Object.from_raw`, for objects of any depth."""
    try:
        return Object.from_raw(raw)
    except ObjectDecodeError as error:
        if not is_too_deep(error):
            raise
        return read_object(raw)


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
