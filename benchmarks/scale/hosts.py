"""The pods of all networks, and their nodes: `python -m benchmarks.scale.hosts KUBECONFIG`.

Does what StatefulSet controller and kubelets would do, as far as the API server shows it: a pod for each replica, with
an address of its own and running at once. Says its port, then answers on standard input:

    asked    how many nodes were asked since `forget`; all reads, all writes
    forget   the same, and forgets which nodes were asked
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from benchmarks.scale.nodes import Nodes, addresses, serve
from btcctl import (
    ApiClient,
    Controller,
    ControllerOptions,
    Manager,
    NotFound,
    Object,
    ObjectKey,
    Result,
    SharedInformerFactory,
    load_config,
)
from btcctl.bitcoin.children import NETWORK_LABEL
from btcctl.bitcoin.pod_template import SYNCED_GATE
from btcctl.errors import AlreadyExists
from btcctl.resources import PODS, STATEFUL_SETS

_BY_SET = "set"


class Hosts:
    """A reconciler of StatefulSets; each has its pods made, and let in when the operator has said so."""

    def __init__(self, client: ApiClient, nodes: Nodes) -> None:
        self._factory = SharedInformerFactory(client)
        self._sets = self._factory.informer(STATEFUL_SETS)
        self._live = self._factory.informer(PODS, label_selector=NETWORK_LABEL)
        self._live.add_index(_BY_SET, lambda pod: [str(each) for each in _owner(pod)])
        self._client = client
        self._nodes = nodes
        self._addresses: Iterator[str] = addresses()
        self._lock = threading.Lock()

    def manager(self) -> Manager:
        builder = Controller.for_(STATEFUL_SETS, informer=self._sets).watches(PODS, _owner, informer=self._live)
        options = ControllerOptions(workers=4)
        return Manager(self._factory, [builder.build("hosts", self.reconcile, self._factory, options=options)])

    def reconcile(self, key: ObjectKey) -> Result:
        found = self._sets.lister.get(key)
        body = {"spec": {"replicas": 0}} if found is None else found.body()
        wanted = {f"{key.name}-{ordinal}" for ordinal in range(body["spec"]["replicas"])}
        pods = {pod.name: pod for pod in self._live.lister.by_index(_BY_SET, str(key))}
        for name in wanted - pods.keys():
            self._run(body, name)
        for name in pods.keys() - wanted:
            self._end(pods[name])
        for name in pods.keys() & wanted:
            self._heed_gate(pods[name])
        return Result()

    def _run(self, stateful_set: dict[str, Any], name: str) -> None:
        with self._lock:
            address = next(self._addresses)
        meta, template = stateful_set["metadata"], stateful_set["spec"]["template"]
        owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": meta["name"], "uid": meta["uid"]}
        metadata = {**template["metadata"], "name": name, "namespace": meta["namespace"]}
        metadata["ownerReferences"] = [{**owner, "controller": True, "blockOwnerDeletion": True}]
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
        try:
            created = self._client.resource(PODS, meta["namespace"]).create(pod).body()
        except AlreadyExists:
            return  # the cache lags behind
        self._nodes.start(address)
        status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "hostIP": "127.0.0.1"}
        started = {"name": "bitcoind", "ready": True, "restartCount": 0, "image": "i", "imageID": "i", "started": True}
        started["state"] = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
        conditions = [_true(each) for each in ("PodScheduled", "Initialized", "ContainersReady")]
        gates = template["spec"].get("readinessGates")
        status |= {"containerStatuses": [started], "conditions": conditions if gates else [*conditions, _true("Ready")]}
        self._client.resource(PODS).update_status({**created, "status": status})

    def _end(self, pod: Object) -> None:
        self._nodes.stop(str(pod.body()["status"].get("podIP")))
        with suppress(NotFound):
            self._client.resource(PODS).delete(pod.key, grace_period_seconds=0)

    def _heed_gate(self, pod: Object) -> None:
        body = pod.body()
        conditions = body["status"].get("conditions") or []
        has = {each["type"] for each in conditions}
        if SYNCED_GATE in has and "Ready" not in has:
            patch = {"status": {"conditions": [*conditions, _true("Ready")]}}
            self._client.resource(PODS).patch(pod.key, patch, subresource="status")


def _owner(pod: Object) -> list[ObjectKey]:
    return [ObjectKey(pod.namespace, pod.controller.name)] if pod.controller is not None else []


def _true(type_: str) -> dict[str, str]:
    return {"type": type_, "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}


def _obey(nodes: Nodes) -> None:
    for line in sys.stdin:
        if line.strip() == "forget":
            nodes.asked = set()
        print("asked", len(nodes.asked), nodes.reads, nodes.writes, flush=True)


def main() -> None:
    nodes = Nodes()
    manager = Hosts(ApiClient.from_config(load_config(environ={"KUBECONFIG": sys.argv[1]})), nodes).manager()
    manager.start()
    threading.Thread(target=_obey, args=(nodes,), daemon=True).start()
    asyncio.run(serve(nodes, lambda port: print("port", port, flush=True)))


if __name__ == "__main__":
    main()
