"""For clients without an informer: a dict as the cache, kept as their own examples keep it."""

from __future__ import annotations

from typing import Any

from phases import Probe


def metadata_of(obj: Any) -> tuple[str, str, str]:
    """Namespace, name and resourceVersion, of a dict or a generated model."""
    if isinstance(obj, dict):
        metadata = obj["metadata"]
        return metadata["namespace"], metadata["name"], metadata["resourceVersion"]
    metadata = obj.metadata
    return metadata.namespace, metadata.name, metadata.resource_version


def items_of(answer: Any) -> tuple[list[Any], str]:
    """The items and the resourceVersion of a list, which is a dict or a generated model."""
    if isinstance(answer, dict):
        return answer["items"], answer["metadata"]["resourceVersion"]
    return answer.items, answer.metadata.resource_version


class Cache(dict[tuple[str, str], Any]):
    """Objects by namespace and name; tells the probe of each."""

    def __init__(self, probe: Probe) -> None:
        super().__init__()
        self._probe = probe

    def fill(self, items: list[Any]) -> None:
        for obj in items:
            self.apply("ADDED", obj)

    def apply(self, type_: str, obj: Any) -> None:
        namespace, name, version = metadata_of(obj)
        key = namespace, name
        if type_ == "DELETED":
            self.pop(key, None)
        else:
            self[key] = obj
        self._probe.note(key, version)
