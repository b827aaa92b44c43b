"""Which part of an old object a part of the new one is the successor of.

An update may keep what is invalid as long as it does not touch it: that is asked here, and so is
`oldSelf` for the rules. Source: k8s.io/apiserver/pkg/cel/common, v0.36.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from btcctl import codecs
from btcctl.apiserver.machinery.json_values import deep_equal

Schema = Mapping[str, Any]


class Correlated:
    """A value, what it was before, and the schema of both."""

    __slots__ = ("_equal", "_olds", "new", "old", "schema")

    def __init__(self, schema: Schema, new: Any, old: Any) -> None:
        self.schema = schema
        self.new = new
        self.old = old
        self._equal: bool | None = None
        self._olds: ItemsByKeys | None = None

    def key(self, name: str) -> Correlated | None:
        """The same of a field; None if it was not there, or has no schema."""
        if not isinstance(self.new, dict) or not isinstance(self.old, dict):
            return None
        schema = field_schema(self.schema, name)
        if schema is None or name not in self.new or name not in self.old:
            return None
        return Correlated(schema, self.new[name], self.old[name])

    def index(self, index: int) -> Correlated | None:
        """The same of an item of a list whose items have keys; None for any other list."""
        items = self.schema.get("items")
        if self.schema.get("x-kubernetes-list-type") != "map" or not isinstance(items, dict):
            return None
        if not isinstance(self.old, list):
            return None
        if self._olds is None:
            self._olds = ItemsByKeys(self.old, self.schema.get("x-kubernetes-list-map-keys") or ())
        old = self._olds.find(self.new[index])
        return None if old is None else Correlated(items, self.new[index], old)

    def equal(self) -> bool:
        """Whether nothing changed, as far as the schema lets one see."""
        if self._equal is None:
            self._equal = self._compare()
        return self._equal

    def _compare(self) -> bool:
        new, old = self.new, self.old
        if isinstance(new, list) and isinstance(old, list):
            return self._compare_lists(new, old)
        if isinstance(new, dict) and isinstance(old, dict):
            children = [self.key(name) for name in new]
            return len(new) == len(old) and all(child is not None and child.equal() for child in children)
        return deep_equal(new, old)

    def _compare_lists(self, new: list[Any], old: list[Any]) -> bool:
        if len(new) != len(old):
            return False
        if self.schema.get("x-kubernetes-list-type") != "map":
            return deep_equal(new, old)
        children = [self.index(index) for index in range(len(new))]
        return all(child is not None and child.equal() for child in children)


def field_schema(schema: Schema, name: str) -> Schema | None:
    """The schema of a field; None if there is none."""
    found = (schema.get("properties") or {}).get(name)
    additional = schema.get("additionalProperties")
    if found is None and isinstance(additional, dict):
        return additional
    return found if isinstance(found, dict) else None


class ItemsByKeys:
    """The items of a list by their keys, of which there may be thousands.

    Args:
        items: What is no map is nobody's predecessor.
    """

    def __init__(self, items: Sequence[Any], keys: Sequence[str]) -> None:
        self._keys = keys
        self._found: dict[bytes, Any] = {}
        for item in items:
            if isinstance(item, dict):
                self._found.setdefault(self._identity(item), item)

    def find(self, wanted: Any) -> Any:
        """The first item that agrees in all keys, in value and in type; None if there is none."""
        return self._found.get(self._identity(wanted)) if isinstance(wanted, dict) else None

    def _identity(self, item: Mapping[str, Any]) -> bytes:
        return codecs.encode([item.get(key) for key in self._keys], order="sorted")
