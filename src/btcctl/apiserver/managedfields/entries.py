"""The entries of `metadata.managedFields`: read from objects, and written back into them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from btcctl.apiserver.managedfields import field_sets
from btcctl.apiserver.managedfields.field_sets import FieldSet

APPLY, UPDATE = "Apply", "Update"
_FIELDS = ("manager", "operation", "apiVersion", "time", "fieldsType", "fieldsV1", "subresource")


class Manager(NamedTuple):
    """Who an entry is of. There is one for all the versions in which somebody applies.

    Attributes:
        api_version: "" for Apply.
    """

    name: str
    operation: str
    api_version: str = ""
    subresource: str = ""

    def shown(self) -> str:
        """As conflicts name it."""
        text = f'"{self.name}"' + (f' with subresource "{self.subresource}"' if self.subresource else "")
        return f"{text} using {self.api_version}" if self.operation == UPDATE else text


class Entry(msgspec.Struct, frozen=True):
    """What a manager set, in which version of the kind, and when it last did; "" for no time.

    Attributes:
        written: The entry as it is stored, if it comes from there and is unchanged.
    """

    fields: FieldSet
    api_version: str
    time: str = ""
    written: Mapping[str, Any] | None = None

    def again(self, time: str) -> Entry | None:
        """The same of a later time; None if it must be written anew."""
        if self.written is None or not self.time:
            return None
        return Entry(self.fields, self.api_version, time, {**self.written, "time": time})

    def with_fields(self, fields: FieldSet) -> Entry:
        return Entry(fields, self.api_version, self.time)


Managed = dict[Manager, Entry]


def manager_of(name: str, operation: str, api_version: str, subresource: str) -> Manager:
    version = "" if operation == APPLY else api_version
    return Manager(name or "unknown", operation, version, subresource)


def read(entries: Any) -> Managed:
    """What an object's `managedFields` say.

    Raises:
        ValueError, TypeError, AttributeError: They are damaged.
    """
    managed: Managed = {}
    for index, entry in enumerate(entries or ()):
        if not isinstance(entry, Mapping) or entry.get("operation") not in {APPLY, UPDATE}:
            raise ValueError("operation must be `Apply` or `Update`")
        if not entry.get("apiVersion"):
            raise ValueError("apiVersion must not be empty")
        if entry.get("fieldsType") != "FieldsV1":
            raise ValueError(f"invalid fieldsType in managed fields entry {index}")
        manager = Manager(
            entry.get("manager") or "",
            entry["operation"],
            "" if entry["operation"] == APPLY else entry["apiVersion"],
            entry.get("subresource") or "",
        )
        fields = field_sets.decode(entry.get("fieldsV1") or {})
        managed[manager] = Entry(fields, entry["apiVersion"], entry.get("time") or "")
    return managed


def read_own(entries: Any) -> Managed:
    """What the `managedFields` of an object in the store say: as `read`, but they are ours."""
    return {
        Manager(
            entry.get("manager", ""),
            entry["operation"],
            "" if entry["operation"] == APPLY else entry["apiVersion"],
            entry.get("subresource", ""),
        ): Entry(entry["fieldsV1"], entry["apiVersion"], entry.get("time", ""), entry)
        for entry in entries or ()
    }


def write(managed: Managed) -> list[dict[str, Any]]:
    """The entries in the order a real server puts them in: appliers first, then by time and name."""

    return [_written(manager, entry) for manager, entry in sorted(managed.items(), key=_rank)]


def is_reset(entries: Any, *, is_plain: bool) -> bool:
    """Whether a client wants nobody to own anything; where absent fields are just absent, no entries say nothing."""
    return entries == [{}] or (entries == [] and not is_plain)


def _rank(item: tuple[Manager, Entry]) -> tuple[str, ...]:
    manager, entry = item
    return (manager.operation, entry.time, manager.name, entry.api_version, manager.subresource)


def in_order(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Entries with their fields in the order of the Go type: those that `write` makes are so already."""
    return [{name: each[name] for name in _FIELDS if name in each} for each in entries]


def _written(manager: Manager, entry: Entry) -> dict[str, Any]:
    if entry.written is not None:
        return dict(entry.written)
    written = {
        "manager": manager.name,
        "operation": manager.operation,
        "apiVersion": entry.api_version,
        "time": entry.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": field_sets.ordered(entry.fields),
        "subresource": manager.subresource,
    }
    return {name: value for name, value in written.items() if value or name == "fieldsV1"}
