"""What an author says of a kind beside its fields: names, columns, scale, rules, how it is served."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from btcctl.resources import ResourceType


class Rule(msgspec.Struct, frozen=True):
    """A CEL rule that objects have to obey (`x-kubernetes-validations`).

    Attributes:
        rule: Of `self`, where it stands; `oldSelf` makes it a rule of changes.
        message: What the server says when it refuses an object.
        message_expression: CEL for a message that depends on the object.
        reason: Of the refusal: "FieldValueInvalid", …; the server's own choice if "".
        field_path: The field that is to blame: ".spec.engine".
        optional_old_self: The rule also holds of new objects; `oldSelf` is an optional then.
    """

    rule: str
    message: str = ""
    message_expression: str = ""
    reason: Literal["", "FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate"] = ""
    field_path: str = ""
    optional_old_self: bool = False

    def __post_init__(self) -> None:
        if not self.rule.strip():
            raise ValueError("a rule needs an expression")
        if "\n" in self.rule and not self.message:
            raise ValueError(f"a rule of several lines needs a message: {self.rule!r}")  # the server asks for that

    def body(self) -> dict[str, Any]:
        """As in a schema."""
        said = {
            "rule": self.rule,
            "message": self.message,
            "messageExpression": self.message_expression,
            "reason": self.reason,
            "fieldPath": self.field_path,
            "optionalOldSelf": self.optional_old_self,
        }
        return {name: value for name, value in said.items() if value}


class Column(msgspec.Struct, frozen=True):
    """A column of `kubectl get`.

    Attributes:
        path: Where its value is: ".status.phase".
        type: "" is what the schema says of that field.
        format: As in OpenAPI: "int32", "date-time", …
        description: "" is the field's own.
        priority: 0 is always shown, more only with `-o wide`.
    """

    path: str
    type: Literal["", "string", "integer", "number", "boolean", "date"] = ""
    format: str = ""
    description: str = ""
    priority: int = 0


AGE = Column(".metadata.creationTimestamp", "date")


class Scale(msgspec.Struct, frozen=True):
    """Where `kubectl scale` and autoscalers find their numbers.

    Attributes:
        spec_replicas: ".spec.replicas"
        status_replicas: ".status.replicas"
        label_selector: Where the status has the selector of the pods, as text; "" if autoscalers are not to use it.
    """

    spec_replicas: str
    status_replicas: str
    label_selector: str = ""

    def __post_init__(self) -> None:
        paths = (self.spec_replicas, self.status_replicas, self.label_selector or ".status.selector")
        for path, parts in zip(paths, ((".spec.",), (".status.",), (".spec.", ".status.")), strict=True):
            if not isinstance(path, str) or not path.startswith(parts):
                raise ValueError(f"a scale has paths such as {parts[0]}replicas, not {path!r}")


class Definition(msgspec.Struct, frozen=True):
    """All that stands in a class statement of a TypedObject, beside what its fields say."""

    type: ResourceType
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    singular: str = ""
    list_kind: str = ""
    columns: Mapping[str, Column] = msgspec.field(default_factory=dict)
    scale: Scale | None = None
    rules: tuple[Rule, ...] = ()
    selectable_fields: tuple[str, ...] = ()
    deprecated: bool | str = False  #: or the warning that says so
    served: bool = True
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)
    status_subresource: bool = True  #: or the status is written with the rest


_DNS_LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_DNS_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_KIND = re.compile(r"[A-Za-z]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?")


def checked_type(where: str, group: str, version: str, plural: str, kind: str, *, namespaced: bool) -> ResourceType:
    """The type of a class statement.

    Args:
        where: Names the class in the error.

    Raises:
        TypeError: One of them is no text.
        ValueError: One is missing, or cannot be what it is said to be.
    """
    for name, value, pattern, example in (
        ("group", group, _DNS_NAME, "db.example.org"),
        ("version", version, _DNS_LABEL, "v1"),
        ("plural", plural, _DNS_LABEL, "databases"),
        ("kind", kind, _KIND, "Database"),
    ):
        if not isinstance(value, str):
            raise TypeError(f"{where}: {name} is of type {type(value).__name__}, must be text such as {example!r}")
        if name == "group" and not value:
            continue  # the core group
        if not value:
            raise ValueError(f"{where}: {name} is missing: class {where}(…, {name}={example!r})")
        if not pattern.fullmatch(value):
            raise ValueError(f"{where}: {name}={value!r} cannot be one; it looks like {example!r}")
    return ResourceType(group, version, plural, kind, namespaced)


def check_words(where: str, **words: tuple[object, type | tuple[type, ...], str]) -> None:
    """
    Args:
        words: By their name, what was given, what it may be, and an example.

    Raises:
        TypeError: One is something else.
    """
    for name, (value, types, example) in words.items():
        if not isinstance(value, types):
            raise TypeError(f"{where}: {name}={value!r} cannot be: it looks like {name}={example}")


def rules_from(where: str, given: object) -> tuple[Rule, ...]:
    """Rules, given as such or as texts.

    Raises:
        TypeError: They are something else.
    """
    several = given if isinstance(given, list | tuple) else ()
    if several != given or not all(isinstance(each, Rule | str) for each in several):
        raise TypeError(f"{where} has to be several Rules, or texts: (Rule('…'),)")
    return tuple(Rule(each) if isinstance(each, str) else each for each in several)


def columns_of(where: str, columns: Mapping[str, Column | str]) -> dict[str, Column]:
    """Columns by their heading, given as such or by their path alone.

    Raises:
        TypeError: One is neither.
        ValueError: A path does not begin with a dot.
    """
    check_words(where, columns=(columns, Mapping, "{'Phase': '.status.phase', 'Age': AGE}"))
    made = {name: Column(each) if isinstance(each, str) else each for name, each in columns.items()}
    for name, each in made.items():
        if not isinstance(each, Column):
            raise TypeError(f"{where}: column {name!r} is of type {type(each).__name__}, must be a path or a Column")
        if not each.path.startswith("."):
            raise ValueError(f"{where}: column {name!r} has the path {each.path!r}, must be like '.status.phase'")
    return made


def texts(where: str, name: str, given: object) -> tuple[str, ...]:
    """Several texts; a single one is a mistake that Python would not notice.

    Raises:
        TypeError: Something else.
    """
    if (
        isinstance(given, str)
        or not isinstance(given, list | tuple)
        or not all(isinstance(each, str) for each in given)
    ):
        raise TypeError(f"{where}: {name} is {given!r}, must be several texts: ({given!r},)")
    return tuple(given)
