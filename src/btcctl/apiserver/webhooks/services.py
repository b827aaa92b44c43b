"""Where a Service of a webhook is: as whoever started the server says, or at one of its pods.

There are no addresses of Services here, and nothing that passes connections on: a pod that is ready is called at its
own address, which a sandbox gives it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from btcctl.apiserver.machinery.gofmt import quoted
from btcctl.apiserver.machinery.labels import matches_selector
from btcctl.apiserver.storage.collection import Body
from btcctl.apiserver.storage.store import Store
from btcctl.apiserver.webhooks.calling import ServiceError
from btcctl.objects import ObjectKey


class Services:
    """Thread-safe.

    Attributes:
        known: `NAMESPACE/NAME` to `HOST:PORT`; change it in place.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.known: dict[str, str] = {}

    def resolve(self, namespace: str, name: str, port: int) -> tuple[str, int]:
        """Host and port.

        Raises:
            ServiceError: There is no such Service, or nothing behind it.
        """
        given = self.known.get(f"{namespace}/{name}")
        if given is not None:
            host, _, at = given.rpartition(":")
            return host.strip("[]"), int(at)
        record = self._store.get(("", "services"), ObjectKey(namespace, name))
        if record is None:
            raise ServiceError(f"service {quoted(name)} not found")
        wanted = next((each for each in record.body["spec"].get("ports") or () if each.get("port") == port), None)
        if wanted is None:
            raise ServiceError(f"no service port {port} found for service {quoted(name)}")
        for pod in self._ready_pods(namespace, record.body["spec"].get("selector")):
            target = _target(pod, wanted)
            if target is not None:
                return pod["status"]["podIP"], target
        raise ServiceError(f"no endpoints available for service {quoted(name)}")

    def _ready_pods(self, namespace: str, selector: Mapping[str, str] | None) -> Iterator[Body]:
        for record in self._store.list(("", "pods"), namespace)[0] if selector else ():
            pod = record.body
            status: Mapping[str, Any] = pod.get("status") or {}
            ready = any(
                each.get("type") == "Ready" and each.get("status") == "True" for each in status.get("conditions") or ()
            )
            labels = pod["metadata"].get("labels") or {}
            if ready and status.get("podIP") and matches_selector({"matchLabels": selector}, labels):
                yield pod


def _target(pod: Body, port: Mapping[str, Any]) -> int | None:
    """The port of a pod that a Service's port leads to: its name may be that of a container's."""
    target = port.get("targetPort") or port["port"]
    if isinstance(target, int):
        return target
    found = (
        each["containerPort"]
        for container in pod["spec"]["containers"]
        for each in container.get("ports") or ()
        if each.get("name") == target
    )
    return next(found, None)
