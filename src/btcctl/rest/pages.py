"""One page of a list: bytes to objects, each with bytes of its own."""

from __future__ import annotations

import msgspec
import structlog

from btcctl.errors import ObjectDecodeError
from btcctl.objects import ListPage, Object, decode_json

logger = structlog.get_logger(__name__)


class _ListMeta(msgspec.Struct, rename={"continue_token": "continue", "resource_version": "resourceVersion"}):
    continue_token: str | None = None
    resource_version: str | None = None


class _Page(msgspec.Struct):
    metadata: _ListMeta
    items: list[msgspec.Raw] | None = None


def decode_page(body: bytes, what: str) -> ListPage:
    """Split a list into its objects.

    An item without usable metadata is left out and logged: one object must not keep everybody
    from seeing the others.

    Args:
        body: A List of any kind.
        what: Names the list in errors.

    Raises:
        ObjectDecodeError: It is not a list.
    """
    page = decode_json(body, _Page, lambda: what)
    items = [item for item in (_item(raw, what) for raw in page.items or ()) if item is not None]
    return ListPage(items, page.metadata.resource_version or "", page.metadata.continue_token or "")


def _item(raw: msgspec.Raw, what: str) -> Object | None:
    try:
        return Object.from_raw(bytes(raw))  # a Raw would keep the whole page alive
    except ObjectDecodeError as error:
        logger.warning("object left out of a list", list=what, error=str(error))
        return None
