"""Python classes from a CustomResourceDefinition: source code, to be read, kept and changed.

Every field that the schema names is a field of a Struct. What a schema demands beyond types (bounds, patterns, lengths)
becomes a `Meta`, where msgspec knows it; conditions between fields (`oneOf`, `not`, CEL) stay with the server. Schemas
that are the same become one class.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from btcctl import codecs
from btcctl.crds.naming import ClassNames, camel, class_name, field_name
from btcctl.errors import ConfigError
from btcctl.typed.typed_object import CustomResource

_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
_BOUNDS = {
    "integer": {"minimum": "ge", "maximum": "le", "multipleOf": "multiple_of"},
    "number": {"minimum": "ge", "maximum": "le", "multipleOf": "multiple_of"},
    "string": {"minLength": "min_length", "maxLength": "max_length", "pattern": "pattern"},
    "array": {"minItems": "min_length", "maxItems": "max_length"},
    "object": {"minProperties": "min_length", "maxProperties": "max_length"},
}
_INT64 = 2**63


@dataclass(slots=True)
class _Class:
    """One class to be written."""

    name: str
    doc: str
    bases: str
    lines: list[str] = field(default_factory=list)

    def source(self) -> str:
        doc = self.doc.replace("\\", "\\\\").replace('"""', "'''").strip()
        body = [f'    """{doc}{" " if doc.endswith(chr(34)) else ""}"""', ""] if doc else []
        body += [f"    {line}" for line in self.lines]
        return "\n".join([f"class {self.name}({self.bases}):", *(body or ["    pass"])])


def source_of(crds: Sequence[Mapping[str, Any]]) -> str:
    """A module with the classes of all versions that are served.

    Raises:
        ConfigError: One is no CustomResourceDefinition of apiextensions.k8s.io/v1, or has no schema.
    """
    writer = _Writer()
    for crd in crds:
        writer.add(crd)
    return writer.source()


class _Writer:
    def __init__(self) -> None:
        self._names = ClassNames()
        self._classes: list[_Class] = []
        self._known: dict[bytes, str] = {}  # the class of a schema

    def source(self) -> str:
        text = "\n\n\n".join(each.source() for each in self._classes)
        imports = (
            [f"from typing import {', '.join(used)}"] if (used := _used(text, "Annotated", "Any", "Literal")) else []
        )
        ours = _used(text, "Column", "CustomResource", "EmbeddedResource", "Scale")
        third = ["import msgspec", f"from btcctl import {', '.join(ours)}"]
        third += ["from msgspec import Meta"] if _used(text, "Meta") else []
        head = ["from __future__ import annotations", "", *imports, *([""] if imports else []), *third]
        return "\n".join(head) + "\n\n\n" + text + "\n"

    def add(self, crd: Mapping[str, Any]) -> None:
        name = str((crd.get("metadata") or {}).get("name") or "a definition without a name")
        if crd.get("kind") != "CustomResourceDefinition" or crd.get("apiVersion") != "apiextensions.k8s.io/v1":
            raise ConfigError(f"{name} is no CustomResourceDefinition of apiextensions.k8s.io/v1")
        try:
            spec, kind = crd["spec"], crd["spec"]["names"]["kind"]
            versions = sorted(spec["versions"], key=lambda each: not each["storage"])
            for version in versions:
                if version.get("served", True):
                    wanted = kind if version["storage"] else class_name(kind, version["name"])
                    self._add_version(spec, version, wanted)
        except (KeyError, TypeError, AttributeError) as error:
            raise ConfigError(f"{name} is not as a CustomResourceDefinition has to be: {error!r}") from error

    def _add_version(self, spec: Mapping[str, Any], version: Mapping[str, Any], wanted: str) -> None:
        schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
        name = self._names.take(class_name(wanted))
        properties = {
            each: inner
            for each, inner in schema.get("properties", {}).items()
            if each not in {"apiVersion", "kind", "metadata"}
        }
        required = schema.get("required", ())
        parts = {
            each: self._part(name, each, properties.pop(each, None), each in required) for each in ("spec", "status")
        }
        made = _Class(name, str(schema.get("description", "")), "")
        if parts["spec"] is None or "spec" not in required:
            made.lines.append(f"spec: {parts['spec'] or 'None'} = None")
        made.bases = _bases(name, spec, version, parts)
        of_its_own = self._fields(name, properties, required, _OF_AN_OBJECT)
        if of_its_own:
            made.bases += "    kw_only=True,\n"  # one without a default may come after the spec
        made.lines += of_its_own
        self._classes.append(made)

    def _part(self, name: str, part: str, schema: Mapping[str, Any] | None, is_required: bool) -> str | None:
        """The type of spec or status."""
        if schema is None:
            return None
        type_ = self._type(schema, f"{name}{part.title()}")
        return f"{type_} | None" if part == "spec" and not is_required else type_

    def _type(self, schema: Mapping[str, Any], name: str) -> str:
        type_ = self._bare(schema, name)
        words = _words(schema, type_)
        type_ = f"Annotated[{type_}, Meta({words})]" if words else type_
        return f"{type_} | None" if schema.get("nullable") else type_

    def _bare(self, schema: Mapping[str, Any], name: str) -> str:
        kind = schema.get("type")
        if schema.get("x-kubernetes-int-or-string"):
            return "int | str"
        choices = schema.get("enum")
        if choices and kind in {"string", "integer"} and all(isinstance(each, str | int) for each in choices):
            return f"Literal[{', '.join(map(repr, dict.fromkeys(choices)))}]"
        if kind == "array":
            return f"list[{self._type(schema.get('items') or {}, name)}]"
        if kind == "object" and schema.get("x-kubernetes-embedded-resource"):
            return "EmbeddedResource"
        return self._object(schema, name) if kind == "object" else _SCALARS.get(str(kind), "Any")

    def _object(self, schema: Mapping[str, Any], name: str) -> str:
        properties = schema.get("properties")
        if properties:
            return self._struct(schema, name)
        values = schema.get("additionalProperties")
        return f"dict[str, {self._type(values, name)}]" if isinstance(values, Mapping) and values else "dict[str, Any]"

    def _struct(self, schema: Mapping[str, Any], name: str) -> str:
        known = codecs.encode({each: value for each, value in schema.items() if each != "default"}, order="sorted")
        if known in self._known:
            return self._known[known]
        made = _Class(self._names.take(class_name(name)), str(schema.get("description", "")), _STRUCT)
        self._known[known] = made.name
        made.lines = self._fields(made.name, schema["properties"], schema.get("required", ()))
        self._classes.append(made)
        return made.name

    def _fields(
        self, owner: str, properties: Mapping[str, Any], required: Sequence[str], taken: frozenset[str] = frozenset()
    ) -> list[str]:
        lines = []
        for name, schema in properties.items():
            python = field_name(name, taken)
            taken |= {python}
            type_ = self._type(schema, f"{owner}{class_name(name)}")
            renamed = "" if camel(python) == name else f"name={name!r}"
            lines.append(f"{python}: {_with_default(type_, schema, renamed, is_required=name in required)}")
        return lines


