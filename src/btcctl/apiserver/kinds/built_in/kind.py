"""A kind that is built in: Go's types say what it is like."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from btcctl import codecs
from btcctl.apiserver.gotypes import GoType, convert, decode, defaults, has_floats, type_of_kind
from btcctl.apiserver.kinds import metadata as meta
from btcctl.apiserver.machinery import errors
from btcctl.apiserver.machinery.errors import Cause, StatusError
from btcctl.apiserver.managedfields import Target
from btcctl.apiserver.managedfields.targets import built_in_target
from btcctl.apiserver.served.kind import (
    APPLY,
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    Decode,
    PrinterColumn,
    ScalePaths,
    Warn,
)
from btcctl.apiserver.storage.collection import Body, Record
from btcctl.apiserver.storage.conversions import are_versions_of_one, as_served
from btcctl.resources import CUSTOM_RESOURCE_DEFINITIONS, ResourceType

#: Where Go's types of a group are, if not in a package called as its first part.
_PACKAGES = {"": "core", "events.k8s.io": "core"}
#: An object with more of them is larger than etcd takes once it has its defaults, which take ten microseconds for each.
_MOST_STRUCTS = 100_000
_ETCD_FOLDERS = {"services": "services/specs", "nodes": "minions"}  # SpecialDefaultResourcePrefixes
_REFERENCE = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
_ABOUT, _ABOUT_NEW = (tuple(f"{field}.{each}" for each in _REFERENCE) for field in ("involvedObject", "regarding"))
# Source: each kind's AddFieldLabelConversionFunc and ToSelectableFields in Kubernetes 1.36.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "pods": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    "events": (
        *_ABOUT,
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    "events.events.k8s.io": (*_ABOUT_NEW, "reason", "reportingController", "type"),
    "jobs.batch": ("status.successful",),
    "namespaces": ("status.phase",),
    "nodes": ("spec.unschedulable",),
    "secrets": ("type",),
    "services": ("spec.clusterIP", "spec.type"),
}


def _structs(body: Mapping[str, Any]) -> int:
    """How many there are beside the metadata's; no more are counted than `_MOST_STRUCTS` and one."""
    count, left = 0, [value for key, value in body.items() if key != "metadata" and isinstance(value, dict | list)]
    while left and count <= _MOST_STRUCTS:
        value = left.pop()
        is_list = not isinstance(value, dict)
        for each in value.values() if isinstance(value, dict) else value:
            kind = type(each)
            if kind is dict:
                count += 1
                left.append(each)
            elif kind is list:
                left.append(each)
            elif each is None and is_list:
                count += 1
    return count


