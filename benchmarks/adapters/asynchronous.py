"""kubernetes_asyncio: a list and its Watch, with a dict as the cache, the way its own examples do it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from caches import Cache, items_of
from kubernetes_asyncio import client, watch
from phases import GROUP, VERSION, Adapter, Probe, arguments


async def follow(url: str, kind: str, cache: Cache, synced: threading.Event) -> None:
    async with client.ApiClient(client.Configuration(host=url)) as api:
        listing: Any = client.CustomObjectsApi(api).list_cluster_custom_object
        place: tuple[str, ...] = (GROUP, VERSION, kind)
        if kind == "pods":
            listing, place = client.CoreV1Api(api).list_pod_for_all_namespaces, ()
        items, version = items_of(await listing(*place))
        cache.fill(items)
        del items
        synced.set()
        async with watch.Watch().stream(listing, *place, resource_version=version) as stream:
            async for event in stream:
                cache.apply(event["type"], event["object"])


def main() -> None:
    url, kind = arguments()
    probe, synced = Probe(), threading.Event()
    cache = Cache(probe)

    def sync() -> None:
        threading.Thread(target=lambda: asyncio.run(follow(url, kind, cache, synced)), daemon=True).start()
        synced.wait()

    Adapter(kind, [probe], sync, lambda: len(cache)).obey()


if __name__ == "__main__":
    main()
