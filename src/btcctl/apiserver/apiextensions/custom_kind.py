"""A kind of a CustomResourceDefinition: its schema says what it is like.

An object is stored as the storage version has it. Whoever reads it sees the defaults that this version has by now, and
only the fields that the version asked for knows; a webhook converts it, or conversion changes apiVersion alone.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from btcctl import codecs
from btcctl.apiserver.apiextensions import custom_objects
from btcctl.apiserver.gotypes import Misfit, decode, type_named
from btcctl.apiserver.kinds import metadata as meta
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import Cause, StatusError
from btcctl.apiserver.machinery.gofmt import json_text
from btcctl.apiserver.managedfields import Target
from btcctl.apiserver.managedfields.targets import custom_target
from btcctl.apiserver.managedfields.types import Type, custom_type
from btcctl.apiserver.schemas import prune_and_default
from btcctl.apiserver.served.kind import APPLY, JSON_PATCH, MERGE, Conversion, Decode, PrinterColumn, ScalePaths, Warn
from btcctl.apiserver.storage.collection import Body, Record
from btcctl.resources import ResourceType

Schema = Mapping[str, Any]
_TEXTS = ("labels", "annotations")  # of which null is an empty one
_HUGE = re.compile(rb"[0-9]{19}")  # what an integer has at least that does not fit into 64 bits


@dataclass(frozen=True)
class CustomKind:
    """See `served.kind.Kind`.

    Attributes:
        schema: The openAPIV3Schema of this version.
        schemas: Those of all that are served, by apiVersion.
        versions: All that the definition has.
        storage_version: The one that is stored.
        is_changed: Whether the definition was changed since it was made.
        rules: The compiled CEL rules of the schema; None for none.
    """

    type: ResourceType
    schema: Schema
    has_status: bool = False
    scale: ScalePaths | None = None
    printer_columns: tuple[PrinterColumn, ...] = ()
    selectable_fields: tuple[str, ...] = ()
    schemas: Mapping[str, Schema] = field(default_factory=dict)
    versions: frozenset[str] = frozenset()
    storage_version: str = ""
    storage_schema: Schema = field(default_factory=dict)
    is_changed: bool = False
    conversion: Conversion | None = None
    rules: Any = field(default=None, compare=False)

    has_own_routes = False
    lists_media_types = False
    shares_version_with_list = False
    scales_as_type = False
    decoder_finds_duplicates = False
    patch_types = (JSON_PATCH, MERGE, APPLY)
    go_type = None

    @cached_property
    def definition(self) -> str:
        return f"{self.type.plural}.{self.type.group}"

    @property
    def storage_folder(self) -> str:
        return f"{self.type.group}/{self.type.plural}"

    @cached_property
    def is_converted(self) -> bool:
        is_other = self.conversion is not None and self._storage_api_version != self.type.api_version
        return is_other or self.is_changed or self.schema != self.storage_schema

    @cached_property
    def _storage_api_version(self) -> str:
        return f"{self.type.group}/{self.storage_version}"

    def unsupported_patch(self) -> StatusError:
        return errors.unsupported_media_type(self.patch_types)

    def check_sent(self, body: Mapping[str, Any], raw: bytes, field_validation: str, warn: Warn) -> None:
        """That a version is meant which there is. Whether it says the right kind is checked with the rest."""
        kind, api_version, expected = body.get("kind"), body.get("apiVersion") or "", self.type
        if not kind:
            why = f"Object 'Kind' is missing in '{raw.decode(errors='replace')}'"
            raise errors.unrecognized(expected.kind, why, raw)
        if api_version == expected.api_version:
            return
        group, _, version = api_version.rpartition("/")
        if (group, kind) == (expected.group, expected.kind) and version not in self.versions:
            _check_unknown_version(body, field_validation, warn)
        raise errors.other_version(api_version, expected.api_version)

    def check_patched(self, body: Mapping[str, Any], *, is_strategic: bool) -> str:
        kind, api_version = body.get("kind"), body.get("apiVersion")
        if not kind:
            return f"Object 'Kind' is missing in '{json_text(body, sort=False)}'"
        found = {"kind": (kind, self.type.kind), "apiVersion": (api_version, self.type.api_version)}
        causes = [
            Cause("FieldValueInvalid", f'Invalid value: "{is_now or ""}": must be {must_be}', name)
            for name, (is_now, must_be) in found.items()
            if is_now != must_be
        ]
        if causes:
            metadata = body.get("metadata")
            name = str(metadata.get("name") or "") if isinstance(metadata, dict) else ""
            raise errors.invalid(str(api_version or "").rpartition("/")[0], str(kind), name, causes)
        return ""

    def typed(self, body: Any, read: Decode = decode, known: Body | None = None) -> tuple[dict[str, Any], list[str]]:
        """The types are those of its metadata; the schema looks after the rest."""
        body = _private(body)
        metadata, problems = _typed_metadata(body.get("metadata"), None if known is None else known.get("metadata"))
        unknown = sorted(each.replace('field "', 'field "metadata.', 1) for each in problems)
        return {**body, "metadata": metadata}, unknown

    def applied(self, new: dict[str, Any]) -> dict[str, Any]:
        found = cast("dict[str, Any]", codecs.decode(codecs.encode(new)))
        for name in _TEXTS:
            texts = found["metadata"].get(name)
            if texts is not None:
                found["metadata"][name] = {key: "" if text is None else text for key, text in texts.items()}
        return found

    def prune(self, body: dict[str, Any], *, keeps_nulls: bool = False) -> list[str]:
        if body.get("kind") != self.type.kind:
            return []
        removed = prune_and_default.prune(self.schema, body)
        if not keeps_nulls:
            prune_and_default.drop_nulls(self.schema, body)
        return removed

    def fill(self, new: dict[str, Any], unchanged: Container[str] = ()) -> None:
        prune_and_default.default(self.schema, new)

    def written(self, new: dict[str, Any], unchanged: Container[str] = ()) -> dict[str, Any]:
        return new

    def canonical(self, new: dict[str, Any], unchanged: Container[str] = ()) -> dict[str, Any]:
        return self.ordered(new)

    def ordered(self, body: Body) -> dict[str, Any]:
        return meta.canonical(body, sort=True)

    def validate(self, new: Body, old: Body | None, *, is_status: bool) -> tuple[list[Cause], list[str]]:
        return custom_objects.validate(self.schema, self.scale, self.rules, new, old, is_status=is_status)

    def target(self, subresource: str) -> Target:
        return self._status_target if subresource == "status" else self._target

    @cached_property
    def _target(self) -> Target:
        return self._made_target("")

    @cached_property
    def _status_target(self) -> Target:
        return self._made_target("status")

    def _made_target(self, subresource: str) -> Target:
        convert = None if self.conversion is None else self.conversion.converted
        return custom_target(
            self.type,
            self._types,
            subresource,
            has_status=self.has_status,
            convert=convert,
            is_changed=self.is_changed,
        )

    @cached_property
    def _types(self) -> Mapping[str, Type]:
        schemas = {**self.schemas, self.type.api_version: self.schema}
        return {api_version: custom_type(schema) for api_version, schema in schemas.items()}

    def go_name(self, list_kind: str = "") -> str:
        return f"*unstructured.Unstructured{'List' if list_kind else ''}"

    def encoded_list(self, list_kind: str, records: Sequence[Record], metadata: Mapping[str, Any]) -> bytes:
        """Its keys are sorted, and its items say what they are."""
        api_version = self.type.api_version
        joined = b",".join(record.raw(api_version) for record in records)
        sorted_metadata = codecs.encode({"continue": "", **metadata}, order="sorted")
        template = b'{"apiVersion":"%s","items":[%s],"kind":"%s","metadata":%s}'
        return template % (api_version.encode(), joined, list_kind.encode(), sorted_metadata)

    def bookmark(self, metadata: dict[str, Any]) -> dict[str, Any]:
        head = {"apiVersion": self.type.api_version, "kind": self.type.kind}
        return {**head, "metadata": dict(sorted(metadata.items()))}

    def seen(self, record: Record) -> Record:
        if not self.is_converted:
            return record
        if self.conversion is not None:  # what a webhook says is not kept: it may say something else tomorrow
            return Record(self.seen_body(record.body), record.revision)
        return record.derived(self.schema, self.seen_body)

    def seen_body(self, body: Body) -> Body:
        if not self.is_converted:
            return body
        copy = _sorted(body)
        prune_and_default.drop_nulls(self.storage_schema, copy)
        prune_and_default.default(self.storage_schema, copy)
        copy = self._moved(copy, self.type.api_version)
        prune_and_default.prune(self.schema, copy)
        return _sorted(copy)

    def stored_body(self, body: Body) -> dict[str, Any]:
        moved = self._moved(body, self._storage_api_version)
        if not self.is_converted:
            return moved
        copy = _sorted(moved)
        prune_and_default.prune(self.storage_schema, copy)
        return copy

    def _moved(self, body: Body, api_version: str) -> dict[str, Any]:
        if self.conversion is not None and body.get("apiVersion") != api_version:
            return self.conversion.converted(body, api_version)
        return {**body, "apiVersion": api_version}


def _check_unknown_version(body: Mapping[str, Any], field_validation: str, warn: Warn) -> None:
    """A version that there is not has no fields: they are spoken of before the version is."""
    unknown = [f'unknown field "{name}"' for name in sorted(set(body) - {"apiVersion", "kind", "metadata"})]
    if unknown and field_validation == "Strict":
        kind, version = str(body["kind"]), str(body["apiVersion"]).rpartition("/")[2]
        raise errors.unhandled(kind, version, kind, f"strict decoding error: {', '.join(unknown)}")
    for each in unknown if field_validation != "Ignore" else ():
        warn(each)


def _private(body: Body) -> dict[str, Any]:
    """A copy in which integers that need more than 64 bits are floats, as they are to a server."""
    encoded = codecs.encode(body)
    copy: dict[str, Any] = codecs.decode(encoded)
    return _without_huge_integers(copy) if _HUGE.search(encoded) else copy


def _without_huge_integers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_huge_integers(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_huge_integers(each) for each in value]
    if not isinstance(value, int) or -(2**63) <= value < 2**63:
        return value
    try:
        return float(value)
    except OverflowError:
        raise Misfit(f"json: cannot unmarshal number {value} into Go value of type float64") from None


def _typed_metadata(metadata: Any, known: Body | None) -> tuple[dict[str, Any], list[str]]:
    """A server writes it anew before it reads it, with its names sorted; that shows in what it finds first."""
    type_ = type_named("meta.v1.ObjectMeta")
    try:
        return ({}, []) if metadata is None else decode(type_, metadata, known)
    except Misfit:
        return decode(type_, codecs.decode(codecs.encode(metadata, order="sorted")))


def _sorted(body: Body) -> dict[str, Any]:
    """A copy, its keys in order."""
    copy: dict[str, Any] = codecs.decode(codecs.encode(body, order="sorted"))
    return copy
