"""What a type says to an API server beyond itself: `Annotated[list[Port], list_map("port")]`.

Each is msgspec's `Meta` with the schema's own words in it; any other words of a structural schema can be given so, too.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from msgspec import Meta

from btcctl.typed.definition import Rule

_QUANTITY = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)


def list_map(*keys: str) -> Meta:
    """A list whose items are told apart by these members: several appliers may own items of it.

    Raises:
        ValueError: There are none.
    """
    if not keys:
        raise ValueError('a list of this kind needs the members that tell its items apart: list_map("name")')
    return Meta(extra_json_schema={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [*keys]})


def list_set() -> Meta:
    """A list of scalars, each of which is in it once."""
    return Meta(extra_json_schema={"x-kubernetes-list-type": "set"})


def atomic() -> Meta:
    """An object that has one owner as a whole; lists are that anyway."""
    return Meta(extra_json_schema={"x-kubernetes-map-type": "atomic"})


def obeys(*rules: Rule | str) -> Meta:
    """Rules of a field, whose value is `self`."""
    made = [Rule(each) if isinstance(each, str) else each for each in rules]
    return Meta(extra_json_schema={"x-kubernetes-validations": [each.body() for each in made]})


def matching(pattern: str) -> Meta:
    """A pattern for what is no text alone, such as an IntOrString: a server applies it if it is one."""
    return Meta(extra_json_schema={"pattern": pattern})


#: A whole number of 32 bits, as replicas and ports are; `int` is one of 64.
Int32: TypeAlias = Annotated[int, Meta(extra_json_schema={"format": "int32"})]
#: A number, or text such as "50%".
IntOrString: TypeAlias = int | str
#: An amount of something, as Kubernetes writes it: 1, "500m", "2Gi".
Quantity: TypeAlias = Annotated[int | str, Meta(extra_json_schema={"pattern": _QUANTITY})]
#: A whole object of any kind, with apiVersion, kind and metadata.
EmbeddedResource: TypeAlias = Annotated[
    dict[str, Any],
    Meta(extra_json_schema={"x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}),
]
