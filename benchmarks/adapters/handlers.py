"""kopf with an `on.event` handler, the cheapest it has. It keeps no cache of objects.

The handler is a coroutine, as kopf recommends; posting of Kubernetes events and the scan for
namespaces and CRDs are off, because the load generator has neither.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from typing import Any

import kopf
from phases import GROUP, VERSION, Adapter, Probe, arguments

OBJECTS = int(os.environ["BENCH_OBJECTS"])


def main() -> None:
    url, kind = arguments()
    probe, synced = Probe(), threading.Event()
    logging.getLogger("kopf").setLevel(logging.ERROR)
    place = ("v1", "pods") if kind == "pods" else (f"{GROUP}/{VERSION}", kind)

    @kopf.on.startup()
    async def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
        settings.posting.enabled = False
        settings.scanning.disabled = True

    @kopf.on.login()
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return kopf.ConnectionInfo(server=url)

    @kopf.on.event(*place)
    async def note(body: kopf.Body, **_: Any) -> None:
        metadata = body["metadata"]
        probe.note((metadata["namespace"], metadata["name"]), metadata["resourceVersion"])
        if probe.calls == OBJECTS:
            synced.set()

    def sync() -> None:
        run = kopf.operator(clusterwide=True, standalone=True)
        threading.Thread(target=lambda: asyncio.run(run), daemon=True).start()
        synced.wait()

    Adapter(kind, [probe], sync, lambda: OBJECTS).obey()


if __name__ == "__main__":
    main()
