"""What the StatefulSet controller and the kubelets would do, when a test says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import Any

from btcctl.bitcoin.children import NETWORK_LABEL
from btcctl.bitcoin.pod_template import SYNCED_GATE
from btcctl.errors import Conflict, NotFound
from btcctl.objects import Object, ObjectKey
from btcctl.resources import PODS, STATEFUL_SETS
from btcctl.rest.client import ApiClient
from tests.unit.bitcoin.builders import pod_body
from tests.unit.bitcoin.fake_mesh import FakeMesh


class PodRunner:
    """Runs the pods of one network, each with a node in a fake mesh.

    Args:
        key: The network.
        first: Where its addresses begin, if another network has those before.
    """

    def __init__(self, client: ApiClient, mesh: FakeMesh, key: ObjectKey, first: int = 0) -> None:
        self._client = client
        self._mesh = mesh
        self._key = key
        self._addresses: Iterator[str] = (f"10.0.{number // 250}.{number % 250 + 1}" for number in count(first))

    def run_all(self, replicas: int | None = None) -> None:
        """Make the pods that the StatefulSet asks for, take away those it does not; all are ready."""
        stateful_set = self._client.resource(STATEFUL_SETS).get(self.stateful_set_key).body()
        wanted = stateful_set["spec"]["replicas"] if replicas is None else replicas
        for pod in self.list():
            if int(pod.name.rpartition("-")[2]) >= wanted:
                self.delete(int(pod.name.rpartition("-")[2]))
        there = {pod.name for pod in self.list()}
        for ordinal in range(wanted):
            if self.pod_key(ordinal).name not in there:
                self.run(stateful_set, ordinal)

    def run(self, stateful_set: dict[str, Any], ordinal: int, *, ready: bool = True) -> str:
        """Make one pod; return its address."""
        address = next(self._addresses)
        body = pod_body(stateful_set, ordinal, address, ready=ready)
        created = self._client.resource(PODS, self._key.namespace).create(body)
        self._mesh.start(address)
        self._client.resource(PODS).update_status({**created.body(), "status": body["status"]})
        return address

    def delete(self, ordinal: int, *, quietly: bool = False) -> str:
        """Gracefully the connections close; `quietly`, the machine is lost. Returns the old address."""
        address = self.address(ordinal)
        self._mesh.stop(address, quietly=quietly)
        self._client.resource(PODS).delete(self.pod_key(ordinal), grace_period_seconds=0)
        return address

    def let_in(self, ordinal: int) -> None:
        """Open a pod's readiness gate, as the operator does, and be its kubelet."""
        self._set(self._client.resource(PODS).get(self.pod_key(ordinal)).body(), SYNCED_GATE)
        self.heed_gates()

    def heed_gates(self) -> None:
        """What a kubelet does once a readiness gate is open."""
        for pod in self.list():
            body = pod.body()
            has = {each["type"] for each in body["status"].get("conditions") or () if each["status"] == "True"}
            if {SYNCED_GATE, "ContainersReady"} <= has and "Ready" not in has:
                with suppress(Conflict, NotFound):  # the operator was first, or the pod is gone: a kubelet looks again
                    self._set(body, "Ready")

    def _set(self, body: dict[str, Any], type_: str) -> None:
        others = [each for each in body["status"]["conditions"] if each["type"] != type_]
        conditions = [*others, {"type": type_, "status": "True"}]
        self._client.resource(PODS).update_status({**body, "status": {**body["status"], "conditions": conditions}})

    def is_ready(self, ordinal: int) -> bool:
        body = self._client.resource(PODS).get(self.pod_key(ordinal)).body()
        return any((each["type"], each["status"]) == ("Ready", "True") for each in body["status"]["conditions"])

    def address(self, ordinal: int) -> str:
        return str(self._client.resource(PODS).get(self.pod_key(ordinal)).body()["status"]["podIP"])

    def list(self) -> list[Object]:
        selector = f"{NETWORK_LABEL}={self._key.name}"
        return self._client.resource(PODS, self._key.namespace).list(label_selector=selector)[0]

    def pod_key(self, ordinal: int) -> ObjectKey:
        return ObjectKey(self._key.namespace, f"{self._key.name}-sts-{ordinal}")

    @property
    def stateful_set_key(self) -> ObjectKey:
        return ObjectKey(self._key.namespace, f"{self._key.name}-sts")

    def is_asked_for(self) -> bool:
        """Whether the StatefulSet exists."""
        try:
            self._client.resource(STATEFUL_SETS).get(self.stateful_set_key)
        except NotFound:
            return False
        return True
