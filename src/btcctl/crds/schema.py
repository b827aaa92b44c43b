"""The structural schema of a type: what an API server checks, fills in and explains of its values.

A field that may be left out is one with a default. `X | None = None` is not nullable: None is not sent (see
`btcctl.typed.values`); without a default, or with `msgspec.UNSET`, it is. A docstring of a class describes every field
of that class, unless the field is described itself: in the `Attributes:` of the class that it is in, or by a `Meta`.

Not every Python type has such a schema. What has none is refused by its path;
`Annotated[Any, Meta(extra_json_schema=…)]` says it in the schema's own words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, get_origin

import msgspec
from msgspec import inspect as types

from btcctl import codecs
from btcctl.crds.docstrings import description_of, field_descriptions
from btcctl.crds.literals import literals_in
from btcctl.crds.unions import NoSchema, merged_variants
from btcctl.typed.definition import Rule, rules_from
from btcctl.typed.values import body_of_part, with_lists

Schema: TypeAlias = dict[str, Any]
Within: TypeAlias = tuple[type, ...]  #: the classes that a type stands in

ANYTHING = "x-kubernetes-preserve-unknown-fields"
INT_OR_STRING = "x-kubernetes-int-or-string"
RULES = "x-kubernetes-validations"
_BASE64 = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"

_SCALARS: Mapping[type[types.Type], Schema] = {
    types.BoolType: {"type": "boolean"},
    types.DateTimeType: {"type": "string", "format": "date-time"},
    types.DateType: {"type": "string", "format": "date"},
    types.TimeType: {"type": "string"},
    types.TimeDeltaType: {"type": "string"},  # ISO 8601, and not what the format "duration" means to a server
    types.UUIDType: {"type": "string", "format": "uuid"},
    types.DecimalType: {"type": "string"},
    types.AnyType: {ANYTHING: True},
    types.RawType: {ANYTHING: True},
}
_OF_ENUM: Mapping[type, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    float: {"type": "number"},
}


def schema_of(type_: types.Type, path: str = "", within: Within = ()) -> Schema:
    """The schema of a type, as `msgspec.inspect` describes it.

    Args:
        path: Where it stands, for the error.
        within: The classes that it stands in.

    Raises:
        NoSchema: There is none.
    """
    scalar = _SCALARS.get(type(type_))
    if scalar is not None:
        return {**scalar}
    make = _MAKERS.get(type(type_))
    if make is None:
        named = _name(getattr(type_, "cls", type(type_).__name__.removesuffix("Type")))
        raise NoSchema(
            f"{_at(path)} is of type {named}, which no schema describes: Annotated[Any, Meta(extra_json_schema=…)] "
            "says it in the words of a schema"
        )
    return make(type_, path, within)


def _annotated(type_: types.Metadata, path: str, within: Within) -> Schema:
    return _with_words(schema_of(type_.type, path, within), type_.extra_json_schema or {})


def _text(type_: types.StrType, _path: str, _within: Within) -> Schema:
    words = {"minLength": type_.min_length, "maxLength": type_.max_length, "pattern": type_.pattern}
    return {"type": "string", **_said(words)}


def _literal(type_: types.LiteralType, path: str, within: Within) -> Schema:
    known = literals_in(within[-1]) if within else {}
    return _enumeration(known.get(frozenset(type_.values), type_.values), path)


def _enum(type_: types.EnumType, path: str, _within: Within) -> Schema:
    return _enumeration([each.value for each in type_.cls], path)


def _number(type_: types.IntType | types.FloatType, _path: str, _within: Within) -> Schema:
    schema: Schema = {"type": "integer", "format": "int64"} if isinstance(type_, types.IntType) else {"type": "number"}
    if type_.gt is not None:
        schema |= {"minimum": type_.gt, "exclusiveMinimum": True}
    if type_.lt is not None:
        schema |= {"maximum": type_.lt, "exclusiveMaximum": True}
    return schema | _said({"minimum": type_.ge, "maximum": type_.le, "multipleOf": type_.multiple_of})


def _bytes(type_: types.BytesType | types.ByteArrayType | types.MemoryViewType, path: str, _within: Within) -> Schema:
    if type_.min_length is not None or type_.max_length is not None:
        raise NoSchema(f"{_at(path)} is bytes of a certain length: a server counts their base64 letters, not them")
    return {"type": "string", "format": "byte"}


def _enumeration(values: Iterable[Any], path: str) -> Schema:
    given = [*values]
    known = [each for each in given if each is not None]
    kinds = {type(each) for each in known}
    if kinds == {int, str}:
        schema: Schema = {INT_OR_STRING: True}
    elif len(kinds) == 1 and (kind := kinds.pop()) in _OF_ENUM:
        schema = {**_OF_ENUM[kind]}
    else:
        raise NoSchema(f"{_at(path)} may be one of {given}: they have to be of one type")
    if len(known) == len(given):
        return {**schema, "enum": known}
    # No server finds null in an `enum`, whatever stands there; a rule is not asked about null.
    if schema.get("type") == "string":
        schema["maxLength"] = max(map(len, known))  # without it a rule may be too expensive
    choices = ", ".join(codecs.encode(each).decode() for each in known)
    message = f"has to be one of {choices}, or null"
    return {**schema, "nullable": True, RULES: [Rule(f"self in [{choices}]", message).body()]}


def _list(type_: Any, path: str, within: Within) -> Schema:
    items = schema_of(type_.item_type, f"{path}[]", within)
    schema: Schema = {"type": "array", "items": items}
    schema |= _said({"minItems": type_.min_length, "maxItems": type_.max_length})
    if isinstance(type_, types.SetType | types.FrozenSetType):
        if items.get("type") in {None, "object", "array"}:
            raise NoSchema(f"{_at(path)} is a set: to a server only a list of scalars can be one")
        schema["x-kubernetes-list-type"] = "set"
    return schema


def _fixed(type_: types.TupleType, path: str, within: Within) -> Schema:
    items = [schema_of(each, f"{path}[]", within) for each in type_.item_types]
    if not items or any(each != items[0] for each in items):
        raise NoSchema(f"{_at(path)} is a tuple of several types: to a server all items of a list are of one type")
    return {"type": "array", "items": items[0], "minItems": len(items), "maxItems": len(items)}


def _map(type_: types.DictType, path: str, within: Within) -> Schema:
    if type_.key_type != types.StrType():
        raise NoSchema(f"{_at(path)} is a dict whose keys are not simply text: a server does not check keys")
    values = schema_of(type_.value_type, f"{path}.*", within)
    schema: Schema = {"type": "object"}
    schema |= {ANYTHING: True} if values == {ANYTHING: True} else {"additionalProperties": values}
    return schema | _said({"minProperties": type_.min_length, "maxProperties": type_.max_length})


def _object(type_: Any, path: str, within: Within) -> Schema:
    cls = type_.cls
    if cls in within:
        raise NoSchema(f"{_at(path)} is a {_name(cls)} within a {_name(cls)}: a server wants to see the end of it")
    if getattr(type_, "array_like", False):
        raise NoSchema(f"{_at(path)} is a {_name(cls)}, which is an array in JSON: it has to be an object")
    schema: Schema = {"type": "object"}
    written = get_origin(cls) or cls  # of Page[int] the class Page
    if description := description_of(written):
        schema["description"] = description
    properties: Schema = {}
    required: list[str] = []
    described = field_descriptions(written)
    if getattr(type_, "tag_field", None):
        properties[type_.tag_field] = _enumeration([type_.tag], path)
        required.append(type_.tag_field)
    for field in type_.fields:
        name = field.encode_name
        words = {"description": text} if (text := described.get(field.name)) else {}
        properties[name] = _property(field, f"{path}.{name}".lstrip("."), (*within, cls)) | words
        if field.required:
            required.append(name)
    schema |= {"properties": properties} if properties else {}
    schema |= {"required": required} if required else {}
    if rules := rules_of(written):
        schema[RULES] = rules
    return schema


def _property(field: types.Field, path: str, within: Within) -> Schema:
    schema = schema_of(field.type, path, within)
    if field.default is None and _allows_null(field.type):
        schema.pop("nullable", None)  # None is never sent
    elif (default := _default_of(field)) is not msgspec.NODEFAULT:
        schema["default"] = default
        if default == "" and schema.get("format") == "byte":  # to a server an empty text is no base64
            del schema["format"]
            schema["pattern"] = _BASE64
    return schema


def _allows_null(type_: types.Type) -> bool:
    if isinstance(type_, types.Metadata):
        return _allows_null(type_.type)
    if isinstance(type_, types.UnionType):
        return type_.includes_none
    return isinstance(type_, types.AnyType) or (isinstance(type_, types.LiteralType) and None in type_.values)


def _default_of(field: types.Field) -> Any:
    """What a server is to fill in: nothing that a function makes, which may be another each time."""
    if field.default is not msgspec.NODEFAULT:
        return _as_json(field.default)
    factory: Any = field.default_factory
    if isinstance(get_origin(factory) or factory, type):  # `dict[str, str]` makes what `dict` makes
        return _as_json(factory())
    return msgspec.NODEFAULT


def _as_json(value: Any) -> Any:
    plain = with_lists(codecs.to_builtins(value, order="deterministic"))
    return body_of_part(value, "default") if isinstance(plain, dict) and not isinstance(value, dict) else plain


def _union(type_: types.UnionType, path: str, within: Within) -> Schema:
    variants = [each for each in type_.types if not isinstance(each, types.NoneType)]
    kinds = {type(_bare(each)) for each in variants}
    if len(variants) == 1:
        schema = schema_of(variants[0], path, within)
    elif kinds == {types.IntType, types.StrType}:
        schema = {INT_OR_STRING: True}
    elif kinds == {types.IntType, types.FloatType}:
        schema = {"type": "number"}
    elif kinds == {types.StructType}:
        schema = merged_variants([schema_of(each, path, within) for each in variants], _at(path))
    else:
        raise NoSchema(
            f"{_at(path)} may be of several types: a server knows only int | str, and Structs with a tag; "
            "for others, Annotated[Any, Meta(extra_json_schema=…)]"
        )
    return {**schema, "nullable": True} if type_.includes_none else schema


def _bare(type_: types.Type) -> types.Type:
    return type_.type if isinstance(type_, types.Metadata) else type_


def _with_words(schema: Schema, said: Mapping[str, Any]) -> Schema:
    """With what an annotation says; the words of a schema that is free otherwise are all there is."""
    words = {name: value for name, value in said.items() if name not in {"examples", "title"}}
    if "title" in said:
        words = {"title": said["title"], **words}
    if said.get("examples"):
        words["example"] = said["examples"][0]
    if "type" in words and schema == {ANYTHING: True}:
        schema = {}
    rules = [*schema.get(RULES, ()), *words.get(RULES, ())]
    return {**schema, **words, **({RULES: rules} if rules else {})}


def rules_of(cls: Any) -> list[dict[str, Any]]:
    """What a class demands of its values, in `__rules__`.

    Raises:
        TypeError: It is something else than Rules and texts.
    """
    return [each.body() for each in rules_from(f"{_name(cls)}.__rules__", getattr(cls, "__rules__", ()))]


def _said(words: Mapping[str, Any]) -> Schema:
    return {name: value for name, value in words.items() if value is not None}


def _name(cls: Any) -> str:
    return str(getattr(cls, "__name__", cls))


def _at(path: str) -> str:
    return path or "the object"


_MAKERS: Mapping[type[types.Type], Callable[[Any, str, Within], Schema]] = {
    types.Metadata: _annotated,
    types.IntType: _number,
    types.FloatType: _number,
    types.StrType: _text,
    types.BytesType: _bytes,
    types.ByteArrayType: _bytes,
    types.MemoryViewType: _bytes,
    types.EnumType: _enum,
    types.LiteralType: _literal,
    types.DictType: _map,
    types.StructType: _object,
    types.DataclassType: _object,
    types.TypedDictType: _object,
    types.UnionType: _union,
    types.TupleType: _fixed,
    types.ListType: _list,
    types.SetType: _list,
    types.FrozenSetType: _list,
    types.VarTupleType: _list,
}
