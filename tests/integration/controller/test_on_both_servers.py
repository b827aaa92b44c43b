"""A controller that copies ConfigMaps, on servers that end, refuse and come back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from btcctl.controller.controller import Controller
from btcctl.controller.keys.handlers import owner_keys
from btcctl.controller.manager import Manager
from btcctl.controller.reconciling.result import Result
from btcctl.errors import AlreadyExists, BtcctlError, NotFound
from btcctl.informers.factory import SharedInformerFactory
from btcctl.objects import Object, ObjectKey
from btcctl.resources import CONFIG_MAPS
from btcctl.rest.client import ApiClient
from btcctl.rest.collection.resource import Resource
from btcctl.threads import Runner, Stop
from btcctl.workqueue.rate_limiters import ItemExponentialRateLimiter
from tests.integration.api_servers import ALICE
from tests.integration.apiserver.test_process import config_map
from tests.integration.support import eventually

RECOVERY_SECONDS = 60.0
SUFFIX = "-copy"


class Copier:
    """Keeps a copy of each ConfigMap whose name begins with `source`."""

    def __init__(self, client: ApiClient, namespace: str) -> None:
        self.factory = SharedInformerFactory(client, namespace=namespace)
        maps = self.factory.informer(CONFIG_MAPS)
        self.cache = maps.lister
        self.writes = 0
        self._maps = client.resource(CONFIG_MAPS, namespace)
        limiter = ItemExponentialRateLimiter[ObjectKey](cap=1.0)
        self.controller = Controller("copier", self.reconcile, rate_limiter=limiter)
        self.controller.watch(maps)
        self.controller.watch(maps, owner_keys(CONFIG_MAPS))

    def reconcile(self, key: ObjectKey) -> Result:
        source = self.cache.get(key)
        if source is None or not key.name.startswith("source") or key.name.endswith(SUFFIX):
            return Result()
        data = source.body().get("data", {})
        copy = self.cache.get(ObjectKey(key.namespace, key.name + SUFFIX))
        if copy is None:
            self._create(source, data)
        elif copy.body().get("data", {}) != data:
            self._maps.update({**copy.body(), "data": data})
            self.writes += 1
        return Result()

    def _create(self, source: Object, data: dict[str, str]) -> None:
        owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": source.name, "uid": source.uid, "controller": True}
        metadata = {"name": source.name + SUFFIX, "ownerReferences": [owner]}
        with suppress(AlreadyExists):  # the cache will show it
            self._maps.create({"metadata": metadata, "data": data})
            self.writes += 1


@contextmanager
def copying(client: ApiClient, namespace: str) -> Iterator[Copier]:
    copier = Copier(client, namespace)
    manager = Manager(copier.factory, [copier.controller])
    manager.start()
    try:
        yield copier
    finally:
        manager.stop()


def uncopied(maps: Resource) -> dict[str, Any]:
    """Sources whose copies are not (yet) like them."""
    data = {each.name: each.body().get("data", {}) for each in maps.list()[0]}
    sources = {name for name in data if name.startswith("source") and not name.endswith(SUFFIX)}
    return {name: data.get(name + SUFFIX) for name in sources if data.get(name + SUFFIX) != data[name]}


class Changing:
    """Makes sources and changes them, whether the server is there or not."""

    def __init__(self, maps: Resource) -> None:
        self._maps = maps
        self.done = 0
        self._runner = Runner("changing", self._run)

    def __enter__(self) -> Changing:
        self._runner.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.stop(30.0)

    def _run(self, stop: Stop) -> None:
        number = 0
        while not stop.wait(0.01):
            number += 1
            with suppress(BtcctlError):
                created = self._maps.create(config_map(f"source{number}", n="0"))
                self._maps.patch(created.key, {"data": {"n": str(number)}})
                self.done += 1


@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_a_server_that_ends_and_comes_back_leaves_no_object_unreconciled(lasting_api_server: Any, end: str) -> None:
    client, namespace = lasting_api_server.client(), lasting_api_server.namespace
    maps = client.resource(CONFIG_MAPS, namespace)
    with copying(client, namespace) as copier:
        with Changing(maps) as changing:
            eventually(lambda: changing.done >= 10)
            getattr(lasting_api_server, end)()
            before = changing.done
            lasting_api_server.restart()
            eventually(lambda: changing.done >= before + 10, RECOVERY_SECONDS)
        eventually(lambda: not uncopied(maps), RECOVERY_SECONDS)
        eventually(copier.controller.queue.idle)


def test_what_somebody_else_breaks_is_mended_by_the_event_and_then_there_is_peace(api_server: Any) -> None:
    client, namespace = api_server.client(), api_server.namespace
    maps = client.resource(CONFIG_MAPS, namespace)
    source, copy = maps.create(config_map("source", k="v")), ObjectKey(namespace, "source" + SUFFIX)
    with copying(client, namespace) as copier:
        eventually(lambda: exists(maps, copy))
        maps.patch(copy, {"data": {"k": "broken"}})
        eventually(lambda: maps.get(copy).body()["data"] == {"k": "v"})
        maps.delete(copy)
        eventually(lambda: exists(maps, copy) and copier.writes == 3)
        maps.patch(source.key, {"metadata": {"labels": {"touched": "yes"}}})  # a reason to look, not to write
        eventually(lambda: "touched" in (copier.cache.get(source.key) or source).labels)
        eventually(copier.controller.queue.idle)
        assert copier.writes == 3


def test_a_controller_without_permission_waits_for_it(api_server: Any) -> None:
    client, namespace = api_server.client(ALICE), api_server.namespace
    api_server.client().resource(CONFIG_MAPS, namespace).create(config_map("other", k="v"))
    with copying(client, namespace) as copier:
        (informer,) = copier.factory.informers
        eventually(lambda: "403" in str(informer.last_error))
        api_server.allow(CONFIG_MAPS)
        eventually(lambda: copier.cache.get(ObjectKey(namespace, "other")) is not None)


def exists(maps: Resource, key: ObjectKey) -> bool:
    try:
        maps.get(key)
    except NotFound:
        return False
    return True
