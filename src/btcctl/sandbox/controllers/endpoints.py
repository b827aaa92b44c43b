"""Keeps the Endpoints and EndpointSlices of Services: a controller on this toolkit, as kube-controller-manager has two.

The addresses are the pods' own; a Service's address leads nowhere here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from btcctl.apiserver.machinery.labels import matches_selector
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.controller.controller import Controller
from btcctl.controller.keys.handlers import owner_keys
from btcctl.controller.reconciling.result import Result
from btcctl.controller.writing.fields import set_fields
from btcctl.controller.writing.writes import NotControlled, create_or_update, set_controller
from btcctl.errors import AlreadyExists, Conflict, NotFound
from btcctl.informers.cache.lister import Lister
from btcctl.informers.factory import SharedInformerFactory
from btcctl.logging import get_logger
from btcctl.objects import Object, ObjectKey
from btcctl.resources import ENDPOINT_SLICES, ENDPOINTS, PODS, SERVICES
from btcctl.rest.client import ApiClient
from btcctl.sandbox.controllers.claims import by_controller
from btcctl.sandbox.controllers.template_hash import template_hash
from btcctl.workqueue.rate_limiters import ItemExponentialRateLimiter

logger = get_logger(__name__)

CONTROLLER_INDEX = "controller"
SERVICE_LABEL = "kubernetes.io/service-name"
MANAGER_LABEL, MANAGER = "endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io"
STALE_RETRY_SECONDS = 0.1  # our copy is old: the new one is on its way
RETRY_CAP_SECONDS = 5.0  # a person is watching
_HASH_LETTERS = 5


class Group(NamedTuple):
    """What pods have in common that are in one slice."""

    family: str
    ports: tuple[tuple[str, int, str], ...] = ()  #: name, number and protocol


Groups = Mapping[Group, Sequence[Mapping[str, Any]]]


def build_endpoint_controller(
    client: ApiClient, factory: SharedInformerFactory, *, clock: Clock = SYSTEM_CLOCK
) -> Controller:
    """Wire the keeper to its informers.

    Args:
        factory: Not started yet, because an index is added to its informers.
    """
    services, pods, slices = (factory.informer(each) for each in (SERVICES, PODS, ENDPOINT_SLICES))
    slices.add_index(CONTROLLER_INDEX, by_controller)
    keeper = EndpointKeeper(client, services.lister, pods.lister, slices.lister)
    rate_limiter = ItemExponentialRateLimiter[ObjectKey](cap=RETRY_CAP_SECONDS)
    controller = Controller("endpoints", keeper.reconcile, clock=clock, rate_limiter=rate_limiter)
    controller.watch(services)
    controller.watch(pods, keeper.keys_of_pod)
    controller.watch(slices, owner_keys(SERVICES))
    return controller


class EndpointKeeper:
    """Level-triggered: looks at one Service and the pods it selects.

    Args:
        slices: A cache with the index `CONTROLLER_INDEX`.
    """

    def __init__(self, client: ApiClient, services: Lister, pods: Lister, slices: Lister) -> None:
        self._services = services
        self._pods = pods
        self._cache = slices
        self._slices = client.resource(ENDPOINT_SLICES)
        self._endpoints = client.resource(ENDPOINTS)

    def keys_of_pod(self, pod: Object) -> list[ObjectKey]:
        """The Services that select it."""
        return [each.key for each in self._services.list(pod.namespace) if _selects(each.body(), pod)]

    def reconcile(self, key: ObjectKey) -> Result:
        """Bring the Service's endpoints up to date; those of one that is gone go with it."""
        service = self._services.get(key)
        if service is None:
            self._delete_endpoints(key)
            return Result()
        body = service.body()
        if service.deletion_timestamp is not None or not body["spec"].get("selector"):
            return Result()
        pods = [pod.body() for pod in self._pods.list(key.namespace) if _selects(body, pod)]
        try:
            self._write(service, body, grouped(body, pods))
        except NotControlled as error:
            logger.debug("not ours", error=str(error))
        except AlreadyExists:
            raise
        except (Conflict, NotFound):
            return Result(requeue_after=STALE_RETRY_SECONDS)
        return Result()

    def _write(self, service: Object, body: Mapping[str, Any], groups: Groups) -> None:
        wanted = {name: each for each in build_slices(body, groups) if (name := each["metadata"]["name"])}
        known = {each.name: each for each in self._cache.by_index(CONTROLLER_INDEX, service.uid)}
        for name, slice_ in wanted.items():

            def mutate(made: dict[str, Any], slice_: Mapping[str, Any] = slice_) -> None:
                set_fields(made, slice_)
                set_controller(made, SERVICES, service)

            create_or_update(self._slices, ObjectKey(service.namespace, name), mutate, cached=known.get(name))
        for name in known.keys() - wanted.keys():
            self._slices.delete(known[name].key, uid=known[name].uid)
        labels = body["metadata"].get("labels") or {}
        endpoints = {"metadata": {"labels": labels} if labels else {}, "subsets": build_subsets(body, groups)}
        create_or_update(self._endpoints, service.key, lambda made: set_fields(made, endpoints))

    def _delete_endpoints(self, key: ObjectKey) -> None:
        try:
            self._endpoints.delete(key)
        except NotFound:
            return


