"""The few facts about a pod that the operator goes by. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from btcctl.bitcoin.children import pod_dns_name, stateful_set_name
from btcctl.bitcoin.topology import Member, is_bare
from btcctl.bitcoin.types import BitcoinNetwork, NodeStatus
from btcctl.objects import Object


class _PodCondition(msgspec.Struct, gc=False):
    type: str = ""
    status: str = ""


class _PodStatus(msgspec.Struct, gc=False):
    pod_ip: str = msgspec.field(name="podIP", default="")
    conditions: list[_PodCondition] | None = None


class _PodSpec(msgspec.Struct, gc=False, rename="camel"):
    node_name: str = ""


class _Pod(msgspec.Struct, gc=False):
    spec: _PodSpec = msgspec.field(default_factory=_PodSpec)
    status: _PodStatus = msgspec.field(default_factory=_PodStatus)


@dataclass(frozen=True, slots=True)
class NodePod:
    """One pod of a network."""

    ordinal: int
    address: str  #: "" while it has none
    kube_node: str  #: "" while it is not scheduled
    ready: bool  #: the Ready condition, and an address, and not on its way out
    terminating: bool


def read_pods(network: BitcoinNetwork, pods: Iterable[Object], stateful_set_uid: str) -> list[NodePod]:
    """The pods that this very StatefulSet controls, by ordinal."""
    prefix = f"{stateful_set_name(network.name)}-"
    mine = (pod for pod in pods if pod.controller is not None and pod.controller.uid == stateful_set_uid)
    found = [_read(pod, int(pod.name.removeprefix(prefix))) for pod in mine if _has_ordinal(pod.name, prefix)]
    return sorted(found, key=lambda pod: pod.ordinal)


def members(pods: Iterable[NodePod]) -> list[Member]:
    """Those that have an address and are not on their way out."""
    return [Member(pod.ordinal, pod.address, pod.ready) for pod in pods if pod.address and not pod.terminating]


def node_statuses(network: BitcoinNetwork, pods: Iterable[NodePod]) -> list[NodeStatus]:
    """What the status says about each node: those asked for, and those still there beyond."""
    by_ordinal = {pod.ordinal: pod for pod in pods}
    return [
        _node_status(network, ordinal, by_ordinal.get(ordinal))
        for ordinal in sorted(by_ordinal.keys() | range(network.spec.nodes))
    ]


def _node_status(network: BitcoinNetwork, ordinal: int, pod: NodePod | None) -> NodeStatus:
    name = pod_dns_name(network, f"{stateful_set_name(network.name)}-{ordinal}")
    if pod is None:
        return NodeStatus(ordinal, ready=False, dns_name=name)
    return NodeStatus(ordinal, pod.ready, pod.address, pod.kube_node, name)


def _has_ordinal(name: str, prefix: str) -> bool:
    ordinal = name.removeprefix(prefix)
    return name.startswith(prefix) and ordinal.isascii() and ordinal.isdigit()


def _read(pod: Object, ordinal: int) -> NodePod:
    body = pod.decode(_Pod)
    address = body.status.pod_ip if is_bare(body.status.pod_ip) else ""
    terminating = pod.deletion_timestamp is not None
    said_ready = any(each.type == "Ready" and each.status == "True" for each in body.status.conditions or [])
    ready = said_ready and bool(address) and not terminating
    return NodePod(ordinal, address, body.spec.node_name, ready, terminating)
