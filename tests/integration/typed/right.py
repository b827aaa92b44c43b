"""A program without a mistake: type checkers have nothing to say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_type

import msgspec

from btcctl import (
    CONFIG_MAPS,
    ApiClient,
    Controller,
    CustomResource,
    Object,
    ObjectKey,
    Resource,
    Result,
    SharedInformer,
    SharedInformerFactory,
    TypedInformer,
    TypedKind,
    TypedObject,
    TypedResource,
)


class Spec(msgspec.Struct):
    size: int


@dataclass
class Status:
    ready: int = 0


class Widget(CustomResource[Spec, Status], group="example.org", version="v1", plural="widgets"):
    """A widget."""


class Settings(TypedObject, resource=CONFIG_MAPS):
    data: dict[str, str] = msgspec.field(default_factory=dict)


@dataclass
class Plain:
    metadata: dict[str, str]


def use(client: ApiClient, factory: SharedInformerFactory) -> None:
    widgets = client.resource(Widget)
    assert_type(widgets, TypedResource[Widget])
    widget = widgets.get(ObjectKey("default", "a"))
    assert_type(widget, Widget)
    assert_type(widget.spec.size, int)
    assert_type(widget.status, Status | None)
    assert_type(widget.key, ObjectKey)
    assert_type(widgets.write_status(widget, Status(1)), Widget)
    assert_type(widgets.create(Widget.named("b", Spec(size=1), namespace="default")), Widget)
    assert_type(widgets.apply(widget, cached=widget), Widget)
    assert_type(widgets.patch(widget, {"spec": {"size": 2}}), Widget)
    assert_type(client.resource(CONFIG_MAPS), Resource)
    assert_type(client.resource(CONFIG_MAPS).get(widget.key), Object)
    assert_type(client.resource(TypedKind(CONFIG_MAPS, Plain)), TypedResource[Plain])
    assert_type(factory.informer(Widget), TypedInformer[Widget])
    assert_type(factory.informer(Widget).lister.get(widget.key), Widget | None)
    assert_type(factory.informer(CONFIG_MAPS), SharedInformer)
    client.resource(Settings).apply(Settings(metadata=widget.metadata, data={"a": "b"}), owner=widget)
    Controller.for_(Widget).owns(Settings).build("widgets", lambda key: Result(), factory)
