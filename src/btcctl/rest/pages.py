"""One page of a list: bytes to objects, each with bytes of its own."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from btcctl.errors import ObjectDecodeError
from btcctl.nesting import is_too_deep, split_array, split_object
from btcctl.objects import ListPage, Object, decode_json
from btcctl.rest.deep import object_from


class _ListMeta(msgspec.Struct, rename={"continue_token": "continue", "resource_version": "resourceVersion"}):
    continue_token: str | None = None
    resource_version: str | None = None


class _Page(msgspec.Struct):
    metadata: _ListMeta
    items: list[msgspec.Raw] | None  # a Table, say, has none; an empty list of it would be a lie


def decode_page(body: bytes, what: str) -> ListPage:
    """Split a list into its objects.

    An item without usable metadata is left out: one object must not keep everybody from seeing
    the others.

    Args:
        body: A List of any kind.
        what: Names the list in errors.

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
        metadata = decode_json(members.get(b'"metadata"', b"{}"), _ListMeta, lambda: what)
        raws = split_array(members.get(b'"items"', b""))
    items: list[Object] = []
    unreadable: list[str] = []
    for raw in raws:
        try:
            items.append(object_from(raw))
        except ObjectDecodeError as error:
            unreadable.append(str(error))
    return ListPage(items, metadata.resource_version or "", metadata.continue_token or "", tuple(unreadable))
