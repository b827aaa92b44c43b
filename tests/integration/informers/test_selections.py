"""Informers of a factory on real servers: parts of a collection, several namespaces, metadata only, typed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from btcctl.informers.factory import SharedInformerFactory
from btcctl.informers.reflector.transform import drop_managed_fields
from btcctl.objects import ObjectKey
from btcctl.resources import CONFIG_MAPS, NAMESPACES
from btcctl.rest.client import ApiClient
from tests.integration.apiserver.test_process import config_map
from tests.integration.support import eventually


@contextmanager
def running(client: ApiClient, **options: Any) -> Iterator[SharedInformerFactory]:
    factory = SharedInformerFactory(client, **options)
    try:
        yield factory
    finally:
        factory.stop()


def labelled(name: str, **labels: str) -> dict[str, Any]:
    body = config_map(name, text="x" * 1000)
    body["metadata"]["labels"] = labels
    return body


@pytest.mark.parametrize("streaming", [False, True])
def test_of_metadata_only_nothing_else_is_held_and_changes_are_followed(api_server: Any, streaming: bool) -> None:
    client = api_server.client()
    maps = client.resource(CONFIG_MAPS, api_server.namespace)
    maps.create(labelled("a", app="web"))
    with running(client, namespace=api_server.namespace, streaming=streaming) as factory:
        lister = factory.informer(CONFIG_MAPS, metadata_only=True).lister
        factory.start()
        factory.require_sync(60.0)
        maps.create(labelled("b", app="db"))
        eventually(lambda: lister.get(ObjectKey(api_server.namespace, "b")))
        held = {obj.name: obj for obj in lister.list() if obj.labels}
        assert {name: obj.labels for name, obj in held.items()} == {"a": {"app": "web"}, "b": {"app": "db"}}
        assert all("data" not in obj.body() and obj.uid for obj in held.values())


def test_selectors_choose_on_the_server(api_server: Any) -> None:
    client = api_server.client()
    maps = client.resource(CONFIG_MAPS, api_server.namespace)
    for name, app in (("a", "web"), ("b", "db")):
        maps.create(labelled(name, app=app))
    with running(client, namespace=api_server.namespace) as factory:
        web = factory.informer(CONFIG_MAPS, label_selector="app=web").lister
        one = factory.informer(CONFIG_MAPS, field_selector="metadata.name=b").lister
        factory.start()
        factory.require_sync(60.0)
        assert [[obj.name for obj in each.list()] for each in (web, one)] == [["a"], ["b"]]
        maps.patch(ObjectKey(api_server.namespace, "a"), {"metadata": {"labels": {"app": "db"}}})
        eventually(lambda: web.list() == [])


def test_several_namespaces_are_one_cache(api_server: Any) -> None:
    client, mine = api_server.client(), api_server.namespace
    other = f"{mine}-other"
    client.resource(NAMESPACES).create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": other}})
    for namespace in (mine, other):
        client.resource(CONFIG_MAPS, namespace).create(labelled("a", app="web"))
    with running(client) as factory:
        lister = factory.informer(CONFIG_MAPS, namespace=[mine, other], label_selector="app").lister
        factory.start()
        factory.require_sync(60.0)
        assert sorted(lister.keys()) == [ObjectKey(mine, "a"), ObjectKey(other, "a")]
        client.resource(CONFIG_MAPS, other).delete(ObjectKey(other, "a"))
        eventually(lambda: lister.keys() == [ObjectKey(mine, "a")])
    client.resource(NAMESPACES).delete(ObjectKey("", other))


class Text(msgspec.Struct):
    data: dict[str, str]


def test_typed_informers_and_transforms_read_what_a_real_server_sends(api_server: Any) -> None:
    client = api_server.client()
    maps = client.resource(CONFIG_MAPS, api_server.namespace)
    maps.create(labelled("a", app="web"))
    key = ObjectKey(api_server.namespace, "a")
    with running(client, namespace=api_server.namespace) as factory:
        typed = factory.informer_for(Text, CONFIG_MAPS, label_selector="app").lister
        plain = factory.informer(CONFIG_MAPS, label_selector="app").lister
        small = factory.informer(CONFIG_MAPS, label_selector="app", transform=drop_managed_fields, name="small").lister
        factory.start()
        factory.require_sync(60.0)
        assert typed.get(key).data == {"text": "x" * 1000}
        whole, rest = plain.get(key).body(), small.get(key).body()
        assert "managedFields" not in rest["metadata"]
        assert whole["metadata"].pop("managedFields")
        assert whole == rest
