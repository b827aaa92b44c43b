"""The rules of a CustomResourceDefinition's versions.

What all versions have in common a server keeps, and speaks of, as if it stood above them:
`spec.validation` is the schema of all.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from btcctl.apiserver.apiextensions import structural
from btcctl.apiserver.machinery.errors import Cause
from btcctl.apiserver.machinery.field_errors import invalid, required
from btcctl.apiserver.machinery.gofmt import json_text, quoted
from btcctl.apiserver.machinery.names import service_name

Version = Mapping[str, Any]
_COLUMN_TYPES = "boolean,date,integer,number,string"
_COLUMN_FORMATS = "byte,date,date-time,double,float,int32,int64,password"
_MOST_SELECTABLE = 8
_MOVED = (
    "missing from spec.versions; {0} was previously a storage version, and must remain in spec.versions until a "
    "storage migration ensures no data remains persisted in {0} and removes {0} from status.storedVersions"
)


def check_versions(spec: Mapping[str, Any], known: Container[str] = ()) -> Iterator[Cause]:
    """What is wrong with the versions of a definition.

    Args:
        known: Those whose schemas an update leaves as they are.
    """
    versions = spec["versions"] or []
    for index, version in enumerate(versions):
        if (version.get("schema") or {}).get("openAPIV3Schema") is None:
            yield required(f"spec.versions[{index}].schema.openAPIV3Schema")
    seen: set[str] = set()
    is_unique = True
    for index, version in enumerate(versions):
        name = version.get("name") or ""
        complaints = ",".join(service_name(name))
        if complaints:
            yield invalid(f"spec.versions[{index}].name", name, complaints)
            if index == 0:
                yield invalid("spec.version", name, complaints)
        is_unique, seen = is_unique and name not in seen, seen | {name}
        yield from _check_deprecation(version, f"spec.versions[{index}].deprecationWarning")
    if not is_unique:
        yield _of_all(versions, "must contain unique version names")
    if sum(bool(each.get("storage")) for each in versions) != 1:
        yield _of_all(versions, "must have exactly one version marked as storage version")
    yield from _check_parts(versions, known)


def check_stored(stored: Sequence[str], versions: Sequence[Version]) -> Iterator[Cause]:
    """What is wrong with `status.storedVersions`."""
    field = "status.storedVersions"
    if not stored:
        yield invalid(field, None, "must have at least one stored version")
        return
    names = [each.get("name") for each in versions]
    for version in versions:
        if version.get("storage") and version.get("name") not in stored:
            yield invalid(field, list(stored), f"must have the storage version {version.get('name')}")
    for index, name in enumerate(stored):
        if name not in names:
            yield invalid(f"{field}[{index}]", name, _MOVED.format(name))


def _check_parts(versions: Sequence[Version], known: Container[str]) -> Iterator[Cause]:
    for fields, version, has_status in _parts(versions, "schema", "spec.validation", "schema"):
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema is not None:
            is_known = version.get("name") in known
            yield from structural.check(schema, f"{fields}.openAPIV3Schema", has_status=has_status, is_known=is_known)
    for field, version, _ in _parts(versions, "subresources", "spec.subresources", "subresources"):
        scale = (version.get("subresources") or {}).get("scale")
        if scale is not None:
            yield from _check_scale(scale, field)
    name = "additionalPrinterColumns"
    for field, version, _ in _parts(versions, name, f"spec.{name}", name):
        for index, column in enumerate(version.get(name) or ()):
            yield from _check_column(column, f"{field}[{index}]")
    name = "selectableFields"
    has_common_schema = [each for each, _, _ in _parts(versions, "schema", "spec.validation", "")] == [
        "spec.validation"
    ]
    for field, version, _ in _parts(versions, name, f"spec.{name}", name):
        if version.get(name) and has_common_schema and field != f"spec.{name}":
            yield invalid(field, "", "may only be set when `version.schema.openAPIV3Schema` is not included")
        elif version.get(name):
            schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
            yield from _check_selectable(version[name], schema, field)


def _parts(versions: Sequence[Version], part: str, common: str, own: str) -> Iterator[tuple[str, Version, bool]]:
    """Each version that has a part of its own, or one for all if it is the same in all."""
    first = versions[0].get(part) if versions else None
    statuses = ["status" in (each.get("subresources") or {}) for each in versions]
    if first and all(each.get(part) == first for each in versions):
        yield common, versions[0], any(statuses)
        return
    for index, version in enumerate(versions):
        yield f"spec.versions[{index}].{own}", version, statuses[index]


def _check_scale(scale: Mapping[str, Any], field: str) -> Iterator[Cause]:
    for name, root in (("specReplicasPath", ".spec"), ("statusReplicasPath", ".status")):
        path, where = scale.get(name) or "", f"{field}.scale.{name}"
        if not path:
            yield required(where)
        elif not path.startswith("."):
            yield invalid(where, path, "must be a simple json path starting with .")
        elif not path.startswith(f"{root}."):
            yield invalid(where, path, f"should be a json path under {root}")
    path, where = scale.get("labelSelectorPath") or "", f"{field}.scale.labelSelectorPath"
    if path and not path.startswith("."):
        yield invalid(where, path, "must be a simple json path starting with .")
    elif path and not path.startswith((".spec.", ".status.")):
        yield invalid(where, path, "should be a json path under either .spec or .status")


def _check_column(column: Mapping[str, Any], field: str) -> Iterator[Cause]:
    if not column.get("name"):
        yield required(f"{field}.name")
    type_, format_, path = column.get("type") or "", column.get("format") or "", column.get("jsonPath") or ""
    if not type_:
        yield Cause("FieldValueRequired", f"Required value: must be one of {_COLUMN_TYPES}", f"{field}.type")
    elif type_ not in _COLUMN_TYPES.split(","):
        yield invalid(f"{field}.type", type_, f"must be one of {_COLUMN_TYPES}")
    if format_ and format_ not in _COLUMN_FORMATS.split(","):
        yield invalid(f"{field}.format", format_, f"must be one of {_COLUMN_FORMATS}")
    if not path:
        yield required(f"{field}.JSONPath")
    elif not path.startswith("."):
        yield invalid(f"{field}.JSONPath", path, "must be a simple json path starting with .")


def _check_selectable(fields: Sequence[Mapping[str, Any]], schema: Mapping[str, Any], field: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, each in enumerate(fields):
        path, where = each.get("jsonPath") or "", f"{field}[{index}].jsonPath"
        if not path:
            yield required(where)
            continue
        found, problem = _follow(schema, path)
        if problem:
            yield invalid(where, path, f"is an invalid path: {problem}")
            continue
        if path.split(".")[1] == "metadata":
            yield invalid(where, path, "must not point to fields in metadata")
        if found.get("type") not in {"string", "boolean", "integer"}:
            why = "must point to a field of type string, boolean or integer."
            yield invalid(where, path, f"{why} Enum string fields and strings with formats are allowed.")
        if path in seen:
            yield Cause("FieldValueDuplicate", f"Duplicate value: {quoted(path)}", where)
        seen.add(path)
    if len(seen) > _MOST_SELECTABLE:
        message = f"Too many: {len(seen)}: must have at most {_MOST_SELECTABLE} items"
        yield Cause("FieldValueTooMany", message, field)


def _follow(schema: Mapping[str, Any], path: str) -> tuple[Mapping[str, Any], str]:
    """The schema a path leads to, and why it leads nowhere."""
    if "[" in path:
        return {}, "array notation is not allowed"
    first, *names = path.split(".")
    if first:
        return {}, f"expected [ or . but got: {first}"
    for name in names:
        properties, additional = schema.get("properties"), schema.get("additionalProperties")
        if not name:
            return {}, "unexpected end of JSON path"
        below = properties.get(name) if properties else additional if isinstance(additional, Mapping) else None
        if below is None:
            return {}, "does not refer to a valid field"
        schema = below
    return schema, ""


def _check_deprecation(version: Version, field: str) -> Iterator[Cause]:
    warning = version.get("deprecationWarning")
    if warning is None:
        return
    if not version.get("deprecated"):
        yield invalid(field, warning, "can only be set for deprecated versions")
    elif not warning:
        yield invalid(field, warning, "must not be an empty string")
    else:
        if len(warning.encode()) > 256:
            yield invalid(field, warning, "must be <= 256 characters long")
        odd = next((index for index, each in enumerate(warning) if not each.isprintable()), None)
        if odd is not None:
            index = len(warning[:odd].encode())
            why = f"must only contain printable UTF-8 characters; non-printable character found at index {index}"
            yield invalid(field, warning, why)


def _of_all(versions: Sequence[Version], why: str) -> Cause:
    printed = [_printed(each) for each in _without_common(versions)]
    return Cause("FieldValueInvalid", f"Invalid value: [{','.join(printed)}]: {why}", "spec.versions")


def _without_common(versions: Sequence[Version]) -> list[Version]:
    """The versions without what is the same in all: a server keeps that above them."""
    parts = ("schema", "subresources", "additionalPrinterColumns", "selectableFields")
    common = {part for part in parts if all(each.get(part) == versions[0].get(part) for each in versions)}
    return [{key: value for key, value in each.items() if key not in common} for each in versions]


def _printed(version: Version) -> str:
    """A version as a server prints its own struct; schemas are printed as they were sent."""
    names = {
        "name": ("Name", ""), "served": ("Served", False), "storage": ("Storage", False),
        "deprecated": ("Deprecated", False), "deprecationWarning": ("DeprecationWarning", None),
        "schema": ("Schema", None), "subresources": ("Subresources", None),
        "additionalPrinterColumns": ("AdditionalPrinterColumns", None), "selectableFields": ("SelectableFields", None),
    }  # fmt: skip
    parts = [f'"{name}":{json_text(version.get(key, absent))}' for key, (name, absent) in names.items()]
    return "{" + ",".join(parts) + "}"
