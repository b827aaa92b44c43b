"""The official client: `official.py URL KIND informer|watch`.

`informer` is its SharedInformer over a generated API. That works for built-in kinds only: over
CustomObjectsApi it fails, and over the dynamic client its watch delivers nothing (in the pinned
version). `watch` is a list and its Watch, with a dict as the cache, the way its own examples do it.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import kubernetes
from caches import Cache, items_of, metadata_of
from kubernetes.informer import ADDED, DELETED, MODIFIED, SharedInformer
from phases import GROUP, VERSION, Adapter, Probe, arguments


def informer_adapter(api: Any, kind: str) -> Adapter:
    informer, probe = SharedInformer(api.list_pod_for_all_namespaces), Probe()

    def note(obj: Any) -> None:
        namespace, name, version = metadata_of(obj)
        probe.note((namespace, name), version)

    for event in (ADDED, MODIFIED, DELETED):
        informer.add_event_handler(event, note)

    def sync() -> None:
        """It cannot be asked whether it has synced: it has when every cached object was told."""
        informer.start()
        while not probe.calls or probe.calls < len(informer.cache.list_keys()):
            time.sleep(0.05)

    return Adapter(kind, [probe], sync, lambda: len(informer.cache.list_keys()))


def watch_adapter(api: Any, kind: str) -> Adapter:
    probe = Probe()
    cache = Cache(probe)
    if kind == "pods":
        listing, place = api.list_pod_for_all_namespaces, ()
    else:
        listing, place = api.list_cluster_custom_object, (GROUP, VERSION, kind)

    def follow(version: str) -> None:
        for event in kubernetes.watch.Watch().stream(listing, *place, resource_version=version):
            cache.apply(event["type"], event["object"])

    def sync() -> None:
        items, version = items_of(listing(*place))
        cache.fill(items)
        threading.Thread(target=follow, args=(version,), daemon=True).start()

    return Adapter(kind, [probe], sync, lambda: len(cache))


def main() -> None:
    url, kind = arguments()
    client = kubernetes.client.ApiClient(kubernetes.client.Configuration(host=url))
    api = kubernetes.client.CoreV1Api(client) if kind == "pods" else kubernetes.client.CustomObjectsApi(client)
    make = informer_adapter if sys.argv[3] == "informer" else watch_adapter
    make(api, kind).obey()


if __name__ == "__main__":
    main()
