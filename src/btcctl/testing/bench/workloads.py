"""Stand-ins for what a cluster does beside an operator: controllers of workloads, and kubelets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from btcctl.errors import NotFound
from btcctl.objects import Object, ObjectKey
from btcctl.resources import DEPLOYMENTS, PODS, STATEFUL_SETS
from btcctl.rest.client import ApiClient
from btcctl.rest.collection.resource import Resource

_LABELS = "example.btcctl/workload"


class Pods:
    """The pods of one StatefulSet or Deployment.

    Args:
        client: Of the cluster's own parts.
        key: Of the workload.
        settle: Called after each change.
    """

    def __init__(self, client: ApiClient, key: ObjectKey, settle: Callable[[], None]) -> None:
        self._client = client
        self._key = key
        self._settle = settle
        self._pods = client.resource(PODS, key.namespace)

    def ready(self, count: int) -> None:
        """As many pods as the workload asks for, `count` of them ready; and the workload's status says so.

        Raises:
            AssertionError: There is no such StatefulSet or Deployment, or it asks for fewer pods.
        """
        resource, workload = self._workload()
        body = workload.body()
        wanted = body["spec"].get("replicas", 1)
        if count > wanted:
            raise AssertionError(f"{workload.kind} {self._key} asks for {wanted} pods: {count} of them cannot be ready")
        for number in range(wanted):
            self._put(f"{self._key.name}-{number}", body, is_ready=number < count)
        for obj in self._existing():
            if int(obj.name.rpartition("-")[2]) >= wanted:
                self._pods.delete(obj.key, grace_period_seconds=0)
        status = {
            "replicas": wanted,
            "readyReplicas": count,
            "availableReplicas": count,
            "updatedReplicas": wanted,
            "observedGeneration": workload.generation,
        }
        resource.update_status({**body, "status": {**body.get("status", {}), **status}})
        self._settle()

    def names(self) -> list[str]:
        """Of the pods that there are."""
        return sorted(each.name for each in self._existing())

    def _workload(self) -> tuple[Resource, Object]:
        for type_ in (STATEFUL_SETS, DEPLOYMENTS):
            resource = self._client.resource(type_, self._key.namespace)
            try:
                return resource, resource.get(self._key)
            except NotFound:
                continue
        raise AssertionError(f"there is neither a StatefulSet nor a Deployment {self._key}")

    def _existing(self) -> list[Object]:
        pods, _ = self._pods.list(label_selector=f"{_LABELS}={self._key.name}")
        return pods

    def _put(self, name: str, workload: dict[str, Any], *, is_ready: bool) -> None:
        key = ObjectKey(self._key.namespace, name)
        try:
            pod = self._pods.get(key)
        except NotFound:
            pod = self._pods.create(_pod(name, self._key.name, workload))
        body = pod.body()
        ready = {"type": "Ready", "status": "True" if is_ready else "False"}
        phase = "Running" if is_ready else "Pending"
        self._pods.update_status({**body, "status": {**body.get("status", {}), "phase": phase, "conditions": [ready]}})


def _pod(name: str, workload_name: str, workload: dict[str, Any]) -> dict[str, Any]:
    template = workload["spec"]["template"]
    metadata = dict(template.get("metadata") or {})
    labels = {**(metadata.get("labels") or {}), _LABELS: workload_name}
    owner = {
        "apiVersion": workload["apiVersion"],
        "kind": workload["kind"],
        "name": workload["metadata"]["name"],
        "uid": workload["metadata"]["uid"],
        "controller": True,
    }
    return {
        "metadata": {**metadata, "name": name, "labels": labels, "ownerReferences": [owner]},
        "spec": template["spec"],
    }
