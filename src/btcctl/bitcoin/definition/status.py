"""What the controller writes of a BitcoinNetwork."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from btcctl.crds.annotations import Int32, list_map


class Node(Struct, rename="camel"):
    """A node.

    Attributes:
        ordinal: The number at the end of the pod's name.
        ready: Whether the node answers.
        ip: The pod's address; empty while it has none.
        node_name: The Kubernetes node that runs the pod; empty while it is not scheduled.
        dns_name: The pod's name in the cluster's DNS.
        reason: Why the node is not ready, in one word; empty if it is.
        message: Why the node is not ready, for people.
        restarts: How often its container was started again.
        height: The height of its best block; missing while it has not said.
        best_block: The hash of its best block.
        tip_time: The time that its best block carries.
        links_in: How many nodes have connected to it, and been greeted.
        links_out: How many nodes it has connected to, and been greeted by.
        version: What it says that it is, for example Satoshi:29.0.0.
    """

    ordinal: Int32
    ready: bool
    ip: str | None = None
    node_name: str | None = None
    dns_name: str | None = None
    reason: str | None = None
    message: str | None = None
    restarts: Int32 | None = None
    height: int | None = None
    best_block: str | None = None
    tip_time: str | None = None
    links_in: Int32 | None = None
    links_out: Int32 | None = None
    version: str | None = None


class Condition(Struct, rename="camel"):
    """One thing that is so, or is not.

    Attributes:
        type: What is said to be so.
        status: Whether it is.
        reason: Why, in one word for programs.
        message: Why, for people.
        last_transition_time: Since when it has this status, however the reason may have changed.
        observed_generation: The metadata.generation that it speaks of.
    """

    type: Annotated[str, Meta(max_length=316)]
    status: Literal["True", "False", "Unknown"]
    reason: Annotated[str, Meta(max_length=1024)]
    message: Annotated[str, Meta(max_length=32768)]
    last_transition_time: datetime
    observed_generation: int | None = None


class NetworkStatus(Struct, rename="camel"):
    """The network as it was last seen. Written by the controller.

    Attributes:
        observed_generation: The metadata.generation that this status answers.
        ready_nodes: How many nodes answer.
        selector: Selects the network's pods; what the scale subresource reports.
        height: The height of the highest block that a node was seen to have.
        tips: How many ends the branches have that nodes are on: 1 if all are on one chain. A node that is merely behind
            is on no branch of its own. More than 8 are not told apart.
        deepest_fork: The most blocks that nodes would give up if all went over to the highest chain; 0 if none would.
        synced_nodes: How many nodes have the highest block, or all but the newest of its chain.
        version: What the nodes say that they are, for example Satoshi:29.0.0; several, if they differ.
        image: The image of the nodes.
        lost_height: The height that the chain had before blocks were lost with the nodes that held them; 0 if none
            were, or once it has grown beyond again.
        controller: The installation that looks after the network, by the namespace and name of its Lease.
        nodes: The nodes by ordinal, those whose pod is missing or on its way out included.
        conditions: Ready, Progressing, Synced, Conflict, CredentialsReady, MeshReady, ChainIntact and Contested;
            Forbidden, once something was refused; SnapshotLoaded, of a network that begins with a UTXO snapshot;
            Mining, of one whose blocks are mined on a schedule.
    """

    observed_generation: int | None = None
    ready_nodes: Int32 | None = None
    selector: str | None = None
    height: int | None = None
    tips: Int32 | None = None
    deepest_fork: int | None = None
    synced_nodes: Int32 | None = None
    version: str | None = None
    image: str | None = None
    lost_height: int | None = None
    controller: str | None = None
    nodes: list[Node] | None = None
    conditions: Annotated[list[Condition], list_map("type")] | None = None
