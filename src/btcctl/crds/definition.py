"""The CustomResourceDefinition of a class."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml
from msgspec import inspect as types

from btcctl.crds.docstrings import description_of
from btcctl.crds.schema import ANYTHING, RULES, Schema, rules_of, schema_of
from btcctl.crds.unions import NoSchema
from btcctl.resources import ResourceType
from btcctl.typed.definition import Column, Definition, Scale
from btcctl.typed.kinds import definition_of
from btcctl.typed.typed_object import TypedObject

API_VERSION = "apiextensions.k8s.io/v1"

_PRIORITY = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")


def crd_for(
    model: type[TypedObject], *others: type[TypedObject], conversion: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The CustomResourceDefinition of a class, to be created or applied.

    Args:
        model: Its version is the one in which objects are stored.
        others: Further versions of the same kind.
        conversion: `spec.conversion`. None: versions differ in nothing but their name.

    Raises:
        TypeError: A class does not say which kind it is.
        ValueError: They are of different kinds, or two of one version; a type in one has no structural schema.
    """
    definition = definition_of(model)
    if "." not in definition.type.group:
        raise ValueError(f"{model.__name__}: a definition needs a group with a dot in it: group='db.example.org'")
    versions = _checked_versions([model, *others])
    spec: dict[str, Any] = {
        "group": definition.type.group,
        "names": _names(definition),
        "scope": "Namespaced" if definition.type.namespaced else "Cluster",
        "versions": [_version(each, is_stored=each is model) for each in versions],
    }
    if conversion is not None:
        spec["conversion"] = dict(conversion)
    metadata: dict[str, Any] = {"name": definition.type.group_resource}
    if definition.annotations:
        metadata["annotations"] = dict(definition.annotations)
    return {"apiVersion": API_VERSION, "kind": "CustomResourceDefinition", "metadata": metadata, "spec": spec}


def schema_of_class(model: type[TypedObject]) -> Schema:
    """The schema of a whole object.

    Raises:
        NoSchema: A type in it has none; says where.
    """
    info = types.type_info(model)
    if not isinstance(info, types.StructType):  # of a subclass of Struct it is
        raise NoSchema(f"{model.__name__} is no class of objects")
    schema: Schema = {"type": "object"}
    if description := description_of(model):
        schema["description"] = description
    kind = definition_of(model).type
    properties: Schema = {
        "apiVersion": {"type": "string", "description": f"{kind.api_version}."},
        "kind": {"type": "string", "description": f"{kind.kind}."},
        "metadata": {"type": "object"},
    }
    required = []
    for field in info.fields:
        if field.name == "metadata" or _is_nothing(field.type):
            continue
        whole = schema_of(types.StructType(model, (field,)), "", ())
        properties |= whole["properties"]
        required += whole.get("required", [])
    schema["properties"] = properties
    schema |= {"required": required} if required else {}
    rules = [*(each.body() for each in definition_of(model).rules), *rules_of(model)]
    return schema | ({RULES: rules} if rules else {})


def to_yaml(crds: Iterable[Mapping[str, Any]]) -> str:
    """As kubectl takes them, one document each; the same text for the same definitions."""
    return yaml.dump_all(
        [*crds], Dumper=_Dumper, sort_keys=False, explicit_start=True, width=120, default_flow_style=False
    )


