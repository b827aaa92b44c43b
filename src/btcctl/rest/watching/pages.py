"""A list on its way: bytes to objects, each with bytes of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from btcctl.errors import ObjectDecodeError
from btcctl.metadata import TypeMeta, decode_frame
from btcctl.nesting import is_too_deep, split_array, split_object
from btcctl.objects import DECODE_ERRORS, ListPage, Object, decode_json, decode_members, object_from
from btcctl.secret import hiding_frames

# A server asked for resourceVersion=0 sends everything at once, whatever the limit.
_WINDOW_BYTES = 1 << 20
_ITEMS = b'"items":['
#: How the API server begins an object: what it is, if it says so at all, then its metadata.
_BEGINNING = re.compile(rb'\{(?:"(?:apiVersion|kind)":"[^"\\]*",)*"metadata":\{')


class _ListMeta(msgspec.Struct, rename={"continue_token": "continue", "resource_version": "resourceVersion"}):
    continue_token: str | None = None
    resource_version: str | None = None


class _Page(msgspec.Struct):
    metadata: _ListMeta | None  # null, as Go reads it, says nothing; without any it is no list
    items: list[msgspec.Raw] | None  # a Table, say, has none; an empty list of it would be a lie


class PageDecoder:
    """Splits a list into its objects while it is still coming, so that it is never held as a whole.

    The bytes are cut where one object ends and the next begins as the first one did, and each part
    is decoded on its own. One that was cut in the wrong place is no JSON: from there on everything
    is kept, and decoded as a whole at the end. So where to cut is a guess, and what comes out is not.

    Args:
        what: Names the list in errors.
        type_meta: What its objects are, which those of a built-in kind do not say.
        window_bytes: How much is collected before it is decoded.
    """

    def __init__(self, what: str, type_meta: TypeMeta | None = None, *, window_bytes: int = _WINDOW_BYTES) -> None:
        self._what = what
        self._type_meta = type_meta
        self._window_bytes = window_bytes
        self._next_bytes = window_bytes  # how much there must be before it is looked at
        self._items: list[Object] = []
        self._head = b""  # what stands before the first item
        self._buffer = bytearray()
        self._beginning: bytes | None = None  # of every item, if known
        self._is_whole = False  # everything is kept until the end

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the body."""
        self._buffer += data
        if len(self._buffer) >= self._next_bytes and not self._is_whole:
            self._take_window()
            # Twice as much if there was nothing to take, or a huge object would be searched again and again.
            self._next_bytes = max(self._window_bytes, 2 * len(self._buffer))

    @hiding_frames
    def finish(self) -> ListPage:
        """All of it has come.

        An item without usable metadata is left out: one object must not keep everybody from seeing
        the others.

        Raises:
            ObjectDecodeError: It is not a list.
        """
        if not self._is_whole:
            self._take_window()
        rest = decode_page(self._head + bytes(self._buffer), self._what, self._type_meta)
        return ListPage([*self._items, *rest.items], rest.resource_version, rest.continue_token, rest.unreadable)

    def _take_window(self) -> None:
        """Decode what the buffer has of whole items, but for the last one."""
        if self._beginning is None and not self._find_items():
            self._is_whole = True
            return
        beginning = self._beginning or b""
        end = self._buffer.rfind(b"}," + beginning)
        if end < 0:
            return
        with memoryview(self._buffer) as window:
            parts = bytes(window[len(beginning) : end]).split(b"}," + beginning)
        type_meta = self._type_meta
        try:
            decoded = [_own(b"%b%b}" % (beginning, part), type_meta) for part in parts]
        except DECODE_ERRORS:
            self._is_whole = True
            return
        self._items += decoded
        del self._buffer[: end + 2]

    def _find_items(self) -> bool:
        """Take the head off the buffer and see how the first item begins."""
        at = self._buffer.find(_ITEMS)
        head = bytes(self._buffer[: at + len(_ITEMS)])
        first = _BEGINNING.match(self._buffer, len(head)) if at >= 0 else None
        if first is None:
            return False
        try:
            decode_members(head + b"]}")  # no "items" but the list's own
        except ObjectDecodeError:
            return False
        self._head = head
        self._beginning = first[0]
        del self._buffer[: len(head)]
        return True


def _own(raw: bytes, type_meta: TypeMeta | None) -> Object:
    """An object of its bytes.

    Raises:
        msgspec.ValidationError: It has no name, among others.
    """
    meta = decode_frame(raw).metadata
    if not meta.name:
        raise msgspec.ValidationError("no metadata.name")
    return Object(meta, raw, type_meta)


def _metadata_alone(raw: bytes, what: str) -> _ListMeta | None:
    return decode_json(b'{"metadata":%b,"items":null}' % raw, _Page, lambda: what).metadata


def decode_page(body: bytes, what: str, type_meta: TypeMeta | None = None) -> ListPage:
    """Split a list that is there as a whole, as `PageDecoder` does.

    Args:
        body: A List of any kind.
        what: Names the list in errors.
        type_meta: What its objects are.

    Raises:
        ObjectDecodeError: It is not a list.
    """
    try:
        page = decode_json(body, _Page, lambda: what)
        raws: Iterable[bytes] = map(bytes, page.items or ())  # a Raw would keep the whole page alive
        metadata = page.metadata
    except ObjectDecodeError as error:
        if not is_too_deep(error):
            raise
        members = split_object(body)
        metadata = _metadata_alone(members.get(b'"metadata"', b"0"), what)
        raws = split_array(members.get(b'"items"', b""))
    metadata = metadata or _ListMeta()
    items: list[Object] = []
    unreadable: list[str] = []
    for raw in raws:
        try:
            items.append(object_from(raw, type_meta))
        except ObjectDecodeError as error:
            unreadable.append(str(error))
    return ListPage(items, metadata.resource_version or "", metadata.continue_token or "", tuple(unreadable))
