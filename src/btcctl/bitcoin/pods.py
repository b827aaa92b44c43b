"""The few facts about a pod that the operator goes by. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from btcctl.bitcoin.children import SECRET_VERSION_ANNOTATION, pod_dns_name, stateful_set_name
from btcctl.bitcoin.pod_problems import CONTAINER, ENDED, PodStatus, problem_of
from btcctl.bitcoin.pod_template import SYNCED_GATE
from btcctl.bitcoin.topology import Member, is_bare
from btcctl.bitcoin.types import DOMAIN, BitcoinNetwork, NodeStatus
from btcctl.bitcoin.wording import one_word
from btcctl.resources import PODS
from btcctl.typed.typed_object import TypedObject

OWN_IMAGE_ANNOTATION: Final = f"{DOMAIN}/own-image"
_REVISION_LABEL = "controller-revision-hash"  # by Kubernetes' StatefulSet controller
_RPC = "rpc"  # the name of the port where a node takes calls
_MAX_DIGITS = 6  # of an ordinal: a network has a thousand nodes at most, and may have been given more


class _Gate(msgspec.Struct, gc=False, rename="camel"):
    condition_type: str = ""


class _Port(msgspec.Struct, gc=False, rename="camel"):
    name: str | None = None
    container_port: int = 0


class _Container(msgspec.Struct, gc=False):
    name: str = ""
    image: str | None = None
    ports: list[_Port] | None = None


class _PodSpec(msgspec.Struct, gc=False, rename="camel"):
    node_name: str | None = None
    readiness_gates: list[_Gate] | None = None
    containers: list[_Container] | None = None


class Pod(TypedObject, resource=PODS):
    """What of a pod is read."""

    spec: _PodSpec = msgspec.field(default_factory=_PodSpec)
    status: PodStatus = msgspec.field(default_factory=PodStatus)


@dataclass(frozen=True, slots=True)
class NodePod:
    """One pod of a network.

    Attributes:
        address: "" while it has none, and once it has ended: it may be another pod's by then.
        kube_node: "" while it is not scheduled.
        ready: The Ready condition, and an address, and not on its way out.
        answers: Its containers are ready: the node answers, whatever it has of the chain.
        reason: Why it is not ready, in one word; "" if it is.
        message: The same for people.
        awaits_sync: It will not be ready before we have said that it has the network's chain.
        secret_version: For which version of the Secret it was made.
        restarts: Of its containers.
        image: Of its node, as its spec says; "" if it has none.
        own_image: What it was made with, if that was changed since; "" otherwise.
        others: Its addresses beside, of the other IP family.
        revision: Of the template that it was made by; "" if nobody says.
        rpc_port: Where its node takes calls: what the network asks for may have changed since. None if it does not say.
    """

    name: str
    uid: str
    ordinal: int
    address: str
    kube_node: str
    ready: bool
    answers: bool
    terminating: bool
    reason: str = ""
    message: str = ""
    awaits_sync: bool = False
    secret_version: str = ""
    restarts: int = 0
    image: str = ""
    own_image: str = ""
    others: tuple[str, ...] = ()
    revision: str = ""
    rpc_port: int | None = None


def secret_version_of(pod: Pod) -> str:
    """For which version of the Secret it was made; "" if for none."""
    return pod.metadata.annotations.get(SECRET_VERSION_ANNOTATION, "")


def read_pods(network: BitcoinNetwork, pods: Iterable[Pod], stateful_set_uid: str) -> list[NodePod]:
    """The pods that this very StatefulSet controls, by ordinal."""
    mine = (pod for pod in pods if pod.controller is not None and pod.controller.uid == stateful_set_uid)
    found = [_read(pod, ordinal) for pod in mine if (ordinal := ordinal_of(pod.name, network.name)) is not None]
    return sorted(found, key=lambda pod: pod.ordinal)


def members(pods: Iterable[NodePod]) -> list[Member]:
    """Those that have an address and are not on their way out."""
    return [
        Member(pod.ordinal, pod.address, pod.answers, pod.others, pod.rpc_port)
        for pod in pods
        if pod.address and not pod.terminating
    ]


def node_statuses(network: BitcoinNetwork, pods: Iterable[NodePod], missing: str = "") -> list[NodeStatus]:
    """What the status says about each node: those asked for, and those still there beyond.

    Args:
        missing: Why pods that should be there are not, if that is known.
    """
    by_ordinal = {pod.ordinal: pod for pod in pods}
    return [
        _node_status(network, ordinal, by_ordinal.get(ordinal), missing)
        for ordinal in sorted(by_ordinal.keys() | range(network.spec.running_nodes))
    ]


def _node_status(network: BitcoinNetwork, ordinal: int, pod: NodePod | None, missing: str) -> NodeStatus:
    name = pod_dns_name(network, f"{stateful_set_name(network.name)}-{ordinal}")
    if pod is None:
        reason, message = ("PodNotCreated", missing) if missing else ("PodMissing", "its pod does not exist yet")
        return NodeStatus(ordinal, ready=False, dns_name=name, reason=reason, message=message)
    return NodeStatus(ordinal, pod.ready, pod.address, pod.kube_node, name, pod.reason, pod.message)


def ordinal_of(name: str, network: str) -> int | None:
    """Of a pod, as the network's StatefulSet writes it; None of one that merely bears its label, or owner reference."""
    prefix = f"{stateful_set_name(network)}-"
    digits = name.removeprefix(prefix)
    is_one = name.startswith(prefix) and len(digits) <= _MAX_DIGITS and digits.isascii() and digits.isdigit()
    return int(digits) if is_one and str(int(digits)) == digits else None


def _read(pod: Pod, ordinal: int) -> NodePod:
    status = pod.status
    address = status.pod_ip or ""
    has_address = status.phase not in ENDED and is_bare(address)
    terminating = pod.deletion_timestamp is not None
    alive = has_address and not terminating
    ready = alive and status.is_true("Ready")
    reason, message = ("", "") if ready else problem_of(status, terminating=terminating)
    reason = reason and one_word(reason)
    node = next((each for each in pod.spec.containers or () if each.name == CONTAINER), _Container())
    return NodePod(
        name=pod.name,
        uid=pod.uid,
        ordinal=ordinal,
        address=address if has_address else "",
        kube_node=pod.spec.node_name or "",
        ready=ready,
        answers=alive and (status.is_true("Ready") or status.is_true("ContainersReady")),
        terminating=terminating,
        reason=reason,
        message=message,
        awaits_sync=alive and _awaits_sync(pod),
        secret_version=secret_version_of(pod),
        image=node.image or "",
        own_image=pod.metadata.annotations.get(OWN_IMAGE_ANNOTATION, ""),
        others=_others(status, address) if has_address else (),
        revision=pod.metadata.labels.get(_REVISION_LABEL, ""),
        rpc_port=next((each.container_port or None for each in node.ports or () if each.name == _RPC), None),
        restarts=sum(each.restart_count for each in status.container_statuses or ()),
    )


def _others(status: PodStatus, address: str) -> tuple[str, ...]:
    found = (each.ip or "" for each in status.pod_ips or ())
    return tuple(each for each in found if is_bare(each) and each != address)


def _awaits_sync(pod: Pod) -> bool:
    gated = any(each.condition_type == SYNCED_GATE for each in pod.spec.readiness_gates or ())
    return gated and not pod.status.is_true(SYNCED_GATE)
