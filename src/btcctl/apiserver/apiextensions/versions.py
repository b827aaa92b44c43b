"""One custom resource as its versions show it: a webhook converts it, or conversion changes apiVersion alone.

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
    if served.conversion is not None:  # what a webhook says is not kept: it may say something else tomorrow
        return Record(seen_body(served, record.body), record.revision)
    return record.derived(served.schema, lambda body: seen_body(served, body))


def seen_body(served: Served, body: Body) -> Body:
    """The same of an object that is no record."""
    if not served.is_converted:
        return body
    copy = _private(body)
    prune_and_default.default(served.storage_schema or {}, copy)
    copy = _moved(served, copy, served.type.api_version)
    prune_and_default.prune(served.schema or {}, copy)
    return _private(copy)


def stored_body(served: Served, body: Body) -> dict[str, Any]:
    """An object of a served version as it is stored."""
    moved = _moved(served, body, served.storage_api_version)
    if not served.is_converted:
        return moved
    copy = _private(moved)
    prune_and_default.prune(served.storage_schema or {}, copy)
    return copy


def _moved(served: Served, body: Body, api_version: str) -> dict[str, Any]:
    if served.conversion is not None and body.get("apiVersion") != api_version:
        return served.conversion.converted(body, api_version)
    return {**body, "apiVersion": api_version}


def _private(body: Body) -> dict[str, Any]:
    """A copy, its keys in order."""
    copy: dict[str, Any] = codecs.decode(codecs.encode(body, order="sorted"))
    return copy
