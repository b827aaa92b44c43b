"""Fields of every kind that a class may have: what of it an API server takes, and what it refuses."""

from __future__ import annotations

import enum
import types
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypedDict, TypeVar

import attrs
import msgspec
from msgspec import Meta

from btcctl import (
    CustomResource,
    EmbeddedResource,
    IntOrString,
    Quantity,
    Rule,
    atomic,
    list_map,
    list_set,
    obeys,
)

REQUIRED = object()


class Engine(enum.Enum):
    POSTGRES = "postgres"
    MYSQL = "mysql"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Port(msgspec.Struct, rename="camel"):
    """A port that is opened."""

    name: str
    container_port: Annotated[int, Meta(gt=0, lt=65536)]
    protocol: Literal["TCP", "UDP"] = "TCP"


class Storage(msgspec.Struct, omit_defaults=True):
    size: str = "1Gi"
    keep: bool = True


@dataclass
class Backup:
    """Made by dataclasses."""

    schedule: str
    keep: int = 7


@attrs.define
class Alert:
    to: str
    after: float = 1.5


class Hints(TypedDict, total=False):
    color: str


class S3(msgspec.Struct, tag="s3", tag_field="type"):
    bucket: str
    prefix: str = ""


class Disk(msgspec.Struct, tag="disk", tag_field="type"):
    path: str


class Range(msgspec.Struct):
    """A pair of numbers."""

    __rules__ = (Rule("self.low <= self.high", "low is above high"),)

    low: int
    high: int


Item = TypeVar("Item")


class Weighed(msgspec.Struct, Generic[Item]):
    """Something, and how much it counts.

    Attributes:
        of: What it is.
    """

    __rules__ = (Rule("self.weight >= 0", "weight is below 0"),)

    of: Item
    weight: int = 1
    grade: Literal["low", "high"] = "low"


@dataclass
class Pair(Generic[Item]):
    one: Item
    other: Item


class Tree(msgspec.Struct):
    left: Range
    right: Range | None = None


@dataclass(frozen=True)
class Shape:
    """One field `value`, and values for it.

    Attributes:
        good: What is sent, and comes back the same.
        bad: JSON that a server refuses, for want of which nothing is refused.
        default: Of the field; REQUIRED if it has none.
        filled: What the field is when nothing is said.
    """

    name: str
    type: Any
    good: list[Any]
    bad: list[Any] = field(default_factory=list)
    default: Any = REQUIRED

    def __str__(self) -> str:
        return self.name

    def model(self) -> type[CustomResource[Any, Any]]:
        members = {} if self.default is REQUIRED else {"value": self.default}
        spec = types.new_class(
            "Spec",
            (msgspec.Struct,),
            {"kw_only": True},
            lambda namespace: namespace.update(__annotations__={"value": self.type}, __module__=__name__, **members),
        )
        plural = self.name.replace("_", "")
        words = {"group": "shapes.example.org", "version": "v1", "plural": plural, "kind": plural.title()}
        return types.new_class("Model", (CustomResource[spec, None],), words)  # type: ignore[valid-type]