def grouped(service: Mapping[str, Any], pods: Iterable[Mapping[str, Any]]) -> dict[Group, list[Mapping[str, Any]]]:
    """The pods that have an address, by its family and the ports that the Service means on them."""
    groups: dict[Group, list[Mapping[str, Any]]] = {}
    for pod in sorted(pods, key=lambda each: str(each["metadata"]["name"])):
        status = pod.get("status") or {}
        if status.get("podIP") and status.get("phase") not in {"Succeeded", "Failed"}:
            family = "IPv6" if ":" in status["podIP"] else "IPv4"
            groups.setdefault(Group(family, _ports(service, pod)), []).append(pod)
    return groups


def build_slices(service: Mapping[str, Any], groups: Groups) -> list[dict[str, Any]]:
    """The slices, without their owner; one without endpoints if there are no pods."""
    return [_build_slice(service, group, groups[group]) for group in sorted(groups)] or [
        _build_slice(service, Group("IPv4"), ())
    ]


def _build_slice(service: Mapping[str, Any], group: Group, pods: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    metadata = service["metadata"]
    content = {"uid": metadata["uid"], "family": group.family, "ports": [list(each) for each in group.ports]}
    suffix = template_hash(content)[:_HASH_LETTERS]
    labels = {**(metadata.get("labels") or {}), SERVICE_LABEL: metadata["name"], MANAGER_LABEL: MANAGER}
    return {
        "metadata": {"name": f"{metadata['name']}-{suffix}", "namespace": metadata["namespace"], "labels": labels},
        "addressType": group.family,
        "endpoints": [_endpoint(service, pod) for pod in pods],
        "ports": [{"name": name, "port": port, "protocol": protocol} for name, port, protocol in group.ports],
    }


def _endpoint(service: Mapping[str, Any], pod: Mapping[str, Any]) -> dict[str, Any]:
    serving, terminating = _is_ready(pod), bool(pod["metadata"].get("deletionTimestamp"))
    ready = bool(service["spec"].get("publishNotReadyAddresses")) or (serving and not terminating)
    spec = pod["spec"]
    named = spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]
    return {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
        **({"hostname": spec["hostname"]} if named else {}),
        **({"nodeName": spec["nodeName"]} if spec.get("nodeName") else {}),
        "targetRef": _reference(pod),
    }


def build_subsets(service: Mapping[str, Any], groups: Groups) -> list[dict[str, Any]]:
    """The same as Endpoints have it."""
    subsets = []
    for group in sorted(groups):
        ready: list[dict[str, Any]] = []
        unready: list[dict[str, Any]] = []
        for pod in groups[group]:
            endpoint = _endpoint(service, pod)
            address = {"ip": endpoint["addresses"][0], "targetRef": endpoint["targetRef"]}
            address |= {name: endpoint[name] for name in ("hostname", "nodeName") if name in endpoint}
            (ready if endpoint["conditions"]["ready"] else unready).append(address)
        subset: dict[str, Any] = {"addresses": ready} if ready else {}
        subset |= {"notReadyAddresses": unready} if unready else {}
        named = [
            {**({"name": name} if name else {}), "port": port, "protocol": kind} for name, port, kind in group.ports
        ]
        subsets.append({**subset, "ports": named} if named else subset)
    return subsets


def _ports(service: Mapping[str, Any], pod: Mapping[str, Any]) -> tuple[tuple[str, int, str], ...]:
    found = []
    for each in service["spec"].get("ports") or ():
        protocol = each.get("protocol", "TCP")
        number = _number(each.get("targetPort") or each["port"], protocol, pod)
        if number is not None:
            found.append((each.get("name", ""), number, protocol))
    return tuple(found)


def _number(target: int | str, protocol: str, pod: Mapping[str, Any]) -> int | None:
    """The number of a target port, which may be the name of a container's; None if no container has it."""
    if isinstance(target, int):
        return target
    for container in pod["spec"]["containers"]:
        for each in container.get("ports") or ():
            if (each.get("name"), each.get("protocol", "TCP")) == (target, protocol):
                return int(each["containerPort"])
    return None


def _is_ready(pod: Mapping[str, Any]) -> bool:
    conditions = pod["status"].get("conditions") or ()
    return any((each.get("type"), each.get("status")) == ("Ready", "True") for each in conditions)


def _reference(pod: Mapping[str, Any]) -> dict[str, str]:
    metadata = pod["metadata"]
    return {"kind": "Pod", "name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"]}


def _selects(service: Mapping[str, Any], pod: Object) -> bool:
    selector = service["spec"].get("selector")
    return bool(selector) and matches_selector({"matchLabels": selector}, pod.labels)
