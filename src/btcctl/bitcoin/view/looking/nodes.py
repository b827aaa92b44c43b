"""From a pod and what its node answered to the node that is drawn, and its links. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from btcctl.bitcoin.pod_problems import problem_of
from btcctl.bitcoin.pods import Pod
from btcctl.bitcoin.topology import address_in
from btcctl.bitcoin.types import NodeStatus
from btcctl.bitcoin.view.looking.summaries import instant_of
from btcctl.bitcoin.view.model import Link, Node, NodeState
from btcctl.objects import Object

# A block is on its way to the others for a moment, and that is no trouble.
_BLOCKS_ON_THE_WAY: Final = 1
_MOST_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class PodFacts:
    """What of a pod is shown, or gone by.

    Attributes:
        address: "" while it has none.
        is_running: It has an address, its containers were started, and it is not on its way out.
        rpc_port: None: that of the chain.
    """

    name: str
    uid: str
    address: str = ""
    is_ready: bool = False
    is_running: bool = False
    reason: str = ""
    message: str = ""
    restarts: int = 0
    image: str = ""
    started_at: float = 0.0
    rpc_port: int | None = None

    @property
    def run(self) -> tuple[str, str, bool]:
        """The same as long as the same process is at the same place."""
        return self.uid, self.address, self.is_running


@dataclass(frozen=True, slots=True)
class Answer:
    """What a node said, or why it did not.

    Attributes:
        uid: Of the pod that was asked.
        at: Seconds since 1970.
        dialled: Addresses that it has begun a connection to, and whether the handshake is done.
        problem: Why it does not answer; "" if it does.
        is_starting: It says itself that it is not ready yet.
        is_refused: It does not take the credentials.
    """

    uid: str
    at: float
    height: int = -1
    best: str = ""
    peers: int = -1
    dialled: tuple[tuple[str, bool], ...] = ()
    mempool: int = -1
    mempool_bytes: int = -1
    version: str = ""
    problem: str = ""
    is_starting: bool = False
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class Tops:
    """What nodes are measured by.

    Attributes:
        height: Of the best block of the highest branch; -1 if none is known.
        best: Its hash.
        forked: Hashes of tips on other branches, and how high those part from it.
    """

    height: int = -1
    best: str = ""
    forked: Mapping[str, int] = field(default_factory=dict)


class _Port(msgspec.Struct, gc=False, rename="camel"):
    container_port: int = 0
    name: str = ""


class _Container(msgspec.Struct, gc=False):
    name: str = ""
    image: str = ""
    ports: list[_Port] | None = None


class _Spec(msgspec.Struct, gc=False):
    containers: list[_Container] | None = None


class _Status(msgspec.Struct, gc=False, rename="camel"):
    start_time: str | None = None


class _More(msgspec.Struct, gc=False):
    """What `Pod` does not have."""

    spec: _Spec = msgspec.field(default_factory=_Spec)
    status: _Status = msgspec.field(default_factory=_Status)


def pod_facts(obj: Object) -> PodFacts:
    """Read a pod.

    Raises:
        ObjectDecodeError: It is none.
    """
    pod, more = obj.decode(Pod), obj.decode(_More)
    status = pod.status
    terminating = obj.deletion_timestamp is not None
    address = status.pod_ip or ""
    is_ready = bool(address) and not terminating and status.is_true("Ready")
    reason, message = ("", "") if is_ready else problem_of(status, terminating=terminating)
    runs = any(
        each.state and not (each.state.waiting or each.state.terminated) for each in status.container_statuses or ()
    )
    node = next((each for each in more.spec.containers or () if each.name == "bitcoind"), _Container())
    return PodFacts(
        name=obj.name,
        uid=obj.uid,
        address=address,
        is_ready=is_ready,
        is_running=bool(address) and runs and not terminating and status.phase == "Running",
        reason=reason,
        message=message,
        restarts=sum(each.restart_count for each in status.container_statuses or ()),
        image=node.image,
        started_at=instant_of(more.status.start_time),
        rpc_port=next((each.container_port for each in node.ports or () if each.name == "rpc"), None),
    )


def node_of(
    ordinal: int,
    name: str,
    pod: PodFacts | None,
    answer: Answer | None,
    status: NodeStatus | None,
    tops: Tops,
    *,
    group: int = -1,
    is_hung: bool = False,
) -> Node:
    """The node that is drawn.

    Args:
        name: Of its pod, whether there is one or not.
        answer: Of the pod that there is; None while nobody has asked.
        status: What the controller says of it; goes for what is not known otherwise.
    """
    mine = answer if answer is not None and pod is not None and answer.uid == pod.uid else None
    if pod is None:
        reason, message = (status.reason, status.message) if status else ("PodMissing", "its pod does not exist")
        return Node(ordinal, name, "restarting", reason, message, group=group, is_hung=is_hung)
    state, reason, message = _state(pod, mine, tops)
    height, best, version = _chain(mine, status, pod)
    return Node(
        ordinal=ordinal,
        pod=name,
        state=state,
        reason=reason,
        message=message[:_MOST_CHARACTERS],
        address=pod.address,
        is_ready=pod.is_ready,
        version=version[:_MOST_CHARACTERS],
        image=pod.image,
        height=height,
        best=best,
        peers=mine.peers if mine else -1,
        mempool=mine.mempool if mine else -1,
        mempool_bytes=mine.mempool_bytes if mine else -1,
        restarts=pod.restarts,
        group=group,
        is_hung=is_hung,
        started_at=pod.started_at,
        answered_at=mine.at if mine else 0.0,
    )


def links_of(ordinal: int, answer: Answer | None, ordinals: Mapping[str, int]) -> list[Link]:
    """The connections that a node has begun to other nodes of its network, by ordinal.

    Args:
        ordinals: By address.
    """
    found: dict[int, bool] = {}
    for address, is_greeted in answer.dialled if answer else ():
        target = ordinals.get(address)
        if target is not None and target != ordinal:
            found[target] = found.get(target, False) or is_greeted
    return [Link(ordinal, target, found[target]) for target in sorted(found)]


def host_of(peer: str) -> str:
    """The address of a peer, whether it was dialled with a port or without; "" of a name."""
    return address_in(peer) or ""


def _state(pod: PodFacts, answer: Answer | None, tops: Tops) -> tuple[NodeState, str, str]:
    if not pod.is_running:
        return "restarting", pod.reason, pod.message
    if answer is None:
        return ("ready", "", "") if pod.is_ready else ("restarting", pod.reason, pod.message)
    if answer.is_starting:
        return "restarting", "WarmingUp", answer.problem
    if answer.problem and not answer.at and not pod.is_ready:
        return "restarting", "Starting", "its container runs, and its node does not answer yet"
    if answer.problem:
        return "unreachable", "Unauthorized" if answer.is_refused else "NotAnswering", answer.problem
    if answer.best in tops.forked:
        parted = tops.forked[answer.best]
        where = f", which parts from the highest one after block {parted}" if parted >= 0 else ""
        return "behind", "OtherBranch", f"it is on another branch{where}"
    if answer.best == tops.best or answer.height >= tops.height - _BLOCKS_ON_THE_WAY:
        return "synced", "", ""
    return "behind", "Behind", f"it has {answer.height} of {tops.height} blocks"


def _chain(answer: Answer | None, status: NodeStatus | None, pod: PodFacts) -> tuple[int, str, str]:
    """Height, best block and version: as the node said, else as the controller saw the same pod."""
    if answer is not None and not answer.problem:
        return answer.height, answer.best, answer.version
    if status is None or not pod.address or status.ip != pod.address or not isinstance(status.height, int):
        return (answer.height, answer.best, answer.version) if answer else (-1, "", "")
    return status.height, status.best_block, status.version
