"""An operator of one page, in one cluster or several: a config map for each greeting."""

from __future__ import annotations

import msgspec

from btcctl import CONFIG_MAPS, App, CustomResource, Metadata, ObjectKey, Result, TypedObject


class GreetingSpec(msgspec.Struct):
    name: str


class GreetingStatus(msgspec.Struct):
    said: bool = False


class Greeting(CustomResource[GreetingSpec, GreetingStatus], group="example.org", version="v1", plural="greetings"):
    """Somebody to be greeted."""


class ConfigMap(TypedObject, resource=CONFIG_MAPS):
    data: dict[str, str] = msgspec.field(default_factory=dict)


def build(app: App) -> None:
    cached, cached_maps = app.clusters.informer(Greeting).lister, app.clusters.informer(ConfigMap).lister

    def reconcile(key: ObjectKey) -> Result:
        greeting = cached.get(key)
        if greeting is None or greeting.deletion_timestamp is not None:
            return Result()
        client = app.clusters.of(key).client
        wanted = ConfigMap(metadata=Metadata(name=greeting.name), data={"text": f"Hello, {greeting.spec.name}!"})
        client.resource(ConfigMap).apply(wanted, owner=greeting, cached=cached_maps.get(key))
        if greeting.status is None:
            app.recorder.event(greeting, "Normal", "Greeted", wanted.data["text"])
        client.resource(Greeting).write_status(greeting, GreetingStatus(said=True))
        return Result()

    app.controller(Greeting).owns(ConfigMap).reconciles(reconcile)


def greeting(name: str = "a", namespace: str = "default") -> Greeting:
    return Greeting.named(name, GreetingSpec("Ada"), namespace=namespace)
