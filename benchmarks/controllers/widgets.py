"""The operator with btcctl, written as docs/toolkit.md says: `widgets.py KUBECONFIG`.

Each Widget owns one ConfigMap of its name with its spec.value in data.value, and has a status of that value.
"""

from __future__ import annotations

import sys
from typing import Any

from btcctl import (
    ApiClient,
    Controller,
    ControllerOptions,
    Manager,
    ObjectKey,
    ResourceType,
    Result,
    SharedInformerFactory,
    create_or_update,
    generation_changed,
    load_config,
    run_until_signal,
    set_controller,
    write_status,
)
from btcctl.resources import CONFIG_MAPS

WIDGETS = ResourceType("bench.example.org", "v1", "widgets", "Widget")


def build(client: ApiClient) -> Manager:
    factory = SharedInformerFactory(client)
    widgets, config_maps = factory.informer(WIDGETS), factory.informer(CONFIG_MAPS)

    def reconcile(key: ObjectKey) -> Result:
        widget = widgets.lister.get(key)
        if widget is None:
            return Result()
        value = widget.body()["spec"]["value"]

        def mutate(body: dict[str, Any]) -> None:
            body.setdefault("data", {})["value"] = value
            set_controller(body, WIDGETS, widget)

        create_or_update(client.resource(CONFIG_MAPS, key.namespace), key, mutate, cached=config_maps.lister.get(key))
        status = {"value": value, "observedGeneration": widget.generation}
        write_status(client.resource(WIDGETS, key.namespace), widget, status)
        return Result()

    controller = (
        Controller.for_(WIDGETS, generation_changed)
        .owns(CONFIG_MAPS)
        .build("widgets", reconcile, factory, options=ControllerOptions(workers=8))
    )
    return Manager(factory, [controller])


if __name__ == "__main__":
    run_until_signal(build(ApiClient.from_config(load_config(environ={"KUBECONFIG": sys.argv[1]}))))
