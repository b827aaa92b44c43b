"""From an event to the start of its reconcile: a controller of this library, as its documentation makes it.

    reconciler.py URL KIND [busy|elsewhere] [SWITCH_MS]

With `busy`, another controller of the process reconciles all the while and never waits for anything; with `elsewhere`
it has what it computes computed in another process. With a number, the interpreter hands over to another thread after
that many milliseconds instead of 5.
"""

from __future__ import annotations

import sys

from phases import GROUP, VERSION, Adapter, Probe, arguments

from btcctl import (
    ApiClient,
    Controller,
    ControllerOptions,
    Manager,
    ObjectKey,
    ResourceType,
    Result,
    SharedInformerFactory,
    compute,
    logging,
)
from btcctl.rest.config.client_config import ClientConfig

TYPES = {
    "widgets": ResourceType(GROUP, VERSION, "widgets", "Widget"),
    "pods": ResourceType("", "v1", "pods", "Pod"),
}
SPIN = 200_000  # additions: about 10 ms of processor time


def spin() -> int:
    total = 0
    for number in range(SPIN):
        total += number
    return total


def busy_controller(processes: int) -> Controller:
    def reconcile(key: ObjectKey) -> Result:
        compute(spin)
        controller.queue.add(key)
        return Result()

    controller = Controller("busy", reconcile, options=ControllerOptions(workers=1, processes=processes))
    controller.queue.add(ObjectKey("", "busy"))
    return controller


def main() -> None:
    logging.configure("warning")  # and none of it to where the answers go
    url, kind = arguments()
    options = sys.argv[3:]
    factory = SharedInformerFactory(ApiClient.from_config(ClientConfig(host=url, source="benchmark")))
    informer, probe = factory.informer(TYPES[kind]), Probe()

    def reconcile(key: ObjectKey) -> Result:
        obj = informer.lister.get(key)
        probe.note(key, "" if obj is None else obj.resource_version)
        return Result()

    controller = Controller("widgets", reconcile)
    controller.watch(informer)
    busy = {"busy": 0, "elsewhere": 1}
    manager = Manager(factory, [controller, *(busy_controller(busy[each]) for each in options if each in busy)])
    for option in options:
        if option not in busy:
            sys.setswitchinterval(float(option) / 1000)

    def sync() -> None:
        manager.start()
        assert informer.wait_for_sync(300.0), informer.why_unsynced()

    Adapter(kind, [probe], sync, lambda: len(informer.lister)).obey()


if __name__ == "__main__":
    main()
