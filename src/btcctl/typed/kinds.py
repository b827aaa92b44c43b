"""From what a program says to the kind that it means: a ResourceType, a class of objects, or a class for a type."""

from __future__ import annotations

from typing import Any, Generic, TypeAlias, TypeVar, cast

import msgspec

from btcctl import codecs
from btcctl.resources import ResourceType
from btcctl.typed.definition import Definition
from btcctl.typed.typed_object import TypedObject

T = TypeVar("T")
Model: TypeAlias = type[T]


class TypedKind(msgspec.Struct, Generic[T], frozen=True):
    """A kind whose objects are read as instances of a class that knows nothing of it.

        TypedKind(DEPLOYMENTS, lightkube.models.apps_v1.Deployment)

    Attributes:
        type: Which kind.
        model: Any class that msgspec decodes: a Struct, a dataclass, one of attrs, a TypedDict.

    Raises:
        TypeError: msgspec does not know how to decode to `model`.
    """

    type: ResourceType
    model: Model[T]

    def __post_init__(self) -> None:
        if not isinstance(self.type, ResourceType):
            raise TypeError(f"the type of a kind is a ResourceType, not {self.type!r}")
        codecs.decoder_of(self.model)


#: Whatever says which kind is meant.
AnyKind: TypeAlias = ResourceType | type[TypedObject] | TypedKind[Any]


def definition_of(model: type[TypedObject]) -> Definition:
    """What the class statement of `model` says.

    Raises:
        TypeError: It is no class of objects, or does not say which kind.
    """
    found = getattr(model, "__definition__", None)
    if isinstance(found, Definition):
        return found
    if isinstance(model, type) and issubclass(model, TypedObject):
        raise TypeError(
            f"{model.__name__} does not say which kind it is: "
            f"class {model.__name__}(…, group='db.example.org', version='v1', plural='databases')"
        )
    raise TypeError(f"a kind is a ResourceType, a class of TypedObject or a TypedKind, not {model!r}")


def type_of(kind: AnyKind) -> ResourceType:
    """Which kind of object is meant.

    Raises:
        TypeError: None.
    """
    if isinstance(kind, ResourceType):
        return kind
    if isinstance(kind, TypedKind):
        return kind.type
    return definition_of(kind).type


def kind_of(kind: type[T] | TypedKind[T]) -> TypedKind[T]:
    """The kind and the class of its objects.

    Raises:
        TypeError: None is meant, or msgspec does not know how to decode to the class.
    """
    if isinstance(kind, TypedKind):
        return kind
    return TypedKind(definition_of(cast("type[TypedObject]", kind)).type, kind)