SHAPES = [
    Shape("boolean", bool, [True, False], ["yes", 1]),
    Shape("integer", int, [0, -5, 2**40], ["1", 1.5]),
    Shape("bounded_integer", Annotated[int, Meta(ge=1, le=9)], [1, 9], [0, 10]),
    Shape("exclusive_bounds", Annotated[int, Meta(gt=1, lt=9)], [2, 8], [1, 9]),
    Shape("multiples", Annotated[int, Meta(multiple_of=5)], [5, 10], [7]),
    Shape("number", float, [1.5, -2.25], ["1.5"]),
    Shape(
        "generic", Weighed[str], [Weighed("a", 2)], [{"of": 1}, {"of": "a", "weight": -1}, {"of": "a", "grade": "x"}]
    ),
    Shape("generic_of_generics", Weighed[Pair[int]], [Weighed(Pair(1, 2))], [{"of": {"one": 1, "other": "2"}}]),
    Shape("bounded_number", Annotated[float, Meta(ge=0.5, lt=1.5)], [0.5], [0.25, 1.5]),
    Shape("text", str, ["", "a", "ü💥"], [1, None]),
    Shape("bounded_text", Annotated[str, Meta(min_length=1, max_length=3)], ["a", "abc"], ["", "abcd"]),
    Shape("pattern", Annotated[str, Meta(pattern="^[a-z]+$")], ["abc"], ["A1"]),
    Shape("bytes_that_may_be_empty", bytes, [b"", b"abc"], ["?", "YQ"], default=b""),
    Shape("bytes_as_base64", bytes, [b"a", b"\x00\xff"], [1]),
    Shape("moment", datetime, [datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)], ["soon"]),
    Shape("day", date, [date(2026, 1, 2)], ["today"]),
    Shape("span", timedelta, [timedelta(seconds=90)], [90]),
    Shape("identity", uuid.UUID, [uuid.UUID(int=7)], ["7"]),
    Shape("exact_number", Decimal, [Decimal("1.10")], [1.1]),
    Shape("literal", Literal["a", "b"], ["a"], ["c", 1]),
    Shape("literal_numbers", Literal[1, 2], [2], [3]),
    Shape("literal_or_null", Literal["a", None], ["a", None], ["b"]),
    Shape("text_enum", Engine, [Engine.MYSQL], ["oracle"]),
    Shape("number_enum", Level, [Level.HIGH], [3]),
    Shape("nullable", int | None, [1, None], ["a"]),
    Shape("optional", int | None, [1, None], ["a"], None),
    Shape("nullable_and_optional", int | None | msgspec.UnsetType, [1, None, msgspec.UNSET], ["a"], msgspec.UNSET),
    Shape("with_default", int, [3, 5], ["a"], 3),
    Shape("default_list", list[int], [[], [1]], [["a"]], msgspec.field(default_factory=list)),
    Shape(
        "default_struct",
        Storage,
        [Storage(), Storage("2Gi", keep=False)],
        ["a"],
        msgspec.field(default_factory=Storage),
    ),
    Shape("list_of_text", list[str], [[], ["a", "a"]], ["a", [1]]),
    Shape("bounded_list", Annotated[list[int], Meta(min_length=1, max_length=2)], [[1], [1, 2]], [[], [1, 2, 3]]),
    Shape("tuple_of_two", tuple[int, int], [(1, 2)], [[1]]),
    Shape("set_of_text", set[str], [{"a", "b"}], [["a", "a"]]),
    Shape("list_set", Annotated[list[str], list_set()], [["a", "b"]], [["a", "a"]]),
    Shape("list_of_structs", list[Port], [[Port("a", 1)]], [[{"name": "a"}]]),
    Shape("list_map", Annotated[list[Port], list_map("name")], [[Port("a", 1), Port("b", 1)]], [[{"name": "a"}]]),
    Shape("map_of_text", dict[str, str], [{}, {"a.b/c": "d"}], [{"a": 1}]),
    Shape("bounded_map", Annotated[dict[str, int], Meta(max_length=1)], [{"a": 1}], [{"a": 1, "b": 2}]),
    Shape("map_of_structs", dict[str, Port], [{"a": Port("a", 1)}], [{"a": {}}]),
    Shape("map_of_lists", dict[str, list[int]], [{"a": [1]}], [{"a": 1}]),
    Shape("free_map", dict[str, Any], [{"a": {"b": [1, "c", None]}}], ["a"]),
    Shape("anything", Any, [1, "a", {"b": None}, [1]]),
    Shape("struct", Port, [Port("a", 80, "UDP")], [{"name": "a"}, {"name": "a", "containerPort": 0}]),
    Shape("dataclass", Backup, [Backup("@daily")], [{"keep": 1}]),
    Shape("of_attrs", Alert, [Alert("me", 2.0)], [{"after": 1}]),
    Shape("typed_dict", Hints, [{}, {"color": "red"}], [{"color": 1}]),
    Shape("tagged_union", S3 | Disk, [S3("b"), Disk("/d")], [{"type": "s3"}, {"type": "tape"}, {"bucket": "b"}]),
    Shape("list_of_tagged", list[S3 | Disk], [[S3("b"), Disk("/d")]], [[{"type": "disk"}]]),
    Shape("int_or_string", IntOrString, [1, "50%"], [True, 1.5]),
    Shape("quantity", Quantity, [1, "500m", "2Gi"], ["much"]),
    Shape("optional_quantity", Quantity | None, ["1", None], ["much"], None),
    Shape(
        "embedded",
        EmbeddedResource,
        [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "x": 1}],
        [{"x": 1}],
    ),
    Shape("nested", Tree, [Tree(Range(1, 2)), Tree(Range(1, 2), Range(3, 4))], [{}]),
    Shape("rules_of_a_class", Range, [Range(1, 2)], [{"low": 2, "high": 1}]),
    Shape("rules_of_a_field", Annotated[int, obeys(Rule("self % 2 == 0", "odd"))], [2], [3]),
    Shape("rule_as_text", Annotated[str, obeys("self.startsWith('a')")], ["ab"], ["b"]),
    Shape("atomic_map", Annotated[dict[str, str], atomic()], [{"a": "b"}], [{"a": 1}]),
    Shape("described", Annotated[int, Meta(title="N", description="Many\nlines.", examples=[3])], [1], ["a"]),
    Shape("own_words", Annotated[Any, Meta(extra_json_schema={"type": "string", "maxLength": 2})], ["ab"], ["abc", 1]),
]
