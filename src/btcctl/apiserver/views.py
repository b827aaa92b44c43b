"""In which form a client wants objects: themselves, as a Table, or their metadata only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from btcctl.apiserver import statuses, tables
from btcctl.apiserver.collection import Body, Record
from btcctl.apiserver.registry import Served

_PLAIN = frozenset({"application/json", "application/*", "*/*", "*", ""})
_NOT_ACCEPTABLE = "406: Not Acceptable\n\nAvailable representations: application/json, application/json;stream=watch"


def wanted_form(accept: str) -> str:
    """ "Table", "PartialObjectMetadata", "PartialObjectMetadataList" or "": the first that can be served.

    Raises:
        StatusError: 406, none can.
    """
    for part in accept.split(","):
        media_type, *parameters = (each.strip() for each in part.split(";"))
        if media_type not in _PLAIN:
            continue
        values = dict(each.partition("=")[::2] for each in parameters)
        form = values.get("as", "")
        if not form:
            return ""
        if form in {"Table", "PartialObjectMetadata", "PartialObjectMetadataList"} and values.get("v", "v1") == "v1":
            return form
    raise statuses.StatusError(406, _NOT_ACCEPTABLE, "NotAcceptable", details={})


class View:
    """Encodes the objects of one resource in one form.

    Args:
        form: As `wanted_form` returns it.
        include_object: Of a Table: what rows carry.
        now: Tells the wall time, which a Table's ages count from.
    """

    def __init__(self, served: Served, form: str, include_object: str, now: Callable[[], datetime]) -> None:
        self._served = served
        self._form = form
        self._include_object = include_object or "Metadata"
        self._now = now
        self._with_columns = True

    @property
    def is_plain(self) -> bool:
        return not self._form

    def body(self, body: Body) -> bytes:
        """One object."""
        if self._form == "Table":
            metadata = {"resourceVersion": body["metadata"].get("resourceVersion", "")}
            return msgspec.json.encode(self._table([body], metadata))
        if self._form:
            return msgspec.json.encode(tables.partial_object(body))
        return Record(body, 0).raw(self._served.type.api_version)

    def record(self, record: Record) -> bytes:
        """One object, from the store."""
        return record.raw(self._served.type.api_version) if self.is_plain else self.body(record.body)

    def event(self, record: Record) -> bytes:
        """One object of a watch: a Table defines its columns only in the first event."""
        encoded = self.body(record.body)
        self._with_columns = False
        return encoded

    def list(self, records: Sequence[Record], metadata: Mapping[str, Any]) -> bytes:
        """A list. Custom resources have their keys sorted, and items that say what they are."""
        if self._form == "Table":
            return msgspec.json.encode(self._table([record.body for record in records], metadata))
        if self._form:
            items = [tables.partial_object(record.body) for record in records]
            head = {"kind": "PartialObjectMetadataList", "apiVersion": tables.META_VERSION}
            return msgspec.json.encode({**head, "metadata": metadata, "items": items})
        api_version, kind = self._served.type.api_version, self._served.list_kind
        if self._served.is_custom:
            joined = b",".join(record.raw(api_version) for record in records)
            sorted_metadata = msgspec.json.encode({"continue": "", **metadata}, order="sorted")
            template = b'{"apiVersion":"%s","items":[%s],"kind":"%s","metadata":%s}'
            return template % (api_version.encode(), joined, kind.encode(), sorted_metadata)
        joined = b",".join(msgspec.json.encode(_without_type(record.body)) for record in records)
        template = b'{"kind":"%s","apiVersion":"%s","metadata":%s,"items":[%s]}'
        return template % (kind.encode(), api_version.encode(), msgspec.json.encode(metadata), joined)

    def bookmark(self, metadata: dict[str, Any]) -> dict[str, Any]:
        """The object of a BOOKMARK: what it is, and the metadata."""
        type_ = self._served.type
        if self._form == "Table":
            stub = {"kind": type_.kind, "apiVersion": type_.api_version, "metadata": metadata}
            return self._table([stub], {"resourceVersion": metadata["resourceVersion"]})
        if self._form:
            return {"kind": "PartialObjectMetadata", "apiVersion": tables.META_VERSION, "metadata": metadata}
        if self._served.is_custom:
            return {"apiVersion": type_.api_version, "kind": type_.kind, "metadata": dict(sorted(metadata.items()))}
        return {"kind": type_.kind, "apiVersion": type_.api_version, "metadata": metadata}

    def _table(self, bodies: Sequence[Body], metadata: Mapping[str, Any]) -> dict[str, Any]:
        return tables.render(
            self._served,
            bodies,
            now=self._now(),
            metadata=metadata,
            include_object=self._include_object,
            with_columns=self._with_columns,
        )


def _without_type(body: Body) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in {"kind", "apiVersion"}}
