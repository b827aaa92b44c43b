"""A scene that a test makes up, served by the real server: what a cluster would take minutes to come to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from btcctl.bitcoin.spec.shape import Shape
from btcctl.bitcoin.view.hub import Hub
from btcctl.bitcoin.view.insides import Controller
from btcctl.bitcoin.view.model import (
    About,
    Block,
    ConditionView,
    Happened,
    Link,
    Network,
    Node,
    NodesChange,
    Server,
    State,
    Summary,
    Tip,
    Tree,
    TreeChange,
)
from btcctl.bitcoin.view.orders import Action, LogTail, Order, Outcome
from btcctl.clock import SYSTEM_CLOCK

NAME = "default/net"


class MadeUp:
    """Shows what it is told to. Thread-safe."""

    def __init__(self, state: State) -> None:
        self.hub = Hub()
        self.orders: list[tuple[str, Order]] = []
        self.outcome: Callable[[str, Order], Outcome] = lambda name, order: Outcome(True, f"{name} done")
        self._lock = threading.Lock()  # guards the one below
        self._state = state

    def state(self, network: str) -> State:
        with self._lock:
            state = self._state
        is_there = state.network is not None and network == f"{state.network.namespace}/{state.network.name}"
        return msgspec.structs.replace(state, at=now(), network=state.network if is_there else None)

    def act(self, action: str, order: Order) -> Outcome:
        self.orders.append((action, order))
        return self.outcome(action, order)

    def log(self, network: str, node: int, lines: int) -> LogTail:
        return LogTail([f"line {number} of node {node}" for number in range(3)])

    def change(self, **changes: Any) -> None:
        """Of the network: fields of `Network`. Tells nobody."""
        with self._lock:
            assert self._state.network is not None
            network = msgspec.structs.replace(self._state.network, **changes)
            self._state = msgspec.structs.replace(self._state, network=network)

    def replace(self, **changes: Any) -> None:
        """Of the state; everybody gets a fresh snapshot."""
        with self._lock:
            self._state = msgspec.structs.replace(self._state, **changes)
        self.hub.refresh()

    def tell_nodes(self, nodes: Sequence[Node]) -> None:
        """Nodes have changed, their links have not."""
        with self._lock:
            assert self._state.network is not None
            links = self._state.network.links
        ordinals = {node.ordinal for node in nodes}
        change = NodesChange(NAME, list(nodes), [link for link in links if link.source in ordinals])
        self.hub.publish("nodes", change, network=NAME)

    def tell_tree(self, tree: Tree) -> None:
        self.change(tree=tree)
        self.hub.publish("tree", TreeChange(NAME, tree), network=NAME)


def now() -> float:
    return SYSTEM_CLOCK.wall_time().timestamp()


def hash_of(height: int, branch: str = "a") -> str:
    return f"{branch * 56}{height:08d}"


def node(ordinal: int, height: int = 5, branch: str = "a", **more: Any) -> Node:
    known: dict[str, Any] = {
        "state": "synced",
        "address": f"127.1.0.{ordinal % 250 + 1}",
        "is_ready": True,
        "version": "/Satoshi:30.0.0/",
        "height": height,
        "best": hash_of(height, branch),
        "peers": 4,
        "mempool": 0,
        "mempool_bytes": 0,
        **more,
    }
    return Node(ordinal, f"net-sts-{ordinal}", **known)


def links(nodes: int) -> list[Link]:
    """As the operator wires so many nodes."""
    return [Link(each, other, True) for each in range(nodes) for other in Shape(nodes).dials(each)]


def chain(height: int, branch: str = "a", start: int = 0, trunk: str = "a") -> list[Block]:
    """Blocks from `start` on, which stands on the trunk."""
    heights = range(start, height + 1)
    below = hash_of(start - 1, trunk) if start else ""
    return [Block(hash_of(h, branch), h, below if h == start else hash_of(h - 1, branch)) for h in heights]


def one_tip(nodes: int, height: int = 5) -> Tree:
    return Tree(chain(height), [Tip(hash_of(height), height, list(range(nodes)))])


CONDITIONS = [
    ConditionView("Ready", "True", "Connected", "all nodes are ready", 5.0),
    ConditionView("Conflict", "True", "NotOurs", "the Service is somebody else's", 7.0, is_good=False),
]
ACTIONS = [
    Action("mine", "Mines blocks", "btcctl mine {network} {count} --on {node}", ["count"]),
    Action("scale", "Changes how many nodes there are", "kubectl scale bitcoinnetwork {network} --replicas={count}"),
    Action("partition", "Cuts links", "btcctl partition {network} '{groups}'", ["groups"], True),
    Action("heal", "Ends the partition", "btcctl heal {network}"),
    Action("restart", "Deletes the pod", "kubectl delete pod {pod}", ["node"], True),
    Action("hang", "Stops the process", "kubectl exec {pod} -- kill -STOP 1", ["node"], True),
    Action("release", "Lets it go on", "kubectl exec {pod} -- kill -CONT 1", ["node"]),
    Action("rotate", "New credentials", "kubectl patch secret {secret}", [], True),
]


def state_of(
    nodes: Sequence[Node], *, tree: Tree | None = None, networks: Sequence[Summary] = (), **more: Any
) -> State:
    """Everything, of one network with these nodes; further fields are those of `State`."""
    summary = Summary(
        "default", "net", health="ready", reason="Connected", nodes_wanted=len(nodes), nodes_ready=len(nodes), height=5
    )
    events = [Happened("e1", now() - 5, "Normal", "NodeJoined", "node 0 at 127.1.0.1 joined", "BitcoinNetwork/net")]
    network = Network(
        "default",
        "net",
        About(summary, CONDITIONS, secret="net-secret"),
        list(nodes),
        links(len(nodes)),
        tree or one_tip(len(nodes)),
        events,
    )
    known: dict[str, Any] = {"network": network, "actions": ACTIONS, "controller": Controller(), **more}
    server = Server("0.1.0", "made up", is_read_only=False)
    return State(now(), server, [summary, *networks], **known)