#: What each object has and does, whatever its fields.
_OF_AN_OBJECT = frozenset(each for each in dir(CustomResource) if not each.startswith("_"))
_STRUCT = 'msgspec.Struct, rename="camel", kw_only=True'


def _bases(name: str, spec: Mapping[str, Any], version: Mapping[str, Any], parts: Mapping[str, str | None]) -> str:
    names = spec["names"]
    words: dict[str, Any] = {"group": spec["group"], "version": version["name"], "plural": names["plural"]}
    if names["kind"] != name:
        words["kind"] = names["kind"]
    if spec["scope"] == "Cluster":
        words["namespaced"] = False
    for word, theirs in (("short_names", "shortNames"), ("categories", "categories")):
        if names.get(theirs):
            words[word] = tuple(names[theirs])
    said = [f"{word}={value!r}" for word, value in words.items()]
    columns = version.get("additionalPrinterColumns") or ()
    if columns:
        said.append(f"columns={{{', '.join(_column(each) for each in columns)}}}")
    scale = (version.get("subresources") or {}).get("scale")
    if scale:
        paths = [scale["specReplicasPath"], scale["statusReplicasPath"], scale.get("labelSelectorPath")]
        said.append(f"scale=Scale({', '.join(repr(each) for each in paths if each)})")
    if parts["status"] is not None and "status" not in (version.get("subresources") or {}):
        said.append("status_subresource=False")
    selectable = tuple(each["jsonPath"] for each in version.get("selectableFields") or ())
    if selectable:
        said.append(f"selectable_fields={selectable!r}")
    if version.get("deprecated"):
        said.append(f"deprecated={version.get('deprecationWarning') or True!r}")
    types = ", ".join(parts[each] or "None" for each in ("spec", "status"))
    return "\n    " + ",\n    ".join([f"CustomResource[{types}]", *said]) + ",\n"


def _column(column: Mapping[str, Any]) -> str:
    words = [repr(column["jsonPath"]), repr(column["type"])]
    words += [f"{each}={column[each]!r}" for each in ("format", "description", "priority") if column.get(each)]
    return f"{column['name']!r}: Column({', '.join(words)})"


def _words(schema: Mapping[str, Any], type_: str) -> str:
    """The arguments of a Meta."""
    kind = str(schema.get("type"))
    if type_.startswith("Literal") or schema.get("x-kubernetes-int-or-string"):
        return ""
    if kind == "object" and not type_.startswith("dict"):
        return ""
    return ", ".join(
        f"{ours}={value!r}"
        for theirs, ours in _BOUNDS.get(kind, {}).items()
        if theirs in schema and (value := _bound(ours, schema[theirs], kind)) is not None
    )


def _bound(word: str, value: Any, kind: str) -> Any:
    """What msgspec takes; None for what it does not, which the server checks."""
    if word == "pattern":
        try:
            re.compile(value)
        except re.error:  # Go's expressions are not quite Python's
            return None
        return value
    if kind == "integer":
        return int(value) if float(value).is_integer() and abs(value) < _INT64 else None
    return value


def _with_default(type_: str, schema: Mapping[str, Any], renamed: str, *, is_required: bool) -> str:
    default = schema.get("default")
    if default is None and is_required:
        return f"{type_} = msgspec.field({renamed})" if renamed else type_
    said = "default=None" if default is None else _default_word(default, type_)
    if said == "default=None" and not type_.endswith("| None"):
        type_ = f"{type_} | None"
    if renamed or said.startswith("default_factory"):
        return f"{type_} = msgspec.field({', '.join(filter(None, [said, renamed]))})"
    return f"{type_} = {said.removeprefix('default=')}"


def _default_word(default: Any, type_: str) -> str:
    """What a field is if nothing is said; of a class of ours the server's default is left to the server."""
    if isinstance(default, str | int | float):
        return f"default={default!r}"
    is_plain = type_.startswith(("dict", "list[str", "list[int", "list[dict", "list[Any", "Annotated[dict", "Any"))
    if is_plain or default == []:
        return f"default_factory=lambda: {default!r}" if default else f"default_factory={type(default).__name__}"
    return "default=None"


def _used(text: str, *names: str) -> list[str]:
    return [name for name in names if re.search(rf"\b{name}\b", text)]
