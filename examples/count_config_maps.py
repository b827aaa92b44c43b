"""Keep a config map `config-map-count` in each namespace that says how many others there are.

python examples/count_config_maps.py [NAMESPACE]
"""

from __future__ import annotations

import sys
from typing import Any

from btcctl import (
    ApiClient,
    Controller,
    Manager,
    Object,
    ObjectKey,
    ResourceType,
    Result,
    SharedInformerFactory,
    create_or_update,
    load_config,
    run_until_signal,
)

CONFIG_MAPS = ResourceType("", "v1", "configmaps", "ConfigMap")
COUNTER = "config-map-count"


def build(client: ApiClient, namespace: str = "") -> Manager:
    factory = SharedInformerFactory(client, namespace=namespace)
    config_maps = factory.informer(CONFIG_MAPS)

    def counter_of(config_map: Object) -> list[ObjectKey]:
        return [ObjectKey(config_map.namespace, COUNTER)]

    def reconcile(key: ObjectKey) -> Result:
        count = sum(each.name != COUNTER for each in config_maps.lister.list(key.namespace))
        counter = config_maps.lister.get(key)

        def say_so(body: dict[str, Any]) -> None:
            body["data"] = {"count": str(count)}

        if count or counter is not None:
            create_or_update(client.resource(CONFIG_MAPS), key, say_so, cached=counter)
        return Result()

    controller = Controller("config-map-count", reconcile)
    controller.watch(config_maps, counter_of, type_=CONFIG_MAPS)
    return Manager(factory, [controller])


if __name__ == "__main__":
    run_until_signal(build(ApiClient.from_config(load_config()), *sys.argv[1:2]))
