"""The contestants: each fills a cache from a list, then follows a burst of events.

Run as processes of their own: `python -m benchmarks.clients NAME PORT OBJECTS EVENTS`. Each prints
one JSON line: CPU seconds of its whole process per phase, and its resident memory in MiB.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
from collections.abc import Callable
from pathlib import Path

GROUP, VERSION, PLURAL = "bench.example.org", "v1", "widgets"


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def rss_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


class Phases:
    """Measures sync and burst."""

    def __init__(self) -> None:
        self._began = cpu_seconds()
        self.result: dict[str, float] = {}

    def synced(self) -> None:
        self.result["sync_cpu_s"] = cpu_seconds() - self._began
        self.result["rss_mib"] = rss_mib()
        self._began = cpu_seconds()

    def done(self) -> None:
        self.result["burst_cpu_s"] = cpu_seconds() - self._began


def btcctl_informer(port: int, objects: int, events: int) -> dict[str, float]:
    """Our shared informer, with a handler, through our real transport."""
    from btcctl import ApiClient, HandlerFuncs, Object, ResourceType, SharedInformer
    from btcctl.rest.config import ClientConfig

    client = ApiClient.from_config(ClientConfig(host=f"http://127.0.0.1:{port}", source="benchmark"))
    phases, finished, last = Phases(), threading.Event(), str(objects + events)

    def on_update(_old: Object, new: Object) -> None:
        if new.resource_version == last:
            finished.set()

    informer = SharedInformer(
        client.resource(ResourceType(GROUP, VERSION, PLURAL, "Widget")).lister_watcher(), name="widgets"
    )
    informer.add_handler(HandlerFuncs(on_update=on_update))
    informer.start()
    assert informer.wait_for_sync(60.0)
    phases.synced()
    finished.wait(60.0)
    phases.done()
    informer.stop()
    client.close()
    return phases.result


def official_client(port: int, objects: int, events: int) -> dict[str, float]:
    """kubernetes' own list and Watch, with a dict as the cache: its informer refuses custom resources."""
    import kubernetes

    configuration = kubernetes.client.Configuration(host=f"http://127.0.0.1:{port}")
    api = kubernetes.client.CustomObjectsApi(kubernetes.client.ApiClient(configuration))
    phases = Phases()
    page = api.list_cluster_custom_object(GROUP, VERSION, PLURAL, limit=500)
    cache = {}
    while True:
        cache |= {(o["metadata"]["namespace"], o["metadata"]["name"]): o for o in page["items"]}
        if not page["metadata"]["continue"]:
            break
        page = api.list_cluster_custom_object(GROUP, VERSION, PLURAL, limit=500, _continue=page["metadata"]["continue"])
    assert len(cache) == objects
    phases.synced()
    watch = kubernetes.watch.Watch()
    stream = watch.stream(api.list_cluster_custom_object, GROUP, VERSION, PLURAL, resource_version=str(objects))
    for _ in range(events):
        obj = next(stream)["object"]
        cache[obj["metadata"]["namespace"], obj["metadata"]["name"]] = obj
    watch.stop()
    phases.done()
    return phases.result


CLIENTS: dict[str, Callable[[int, int, int], dict[str, float]]] = {
    "btcctl": btcctl_informer,
    "kubernetes": official_client,
}

if __name__ == "__main__":
    _, name, *numbers = sys.argv
    print(json.dumps(CLIENTS[name](*map(int, numbers))))
