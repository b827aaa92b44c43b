"""An operator on this toolkit: copies each config map's value into an annotation; asks the server each second."""

from __future__ import annotations

import sys

from btcctl import (
    ApiClient,
    Controller,
    Manager,
    ObjectKey,
    Result,
    SharedInformerFactory,
    load_config,
    run_until_signal,
)
from btcctl.resources import CONFIG_MAPS

NAMESPACE, ANNOTATION = sys.argv[1:]


def main() -> None:
    client = ApiClient.from_config(load_config())
    maps = client.resource(CONFIG_MAPS, NAMESPACE)
    factory = SharedInformerFactory(client, namespace=NAMESPACE)
    lister = factory.informer(CONFIG_MAPS).lister

    def reconcile(key: ObjectKey) -> Result:
        cached = lister.get(key)
        if cached is None:
            return Result()
        value = (cached.body().get("data") or {}).get("value")
        if value and cached.annotations.get(ANNOTATION) != value:
            maps.patch(key, {"metadata": {"annotations": {ANNOTATION: value}}})
        maps.get(key)  # so that keys fail while there is no server
        return Result(requeue_after=1.0)

    controller = Controller.for_(CONFIG_MAPS).build("copies", reconcile, factory)
    run_until_signal(Manager(factory, [controller]))


if __name__ == "__main__":
    main()
