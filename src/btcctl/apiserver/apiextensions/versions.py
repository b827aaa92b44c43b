"""One custom resource as its versions show it. Without a webhook, conversion changes apiVersion alone.

An object is stored as the storage version has it. Whoever reads it sees the defaults that this
version has by now, and only the fields that the version asked for knows.
"""

from __future__ import annotations

from typing import Any

from btcctl import codecs
from btcctl.apiserver.schemas import prune_and_default
from btcctl.apiserver.served.registry import Served
from btcctl.apiserver.storage.collection import Body, Record


def seen(served: Served, record: Record) -> Record:
    """A stored object as it is read; made once for each version of its kind."""
    if not served.is_converted:
        return record
    return record.derived(served.schema, lambda body: seen_body(served, body))


def seen_body(served: Served, body: Body) -> Body:
    """The same of an object that is no record."""
    if not served.is_converted:
        return body
    copy = _private({**body, "apiVersion": served.type.api_version})
    prune_and_default.default(served.storage_schema or {}, copy)
    prune_and_default.prune(served.schema or {}, copy)
    return _private(copy)


def stored_body(served: Served, body: Body) -> dict[str, Any]:
    """An object of a served version as it is stored."""
    moved = {**body, "apiVersion": served.storage_api_version}
    if not served.is_converted:
        return moved
    copy = _private(moved)
    prune_and_default.prune(served.storage_schema or {}, copy)
    return copy


def _private(body: Body) -> dict[str, Any]:
    """A copy, its keys in order."""
    copy: dict[str, Any] = codecs.decode(codecs.encode(body, order="sorted"))
    return copy