class _Dumper(yaml.SafeDumper):
    """Without anchors, and with texts of several lines as such."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _is_nothing(type_: types.Type) -> bool:
    """Of `CustomResource[Spec, None]` the status."""
    return isinstance(type_, types.NoneType)


def _checked_versions(models: Sequence[type[TypedObject]]) -> list[type[TypedObject]]:
    """The newest first, as Kubernetes orders versions."""
    definitions = [definition_of(each) for each in models]
    first = definitions[0].type
    for each in definitions[1:]:
        same = (each.type.group, each.type.plural, each.type.kind, each.type.namespaced)
        if same != (first.group, first.plural, first.kind, first.namespaced):
            raise ValueError(f"{_told(each.type)} is no version of {_told(first)}")
    versions = [each.type.version for each in definitions]
    twice = {each for each in versions if versions.count(each) > 1}
    if twice:
        raise ValueError(f"{first}: two classes are of version {', '.join(sorted(twice))}")
    return sorted(models, key=lambda each: priority_of(definition_of(each).type.version))


def _told(type_: ResourceType) -> str:
    return f"{type_} of kind {type_.kind}, {'namespaced' if type_.namespaced else 'cluster-scoped'},"


def priority_of(version: str) -> tuple[Any, ...]:
    """To sort by: the newest and most stable first (k8s.io/apimachinery, version.CompareKubeAwareVersionStrings)."""
    match = _PRIORITY.fullmatch(version)
    if match is None:
        return (3, version)
    major, stage, minor = match.groups()
    return ({None: 0, "beta": 1, "alpha": 2}[stage], -int(major), -int(minor or 0))


def _names(definition: Definition) -> dict[str, Any]:
    kind = definition.type.kind
    names: dict[str, Any] = {
        "kind": kind,
        "listKind": definition.list_kind or f"{kind}List",
        "plural": definition.type.plural,
        "singular": definition.singular or kind.lower(),
    }
    if definition.short_names:
        names["shortNames"] = [*definition.short_names]
    if definition.categories:
        names["categories"] = [*definition.categories]
    return names


def _version(model: type[TypedObject], *, is_stored: bool) -> dict[str, Any]:
    definition = definition_of(model)
    schema = schema_of_class(model)
    version: dict[str, Any] = {"name": definition.type.version, "served": definition.served, "storage": is_stored}
    if definition.deprecated:
        version["deprecated"] = True
        if isinstance(definition.deprecated, str):
            version["deprecationWarning"] = definition.deprecated
    if definition.columns:
        version["additionalPrinterColumns"] = [
            _column(model.__name__, name, each, schema) for name, each in definition.columns.items()
        ]
    if definition.selectable_fields:
        version["selectableFields"] = [{"jsonPath": each} for each in definition.selectable_fields]
    version["schema"] = {"openAPIV3Schema": schema}
    subresources: dict[str, Any] = {}
    if "status" in schema["properties"] and definition.status_subresource:
        subresources["status"] = {}
    if definition.scale is not None:
        subresources["scale"] = scale = _scale(definition.scale)
        for word, path in scale.items():
            _check_path(f"{model.__name__}: {word}", path, schema)
    if subresources:
        version["subresources"] = subresources
    return version


def _scale(scale: Scale) -> dict[str, str]:
    paths = {"specReplicasPath": scale.spec_replicas, "statusReplicasPath": scale.status_replicas}
    return paths | ({"labelSelectorPath": scale.label_selector} if scale.label_selector else {})


def _column(model: str, name: str, column: Column, schema: Schema) -> dict[str, Any]:
    if not column.type:  # who says the type may mean what a class does not name
        _check_path(f"{model}: column {name!r}", column.path, schema)
    field = _field_at(column.path, schema)
    made: dict[str, Any] = {"name": name, "type": column.type or _column_type(column.path, field)}
    if column.format:
        made["format"] = column.format
    if description := column.description or field.get("description", ""):
        made["description"] = description
    if column.priority:
        made["priority"] = column.priority
    return {**made, "jsonPath": column.path}


def _column_type(path: str, field: Schema) -> str:
    if field.get("format") == "date-time" or path.endswith("Timestamp"):
        return "date"
    type_ = field.get("type")
    return type_ if type_ in {"string", "integer", "number", "boolean"} else "string"


def _field_at(path: str, schema: Schema) -> Schema:
    """The schema of the field that a simple path leads to; {} of others."""
    for name in path.removeprefix(".").split("."):
        schema = schema.get("properties", {}).get(name, {})
    return schema


def _check_path(what: str, path: str, schema: Schema) -> None:
    """Refuse a path to a field that the schema does not have: on a server it leads to nothing, and nobody is told.

    As far as it is a chain of names; what is in brackets, or escaped, is the server's to understand.
    """
    chain = re.match(r"(?:\.[\w-]+(?![\w\\-]))*", path)
    assert chain is not None  # noqa: S101  it may be empty
    where: list[str] = []
    for name in filter(None, chain.group().split(".")):
        there = schema.get("properties")
        if there is None or schema.get(ANYTHING):
            return
        if name not in there:
            of = ".".join(where) or "the object"
            raise ValueError(f"{what} has the path {path!r}, but {of} has no field {name!r}, only {', '.join(there)}")
        where.append(name)
        schema = there[name]
