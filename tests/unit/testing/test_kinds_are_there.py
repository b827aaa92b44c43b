"""However an object comes, it says what it is: lists of built-in kinds leave that out of their items."""

from __future__ import annotations

import msgspec
import pytest

from btcctl.informers.factory import SharedInformerFactory
from btcctl.informers.reflector.transform import drop_managed_fields
from btcctl.objects import Object, ObjectKey
from btcctl.resources import CONFIG_MAPS, ResourceType
from btcctl.testing import FakeClient

KEY = ObjectKey("default", "a")
WIDGETS = ResourceType("example.org", "v1", "widgets", "Widget")
TYPES = pytest.mark.parametrize("type_", [CONFIG_MAPS, WIDGETS])


class Typed(msgspec.Struct, rename="camel"):
    api_version: str
    kind: str


def a_client(type_: ResourceType) -> FakeClient:
    """With two objects: of a list, all but the last are decoded while it comes."""
    what = {"apiVersion": type_.api_version, "kind": type_.kind}
    return FakeClient(*({**what, "metadata": {"name": each, "namespace": "default"}} for each in "ab"), types=[WIDGETS])


@TYPES
def test_an_object_of_a_list_is_the_one_that_is_read_alone(type_):
    resource = a_client(type_).resource(type_)
    alone, (listed, last) = resource.get(KEY), resource.list()[0]
    assert listed.body() == alone.body()
    assert last.kind == type_.kind
    assert (listed.kind, listed.api_version) == (alone.kind, alone.api_version) == (type_.kind, type_.api_version)
    assert listed.decode(Typed) == alone.decode(Typed) == Typed(type_.api_version, type_.kind)


@TYPES
@pytest.mark.parametrize("transform", [None, drop_managed_fields, lambda obj: Object(obj.meta, obj.raw)])
def test_an_object_in_a_cache_is_the_same_from_a_list_and_from_a_watch(type_, transform):
    client = a_client(type_)
    factory = SharedInformerFactory(client, transform=transform)
    informer = factory.informer(type_)
    factory.start()
    factory.require_sync(10.0)
    listed = informer.lister.get(KEY)
    factory.stop()
    watched = client.resource(type_).watch(resource_version="0")
    with watched as events:
        event = next(events)
    expected = event.object if transform is None else transform(event.object)
    assert listed.body() == expected.body()
    assert listed.decode(Typed) == Typed(type_.api_version, type_.kind)


def test_metadata_alone_say_that_they_are_no_more():
    lister_watcher = a_client(CONFIG_MAPS).resource(CONFIG_MAPS).lister_watcher(metadata_only=True)
    item, _ = lister_watcher.list_page(resource_version="", limit=0, continue_token="").items
    assert (item.kind, item.api_version) == ("PartialObjectMetadata", "meta.k8s.io/v1")
