"""What an informer of a factory holds: which collection, and which part of it."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from types import FrameType
from typing import Protocol

import msgspec
from msgspec.structs import force_setattr

from btcctl.informers.cache.selectors import fields_in_one_spelling, in_one_spelling
from btcctl.informers.reflector.list_watch import ListerWatcher
from btcctl.mistakes import check_is
from btcctl.names import check_namespace
from btcctl.resources import ResourceType


class Collection(Protocol):
    """What a factory needs of `btcctl.rest.collection.resource.Resource`."""

    def lister_watcher(
        self,
        *,
        label_selector: str = "",
        field_selector: str = "",
        metadata_only: bool = False,
        streaming: bool = False,
    ) -> ListerWatcher: ...


class Client(Protocol):
    """What a factory needs of `btcctl.rest.client.ApiClient`."""

    @property
    def cluster(self) -> str: ...

    def resource(self, type_: ResourceType, namespace: str = "") -> Collection: ...


class Selection(msgspec.Struct, frozen=True):
    """What is in a cache. There is one cache of it, or as many as were asked for by name."""

    type: ResourceType
    namespaces: tuple[str, ...] = ()  #: none is all of them
    label_selector: str = ""
    field_selector: str = ""
    metadata_only: bool = False

    def __post_init__(self) -> None:
        """Two ways to say the same are one selection, and one cache."""
        said = {
            "namespaces": tuple(sorted(self.namespaces)),
            "label_selector": in_one_spelling(self.label_selector),
            "field_selector": fields_in_one_spelling(self.field_selector),
        }
        for name, value in said.items():
            force_setattr(self, name, value)

    def sources(self, client: Client, *, streaming: bool) -> ListerWatcher | Mapping[str, ListerWatcher]:
        """One of everything, or one for each namespace."""
        sources = {
            namespace: client.resource(self.type, namespace).lister_watcher(
                label_selector=self.label_selector,
                field_selector=self.field_selector,
                metadata_only=self.metadata_only,
                streaming=streaming,
            )
            for namespace in self.namespaces or ("",)
        }
        return sources if len(sources) > 1 else next(iter(sources.values()))

    def describe(self) -> str:
        """A name for logs: the resource, and what is special."""
        parts = [str(self.type), ",".join(self.namespaces), self.label_selector, self.field_selector]
        parts.append("metadata" if self.metadata_only else "")
        return " ".join(filter(None, parts))


def namespaces_of(namespace: str | Iterable[str]) -> tuple[str, ...]:
    """As a Selection has them; "" is all.

    Raises:
        ValueError: There is none, one of several is "", or one cannot be a name.
    """
    if namespace == "":
        return ()
    check_is("namespace", namespace, Iterable, 'a text, or several: "" for all')
    namespaces = (namespace,) if isinstance(namespace, str) else tuple(dict.fromkeys(namespace))
    if not namespaces or "" in namespaces:
        raise ValueError(f"{namespaces} are no namespaces: for all of them, say ''")
    for each in namespaces:
        check_namespace(each)
    return namespaces


def asking_place() -> str:
    """Where the toolkit was asked: `file:line` of the first frame outside of its informers and controllers."""
    frame: FrameType | None = inspect.currentframe()
    while frame is not None and str(frame.f_globals.get("__name__")).startswith(_OWN_PACKAGES):
        frame = frame.f_back
    return "an unknown place" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


_OWN_PACKAGES = ("btcctl.informers.", "btcctl.controller.")
