"""This library's shared informer, as its documentation makes it."""

from __future__ import annotations

import gc
import time
from statistics import median

import msgspec
from phases import GROUP, HANDLERS, VERSION, Adapter, Probe, arguments

from btcctl import ApiClient, Deleted, HandlerFuncs, Object, ResourceType, SharedInformer
from btcctl.rest.config.client_config import ClientConfig

TYPES = {
    "widgets": ResourceType(GROUP, VERSION, "widgets", "Widget"),
    "pods": ResourceType("", "v1", "pods", "Pod"),
}
READS = 20_000


class _Frame(msgspec.Struct, gc=False):
    metadata: msgspec.Raw
    spec: msgspec.Raw
    status: msgspec.Raw


def handler(probe: Probe) -> HandlerFuncs:
    def on_add(obj: Object, _in_initial_list: bool) -> None:
        probe.note(obj.key, obj.resource_version)

    def on_update(_old: Object, new: Object) -> None:
        probe.note(new.key, new.resource_version)

    def on_delete(deleted: Deleted) -> None:
        probe.note(deleted.key, "")

    return HandlerFuncs(on_add, on_update, on_delete)


def main() -> None:
    url, kind = arguments()
    client = ApiClient.from_config(ClientConfig(host=url, source="benchmark"))
    informer = SharedInformer(client.resource(TYPES[kind]).lister_watcher(), name=kind)
    probes = [Probe() for _ in range(HANDLERS)]
    registrations = [informer.add_handler(handler(probe)) for probe in probes]

    def sync() -> None:
        informer.start()
        assert informer.wait_for_sync(300.0), informer.why_unsynced()
        assert all(each.wait_for_sync(300.0) for each in registrations)

    def reads() -> dict[str, float]:
        """Microseconds of CPU to get an object from the lister and decode all of it; and for the whole body typed."""
        lister = informer.lister
        keys = lister.keys()
        keys = (keys * (READS // len(keys) + 1))[:READS]
        began = time.process_time_ns()
        for key in keys:
            lister.get(key).body()  # type: ignore[union-attr]
        read_at = time.process_time_ns()
        for key in keys:
            lister.get(key).decode(_Frame)  # type: ignore[union-attr]
        typed_at = time.process_time_ns()
        for key in keys:
            lister.get(key)
        done_at = time.process_time_ns()
        per_read = {"body_us": read_at - began, "typed_us": typed_at - read_at, "get_us": done_at - typed_at}
        return {name: spent / 1000 / READS for name, spent in per_read.items()}

    def collection() -> dict[str, float]:
        """Milliseconds of a full garbage collection: processor time, or others' turns would count."""
        gc.collect()
        spent = []
        for _ in range(5):
            began = time.thread_time()
            gc.collect()
            spent.append((time.thread_time() - began) * 1000)
        return {"gc_ms": median(spent)}

    adapter = Adapter(kind, probes, sync, lambda: len(informer.lister))
    adapter.more = {"reads": reads, "gc": collection}
    adapter.obey()


if __name__ == "__main__":
    main()
