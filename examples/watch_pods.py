"""Print what happens to pods, until Ctrl-C.

    python examples/watch_pods.py [NAMESPACE]

The informer lists once, then watches, and goes on by itself whatever happens to the connection. What it
holds can be read at any time, without asking the server.
"""

from __future__ import annotations

import sys

from btcctl import (
    PODS,
    ApiClient,
    Deleted,
    HandlerFuncs,
    Manager,
    Object,
    SharedInformerFactory,
    drop_managed_fields,
    load_config,
    run_until_signal,
)


def main(namespace: str = "") -> None:
    client = ApiClient.from_config(load_config())
    factory = SharedInformerFactory(client, namespace=namespace, transform=drop_managed_fields)
    pods = factory.informer(PODS)

    def on_add(pod: Object, in_initial_list: bool) -> None:
        print(f"{'there is' if in_initial_list else 'new'} {describe(pod)}")

    def on_update(old: Object, new: Object) -> None:
        if describe(old) != describe(new):
            print(f"now {describe(new)}")

    def on_delete(deleted: Deleted) -> None:
        print(f"gone {deleted.key} ({len(pods.lister)} left)")

    pods.add_handler(HandlerFuncs(on_add, on_update, on_delete))
    run_until_signal(Manager(factory, []))


def describe(pod: Object) -> str:
    status = pod.body().get("status", {})
    return f"{pod.key}: {status.get('phase', 'Unknown')} {status.get('podIP', '')}".rstrip()


if __name__ == "__main__":
    main(*sys.argv[1:2])