@dataclass(frozen=True)
class BuiltInKind:
    """See `served.kind.Kind`.

    Attributes:
        stored_type: What its objects are stored as.
        has_status: Whether its status is written by a subresource.
        printer_columns: Those of what stands beside custom objects; None for those of `printers`.
    """

    type: ResourceType
    stored_type: ResourceType
    has_status: bool = False
    scale: ScalePaths | None = None
    printer_columns: tuple[PrinterColumn, ...] | None = None

    definition = ""
    has_own_routes = True
    lists_media_types = True
    shares_version_with_list = True
    scales_as_type = True
    decoder_finds_duplicates = True
    patch_types = (JSON_PATCH, MERGE, STRATEGIC, APPLY)
    schema = None
    conversion = None
    is_converted = False

    @property
    def selectable_fields(self) -> Sequence[str] | None:
        return _FIELDS.get(self.type.group_resource)

    @cached_property
    def go_type(self) -> GoType | None:
        return type_of_kind(self.type.api_version, self.type.kind)

    @cached_property
    def _stored_go_type(self) -> GoType | None:
        return type_of_kind(self.stored_type.api_version, self.stored_type.kind)

    @property
    def storage_folder(self) -> str:
        if self.type == CUSTOM_RESOURCE_DEFINITIONS:
            return f"{self.type.group}/{self.type.plural}"
        return _ETCD_FOLDERS.get(self.type.plural, self.type.plural)

    def unsupported_patch(self) -> StatusError:
        return StatusError(415, "415: Unsupported Media Type", "UnsupportedMediaType", details={})

    def check_sent(self, body: Mapping[str, Any], raw: bytes, field_validation: str, warn: Warn) -> None:
        if len(raw) > _MOST_STRUCTS and _structs(body) > _MOST_STRUCTS:
            raise errors.too_large_for_etcd()
        expected = self.type
        kind = body.get("kind") or expected.kind
        api_version = body.get("apiVersion") or expected.api_version
        if (kind, api_version) == (expected.kind, expected.api_version):
            return
        version = api_version.rpartition("/")[2]
        if kind == expected.kind and are_versions_of_one(api_version, expected.api_version):
            raise errors.other_version(api_version, expected.api_version)
        one = kind if kind == "List" else kind.removesuffix("List")
        if one != "List" and type_of_kind(api_version, one) is None:
            why = f'no kind "{kind}" is registered for version "{api_version}" in scheme "{errors.SCHEME}"'
        else:
            internal = expected.group.partition(".")[0] or "core"
            why = f"converting ({version}.{kind}) to ({internal}.{expected.kind}): unknown conversion"
        raise errors.unhandled(kind, version, expected.kind, why)

    def check_patched(self, body: Mapping[str, Any], *, is_strategic: bool) -> str:
        """A patch may say again of which kind the object is, and nothing else; of a strategic one it is ignored."""
        kind, api_version = body.get("kind"), body.get("apiVersion")
        if kind is None or is_strategic or (kind, api_version) == (self.type.kind, self.type.api_version):
            return ""
        return f'no kind "{kind}" is registered for version "{api_version}" in scheme "{errors.SCHEME}"'

    def typed(self, body: Any, read: Decode = decode, known: Body | None = None) -> tuple[dict[str, Any], list[str]]:
        found, problems = (dict(body), []) if self.go_type is None else read(self.go_type, body, known)
        head = {"kind": self.type.kind, "apiVersion": self.type.api_version}
        return {**head, **found, **head, "metadata": found.get("metadata") or {}}, problems

    def applied(self, new: dict[str, Any]) -> dict[str, Any]:
        return self.typed(new, convert)[0]

    def prune(self, body: dict[str, Any], *, keeps_nulls: bool = False) -> list[str]:
        return []

    def fill(self, new: dict[str, Any], unchanged: Container[str] = ()) -> None:
        if self._stored_go_type is not None:
            defaults.fill(self._stored_go_type, new, unchanged)

    def written(self, new: dict[str, Any], unchanged: Container[str] = ()) -> dict[str, Any]:
        type_ = self._stored_go_type
        return new if type_ is None else cast("dict[str, Any]", defaults.written(type_, new, known=unchanged))

    def canonical(self, new: dict[str, Any], unchanged: Container[str] = ()) -> dict[str, Any]:
        if self._stored_go_type is not None:
            is_protobuf = self.type != CUSTOM_RESOURCE_DEFINITIONS  # which are stored as JSON
            new = defaults.written(self._stored_go_type, new, stored=is_protobuf, known=unchanged)
        return self.ordered(new)

    def ordered(self, body: Body) -> dict[str, Any]:
        return meta.canonical(body, sort=False, has_floats=self._has_floats)

    @cached_property
    def _has_floats(self) -> bool:
        return self._stored_go_type is None or has_floats(self._stored_go_type)

    def validate(self, new: Body, old: Body | None, *, is_status: bool) -> tuple[list[Cause], list[str]]:
        return [], []

    def target(self, subresource: str) -> Target:
        if subresource not in self._targets:
            target = built_in_target(self.type, self.stored_type, subresource, has_status=self.has_status)
            self._targets[subresource] = target
        return self._targets[subresource]

    @cached_property
    def _targets(self) -> dict[str, Target]:
        """By subresource: made when the first asks for it."""
        return {}

    def go_name(self, list_kind: str = "") -> str:
        package = _PACKAGES.get(self.type.group) or self.type.group.partition(".")[0]
        return f"*{package}.{list_kind or self.type.kind}"

    def encoded_list(self, list_kind: str, records: Sequence[Record], metadata: Mapping[str, Any]) -> bytes:
        """Its items do not say what they are."""
        api_version = self.type.api_version
        bodies = (as_served(record.body, api_version) for record in records)
        joined = b",".join(codecs.encode(_without_type(body)) for body in bodies)
        template = b'{"kind":"%s","apiVersion":"%s","metadata":%s,"items":[%s]}'
        return template % (list_kind.encode(), api_version.encode(), codecs.encode(metadata), joined)

    def bookmark(self, metadata: dict[str, Any]) -> dict[str, Any]:
        empty = {} if self.go_type is None else defaults.empty(self.go_type)
        return {"kind": self.type.kind, "apiVersion": self.type.api_version, **empty, "metadata": metadata}

    def seen(self, record: Record) -> Record:
        return record

    def seen_body(self, body: Body) -> Body:
        return body

    def stored_body(self, body: Body) -> dict[str, Any]:
        return {**body, "apiVersion": self.stored_type.api_version}


def _without_type(body: Body) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in {"kind", "apiVersion"}}
