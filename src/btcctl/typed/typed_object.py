"""Classes whose instances are API objects.

A class statement says which kind it is:

    class Database(
        CustomResource[DatabaseSpec, DatabaseStatus],
        group="db.example.org", version="v1", plural="databases", short_names=("db",),
        columns={"Phase": ".status.phase", "Age": AGE},
    ):
        \"\"\"A database, as its owner wants it.\"\"\"

and then stands wherever a ResourceType does. A class without these words only hands on its fields.

An instance that was read remembers the object that it comes from (`as_read`). It is no part of the value: two that say
the same are equal. It is what a write is compared with, so that what the class does not know stays as it is.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, Self, TypeVar

import msgspec

from btcctl.objects import Object, ObjectKey, OwnerReference
from btcctl.resources import ResourceType
from btcctl.typed.definition import (
    Column,
    Definition,
    Rule,
    Scale,
    check_words,
    checked_type,
    columns_of,
    rules_from,
    texts,
)
from btcctl.typed.metadata import Metadata

M = TypeVar("M", bound="KindMeta")
S = TypeVar("S")
T = TypeVar("T")

_AS_READ = "_as_read"
_OF_A_STRUCT = frozenset(inspect.signature(msgspec.defstruct).parameters) - {
    "name",
    "fields",
    "bases",
    "module",
    "namespace",
}


class KindMeta(msgspec.StructMeta):
    """Takes what a class statement says of the kind; the rest is msgspec's."""

    __definition__: Definition | None

    def __new__(  # noqa: PLR0913  the words of a class statement
        mcls: type[M],
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        group: str = "",
        version: str = "",
        plural: str = "",
        kind: str = "",
        namespaced: bool = True,
        short_names: Sequence[str] = (),
        categories: Sequence[str] = (),
        singular: str = "",
        list_kind: str = "",
        columns: Mapping[str, Column | str] = {},
        scale: Scale | None = None,
        status_subresource: bool = True,
        rules: Sequence[Rule | str] = (),
        selectable_fields: Sequence[str] = (),
        deprecated: bool | str = False,
        served: bool = True,
        annotations: Mapping[str, str] = {},
        resource: ResourceType | None = None,
        **config: Any,
    ) -> M:
        unknown = [each for each in config if each not in _OF_A_STRUCT]
        if unknown:
            raise TypeError(f"{name}: a class statement knows no {unknown[0]}=, but {', '.join(_words())}")
        check_words(
            name,
            namespaced=(namespaced, bool, "False"),
            served=(served, bool, "False"),
            status_subresource=(status_subresource, bool, "False"),
            deprecated=(deprecated, (bool, str), "'use v2'"),
            scale=(scale, (Scale, type(None)), "Scale('.spec.replicas', '.status.replicas')"),
            annotations=(annotations, Mapping, "{'example.org/of': 'us'}"),
        )
        cls = super().__new__(mcls, name, bases, namespace, **config)
        cls.__definition__ = None
        if resource is None and (version or plural or group):
            resource = checked_type(name, group, version, plural, kind or name, namespaced=namespaced)
        if resource is not None:
            cls.__definition__ = Definition(
                resource,
                texts(name, "short_names", short_names),
                texts(name, "categories", categories),
                singular,
                list_kind,
                columns_of(name, columns),
                scale,
                rules_from(f"{name}: rules", rules),
                texts(name, "selectable_fields", selectable_fields),
                deprecated,
                served,
                dict(annotations),
                status_subresource,
            )
        return cls

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **words: Any) -> None:  # noqa: N805
        """`words` are those of the class statement, which `__new__` has taken."""


def _words() -> list[str]:
    """What a class statement may say beside what msgspec knows."""
    parameters = inspect.signature(KindMeta.__new__).parameters.values()
    return [each.name for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY]


class TypedObject(msgspec.Struct, metaclass=KindMeta, rename="camel", omit_defaults=True, kw_only=True, dict=True):
    """An API object with the fields that a subclass names. Fields that it does not name stay as they are.

    For a kind that exists: `class Deployment(TypedObject, resource=DEPLOYMENTS)`, with as many fields as are wanted.
    """

    __definition__: ClassVar[Definition | None]

    metadata: Metadata = msgspec.field(default_factory=Metadata)

    @property
    def key(self) -> ObjectKey:
        """Which object it is, within its collection."""
        return ObjectKey(self.metadata.namespace, self.metadata.name, self.cluster)

    @property
    def cluster(self) -> str:
        """Where it was read, in a program that looks after several clusters; else ""."""
        read = self.as_read
        return "" if read is None else read.cluster

    @property
    def name(self) -> str:
        """As in `metadata`."""
        return self.metadata.name

    @property
    def namespace(self) -> str:
        """As in `metadata`; "" for cluster-scoped objects."""
        return self.metadata.namespace

    @property
    def uid(self) -> str:
        """Tells it from namesakes before and after it; "" before it was created."""
        return self.metadata.uid

    @property
    def resource_version(self) -> str:
        """Of the state that was read: opaque, never to be compared by size."""
        return self.metadata.resource_version

    @property
    def generation(self) -> int:
        """Counts the changes of its spec."""
        return self.metadata.generation

    @property
    def deletion_timestamp(self) -> str | None:
        """When deletion was asked for (RFC 3339), or None: it is not being deleted."""
        return self.metadata.deletion_timestamp

    @property
    def finalizers(self) -> list[str]:
        """What keeps it once its deletion was asked for; [] if nothing does."""
        return self.metadata.finalizers

    @property
    def controller(self) -> OwnerReference | None:
        """The owner reference whose `controller` is true, or None."""
        return next((each for each in self.metadata.owner_references if each.controller), None)

    @property
    def as_read(self) -> Object | None:
        """The object as it was read, whatever was changed here since; None of one that was made here."""
        found: Object | None = self.__dict__.get(_AS_READ)
        return found

    def remember(self, obj: Object) -> None:
        """`obj` is what it was decoded from: the toolkit's business."""
        self.__dict__[_AS_READ] = obj


class CustomResource(TypedObject, Generic[S, T], kw_only=True):
    """An object of a kind of one's own: what is wanted, and what is.

    `CustomResource[DatabaseSpec, DatabaseStatus]`; `CustomResource[DatabaseSpec, None]` has no status. Both may be
    whatever msgspec decodes: its Structs, dataclasses, classes of attrs, TypedDicts.
    """

    spec: S
    status: T | None = None

    @classmethod
    def named(
        cls,
        name: str,
        spec: S,
        *,
        namespace: str = "",
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> Self:
        """One that is about to be created or applied."""
        metadata = Metadata(
            name=name, namespace=namespace, labels=dict(labels or {}), annotations=dict(annotations or {})
        )
        return cls(metadata=metadata, spec=spec)
