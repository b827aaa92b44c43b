"""In which form a client wants objects: themselves, as a Table, or their metadata only."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from btcctl import codecs
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.printers import tables
from btcctl.apiserver.printers.negotiation import choose
from btcctl.apiserver.served.registry import Served
from btcctl.apiserver.storage.collection import Body, Record

_FORMS = frozenset({"Table", "PartialObjectMetadata", "PartialObjectMetadataList"})
_VERSIONS = frozenset({"v1", "v1beta1"})
_STREAMS = "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"
AVAILABLE_STREAMS = f"{errors.MEDIA_TYPES}, {_STREAMS}"


@dataclass(frozen=True, slots=True)
class Form:
    """What objects are answered as; themselves if it has no name."""

    name: str = ""  #: "", "Table", "PartialObjectMetadata" or "PartialObjectMetadataList"
    version: str = "v1"  #: of meta.k8s.io

    @property
    def api_version(self) -> str:
        return f"meta.k8s.io/{self.version}"


@functools.lru_cache(32)
def wanted_form(accept: str, available: str, *, has_table: bool = True) -> Form:
    """The first of the accepted forms that can be served.

    Args:
        available: What there is, as a built-in resource says it; "" for a custom one.
        has_table: Whether a Table can be served.

    Raises:
        StatusError: 406, none can; 501, a real server could serve one.
    """
    return choose(accept, _form if has_table else _form_but_tables, available=available)


def _form_but_tables(parameters: Mapping[str, str]) -> Form | None:
    return None if parameters.get("as") == "Table" else _form(parameters)


def _form(parameters: Mapping[str, str]) -> Form | None:
    name, version = parameters.get("as", ""), parameters.get("v", "")
    if not name:
        return Form()
    is_known = name in _FORMS and version in _VERSIONS and parameters.get("g") == "meta.k8s.io"
    return Form(name, version) if is_known else None


class View:
    """Encodes the objects of one resource in one form.

    Args:
        form: As `wanted_form` returns it.
        include_object: Of a Table: what rows carry.
        now: Tells the wall time, which a Table's ages count from.

    Raises:
        StatusError: A Table cannot include that.
    """

    def __init__(self, served: Served, form: Form, include_object: str, now: Callable[[], datetime]) -> None:
        if form.name == "Table" and include_object not in {"", "None", "Metadata", "Object"}:
            why = f"includeObject: Invalid value: \"{include_object}\": must be 'Metadata', 'Object', 'None', or empty"
            raise errors.bad_request(f"Unable to convert to Table as requested: {why}")
        self._served = served
        self._form = form
        self._include_object = include_object or "Metadata"
        self._now = now
        self._with_columns = True

    @property
    def is_plain(self) -> bool:
        """Whether it shows the objects themselves."""
        return not self._form.name

    @property
    def is_direct(self) -> bool:
        """Whether it shows the objects themselves, as they are stored."""
        return self.is_plain and not self._served.kind.is_converted

    @property
    def is_for_lists(self) -> bool:
        return self._form.name == "PartialObjectMetadataList"

    def check(self, *, is_list: bool) -> None:
        """
        Raises:
            StatusError: 406, the form is for single objects and this is a list, or the reverse.
        """
        name = self._form.name
        if is_list and name == "PartialObjectMetadata":
            raise self._unfit(f"is a list ({self._served.kind.go_name(self._served.list_kind)})")
        if not is_list and name == "PartialObjectMetadataList":
            raise self._unfit(f"is not a list ({self._served.kind.go_name()})")

    def _unfit(self, why: str) -> errors.StatusError:
        message = f"you requested {self._form.name}, but the requested object {why}"
        return errors.StatusError(406, message, "NotAcceptable")

    def body(self, body: Body) -> bytes:
        """One object, as it is stored."""
        body = self._served.kind.seen_body(body)
        if self._form.name == "Table":
            metadata = {"resourceVersion": body["metadata"].get("resourceVersion", "")}
            return codecs.encode(self._table([body], metadata))
        if self._form.name:
            return codecs.encode(tables.partial_object(body, self._form.api_version))
        return Record(body, 0).raw(self._served.type.api_version)

    def record(self, record: Record) -> bytes:
        """One object, from the store."""
        return (
            self._served.kind.seen(record).raw(self._served.type.api_version)
            if self.is_plain
            else self.body(record.body)
        )

    def event(self, record: Record) -> bytes:
        """One object of a watch: a Table defines its columns only in the first event."""
        encoded = self.record(record)
        self._with_columns = False
        return encoded

    def list(self, records: Sequence[Record], metadata: Mapping[str, Any]) -> bytes:
        """A list, with or without columns."""
        records = [self._served.kind.seen(record) for record in records]
        if self._form.name == "Table":
            return codecs.encode(self._table([record.body for record in records], metadata))
        if self._form.name:
            items = [tables.partial_object(record.body, self._form.api_version) for record in records]
            head = {"kind": "PartialObjectMetadataList", "apiVersion": self._form.api_version}
            return codecs.encode({**head, "metadata": metadata, "items": items})
        return self._served.kind.encoded_list(self._served.list_kind, records, metadata)

    def bookmark(self, metadata: dict[str, Any]) -> dict[str, Any]:
        """The object of a BOOKMARK: what it is, and the metadata."""
        type_ = self._served.type
        if self._form.name == "Table":
            stub = {"kind": type_.kind, "apiVersion": type_.api_version, "metadata": metadata}
            return self._table([stub], {"resourceVersion": metadata["resourceVersion"]})
        if self._form.name:
            return {"kind": "PartialObjectMetadata", "apiVersion": self._form.api_version, "metadata": metadata}
        return self._served.kind.bookmark(metadata)

    def _table(self, bodies: Sequence[Body], metadata: Mapping[str, Any]) -> dict[str, Any]:
        return tables.render(
            self._served,
            bodies,
            now=self._now(),
            metadata=metadata,
            include_object=self._include_object,
            with_columns=self._with_columns,
            api_version=self._form.api_version,
        )
