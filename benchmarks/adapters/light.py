"""lightkube: its list, page by page, and its watch, with a dict as the cache."""

from __future__ import annotations

import threading
from typing import Any

import lightkube
from lightkube.config.kubeconfig import Cluster, KubeConfig, User
from lightkube.generic_resource import create_namespaced_resource
from lightkube.resources.core_v1 import Pod
from phases import GROUP, VERSION, Adapter, Probe, arguments

PAGE = 500


class Cache(dict[tuple[str, str], Any]):
    """Objects by namespace and name; tells the probe of each."""

    def __init__(self, probe: Probe) -> None:
        super().__init__()
        self._probe = probe

    def apply(self, type_: str, obj: Any) -> None:
        metadata = obj.metadata
        key = metadata.namespace, metadata.name
        if type_ == "DELETED":
            self.pop(key, None)
        else:
            self[key] = obj
        self._probe.note(key, metadata.resourceVersion)


def main() -> None:
    url, kind = arguments()
    client = lightkube.Client(KubeConfig.from_one(cluster=Cluster(server=url), user=User()).get())
    resource: Any = Pod if kind == "pods" else create_namespaced_resource(GROUP, VERSION, "Widget", kind)
    probe = Probe()
    cache = Cache(probe)

    def follow(version: str) -> None:
        for type_, obj in client.watch(resource, namespace="*", resource_version=version):
            cache.apply(type_, obj)

    def sync() -> None:
        listed = client.list(resource, namespace="*", chunk_size=PAGE)
        for obj in listed:
            cache.apply("ADDED", obj)
        threading.Thread(target=follow, args=(listed.resourceVersion,), daemon=True).start()

    Adapter(kind, [probe], sync, lambda: len(cache)).obey()


if __name__ == "__main__":
    main()
