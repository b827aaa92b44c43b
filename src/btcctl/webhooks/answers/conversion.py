"""From any version of a kind to any other, over the functions that there are. Pure, but for these functions."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from btcctl.errors import BtcctlError
from btcctl.objects import Object
from btcctl.resources import ResourceType
from btcctl.typed.kinds import type_of
from btcctl.typed.values import body_of, decoded
from btcctl.webhooks.hooks import Converter

#: What a conversion may change in metadata; the API server refuses every other difference.
_CHANGEABLE = ("labels", "annotations")


class Conversions:
    """All versions of all kinds that have converters.

    Raises:
        ValueError: One of the versions of a kind cannot be reached from another; two classes are of one version.
    """

    def __init__(self, converters: Iterable[Converter[Any, Any]]) -> None:
        self._steps: dict[ResourceType, list[Converter[Any, Any]]] = {}
        classes: dict[ResourceType, type[Any]] = {}
        for each in converters:
            for model in (each.old, each.new):
                if classes.setdefault(type_of(model), model) is not model:
                    raise ValueError(f"{model.__name__} and {classes[type_of(model)].__name__} are of one version")
            self._steps.setdefault(type_of(each.old), []).append(each)
        self._classes = classes
        self._paths = {(old, new): self._path(old, new) for old in classes for new in classes if _are_one(old, new)}

    @property
    def kinds(self) -> list[str]:
        """The names of their CustomResourceDefinitions."""
        return sorted({each.group_resource for each in self._classes})

    def convert(self, raw: bytes, api_version: str) -> dict[str, Any]:
        """An object in another version.

        Args:
            raw: As it is stored, or sent.
            api_version: What it is to become: "db.example.org/v1".

        Raises:
            BtcctlError: No converter knows it; it does not fit its class, or what a function made of it does not.
            BaseException: What a function raised.
        """
        obj = Object.from_nameless(raw)
        old = self._type(obj.api_version, obj.kind)
        path = self._paths[old, self._type(api_version, obj.kind)]
        if not path:
            return obj.body()
        value = decoded(obj, path[0].old)
        for step in path:
            value = _result(step, step(value))
        body = obj.body()
        return {
            **body_of(value),
            "apiVersion": api_version,
            "kind": body.get("kind"),
            "metadata": _metadata(body.get("metadata") or {}, value),
        }

    def _type(self, api_version: str, kind: str) -> ResourceType:
        for each in self._classes:
            if (each.api_version, each.kind) == (api_version, kind):
                return each
        raise BtcctlError(f"there is no converter for {kind} in {api_version}")

    def _path(self, old: ResourceType, new: ResourceType) -> Sequence[Converter[Any, Any]]:
        """The shortest."""
        found: dict[ResourceType, tuple[Converter[Any, Any], ...]] = {old: ()}
        left = deque([old])
        while left:
            here = left.popleft()
            for step in self._steps.get(here, ()):
                there = type_of(step.new)
                if there not in found:
                    found[there] = (*found[here], step)
                    left.append(there)
        if new not in found:
            raise ValueError(f"no function makes {new} {new.version} of {old.version}: @converts(…) is missing")
        return found[new]


def _are_one(old: ResourceType, new: ResourceType) -> bool:
    return old.group_resource == new.group_resource


def _result(step: Converter[Any, Any], value: object) -> Any:
    if not isinstance(value, step.new):
        raise TypeError(f"a converter returned {type(value).__name__}, must return {step.new.__name__}")
    return value


def _metadata(original: Mapping[str, Any], value: Any) -> dict[str, Any]:
    """As it was, but for labels and annotations of an object that the function has handed on."""
    if not (value.name or value.metadata.generate_name):
        return dict(original)
    said = {"labels": value.metadata.labels, "annotations": value.metadata.annotations}
    kept = {name: each for name, each in original.items() if name not in _CHANGEABLE}
    return kept | {name: each for name, each in said.items() if each}
