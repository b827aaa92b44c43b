"""What a page is told, as JSON. Pure.

A page opens `events?network=NAMESPACE/NAME` (or without a network) as an EventSource. The first message is a
`snapshot`, a `State`; each further one changes a part of it, and is named for that part:

| event          | data           | what the page does with it |
|----------------|----------------|------------------------------------------------------------------------------------|
| `snapshot`     | `State`        | forgets everything, and shows this; it may come again at any time |
| `network`      | `Summary`      | adds it to `networks`, or replaces the one of that namespace and name |
| `network-gone` | `Gone`         | takes it out of `networks` |
| `nodes`        | `NodesChange`  | adds or replaces nodes by ordinal, and all links that start at them; drops `gone` |
| `tree`         | `TreeChange`   | replaces `network.tree` |
| `about`        | `AboutChange`  | replaces `network.about` |
| `happened`     | `EventsChange` | adds or replaces events by `uid` |
| `controller`   | `Controller`   | replaces `controller`, but for its `steps`, which are [] here |
| `steps`        | `StepsChange`  | appends them to `controller.steps`, and forgets the oldest beyond a few hundred |

What concerns another network than the one that the stream was opened for is not sent. Who is too slow to take all of
it gets a new `snapshot` instead of what was missed. A comment comes every few seconds when there is nothing to say.

Names are in camelCase. Instants (`…At`, `at`, `time`, `since`) are seconds since 1970 as numbers with a fraction, 0 if
they are not known. Heights are -1, and hashes "", as long as they are not known. Ordinals are those of the pods.
Nothing in here is a secret: no field is filled from a Secret, and texts come out of the API server's status and Events.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from btcctl.bitcoin.view.insides import Controller, Step
from btcctl.bitcoin.view.orders import Action

#: Of a network. `ready`: as its spec wants it. `progressing`: on its way there. `trouble`: a condition is a failure.
#: `resting`: no nodes are wanted. `deleting`: it is on its way out.
Health = Literal["ready", "progressing", "trouble", "resting", "deleting"]

#: Of a node. `synced`: it answers, and has the highest block, or the one before. `behind`: it answers, and has not.
#: `ready`: its pod is ready, and nobody has asked the node itself. `unreachable`: its pod runs, and does not answer.
#: `restarting`: its pod is missing, starts, or ends.
NodeState = Literal["ready", "synced", "behind", "unreachable", "restarting"]


class Summary(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A network, as a line of the list.

    Attributes:
        nodes_wanted: How many are to run now.
        nodes_ready: Whose pods are ready.
        nodes_synced: That have the highest block, or the one before.
        height: Of the highest block, as the status says.
        tips: Ends of branches that nodes are on; 1 if all agree.
        deepest_fork: Blocks that nodes would give up if all went over to the highest chain.
        is_partitioned: `spec.partition` is set.
        reason: Of the condition `Ready`, in one word.
        message: Of the same, for people.
    """

    namespace: str
    name: str
    uid: str = ""
    health: Health = "progressing"
    reason: str = ""
    message: str = ""
    nodes_wanted: int = 0
    nodes_ready: int = 0
    nodes_synced: int = 0
    height: int = 0
    tips: int = 0
    deepest_fork: int = 0
    is_partitioned: bool = False
    chain: str = ""  #: regtest, signet …
    version: str = ""  #: of the nodes; several, if they differ
    created_at: float = 0.0


class Node(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A node of the network in focus.

    Attributes:
        state: Gives its colour; see `NodeState`.
        reason: Why it is not synced, in one word; "" if it is.
        message: The same for people.
        peers: Connections, those to others than nodes of the network included; -1 if not known.
        mempool: Transactions that wait; -1 if not known.
        mempool_bytes: Their virtual size; -1 if not known.
        group: Which of `About.groups` it is in; -1 while there is no partition.
        is_hung: It was stopped by the action `hang`.
        answered_at: When it answered last.
    """

    ordinal: int
    pod: str
    state: NodeState
    reason: str = ""
    message: str = ""
    address: str = ""
    is_ready: bool = False
    version: str = ""
    image: str = ""
    height: int = -1
    best: str = ""
    peers: int = -1
    mempool: int = -1
    mempool_bytes: int = -1
    restarts: int = 0
    group: int = -1
    is_hung: bool = False
    started_at: float = 0.0
    answered_at: float = 0.0


class Link(msgspec.Struct, frozen=True, gc=False, rename={"source": "from", "target": "to", "is_greeted": "greeted"}):
    """A connection between two nodes of the network: `from` has dialled `to`; `greeted`: the handshake is done.

    Two nodes that have dialled each other have two links.
    """

    source: int
    target: int
    is_greeted: bool


class Block(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A block that is drawn: near a tip, or near a place where chains part.

    Attributes:
        parent: Hash of the nearest block below it that is drawn; "" of the lowest.
        skipped: How many blocks between the two are not drawn.
        time: Its own.
        transactions: In it; -1 if not known.
    """

    hash: str
    height: int
    parent: str = ""
    skipped: int = 0
    time: float = 0.0
    transactions: int = -1


class Tip(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The block that some nodes take for the end of the chain.

    Attributes:
        nodes: Their ordinals; [] if nodes know the branch, and none is on it (any more).
        fork_height: Of the last block that it has in common with the highest tip; -1 of the highest tip itself, and if
            it is not known.
    """

    hash: str
    height: int
    nodes: list[int] = []
    fork_height: int = -1


class Tree(msgspec.Struct, frozen=True, rename="camel"):
    """The chain: its blocks by height, the lowest first; its tips, the highest first."""

    blocks: list[Block] = []
    tips: list[Tip] = []


class ConditionView(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A condition of the network's status; `is_good`: it says that all is well, whichever way round that is."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    since: float = 0.0
    is_good: bool = True


class Happened(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A Kubernetes Event about the network or one of its pods; `about` is `Kind/name`."""

    uid: str
    at: float
    type: str  #: Normal or Warning
    reason: str
    message: str
    about: str = ""
    count: int = 1


class About(msgspec.Struct, frozen=True, rename="camel"):
    """What is asked for, and what the controller says of it.

    Attributes:
        groups: Of the partition: every ordinal is in one; [] if there is none.
        topology: How the nodes are linked: `auto`, `full`, `edges` …
        secret: Name of the Secret, "" if the network has none.
        rpc_problem: Why the nodes cannot be asked; "" if they can: what is shown of them comes out of the status then.
    """

    summary: Summary
    conditions: list[ConditionView] = []
    groups: list[list[int]] = []
    topology: str = ""
    secret: str = ""
    generation: int = 0
    observed_generation: int = 0
    rpc_problem: str = ""


class Network(msgspec.Struct, frozen=True, rename="camel"):
    """One network in full. Events: the latest last."""

    namespace: str
    name: str
    about: About
    nodes: list[Node] = []
    links: list[Link] = []
    tree: Tree = Tree()
    events: list[Happened] = []


class Server(msgspec.Struct, frozen=True, rename="camel"):
    """Who draws the picture.

    Attributes:
        cluster: For people: the API server's address, or `sandbox`.
        is_read_only: There are no actions.
        poll_seconds: How often the nodes of the network in focus are asked.
    """

    version: str
    cluster: str
    is_sandbox: bool = False
    is_read_only: bool = True
    poll_seconds: float = 1.0
    started_at: float = 0.0


class State(msgspec.Struct, frozen=True, rename="camel"):
    """Everything.

    Attributes:
        at: When it was true.
        networks: By namespace and name.
        network: The one that was asked for; None if none was, or there is none of that name.
        problem: Why the cluster cannot be seen (now); "" if it can.
    """

    at: float
    server: Server
    networks: list[Summary] = []
    network: Network | None = None
    controller: Controller = Controller()
    actions: list[Action] = []
    problem: str = ""


class Gone(msgspec.Struct, frozen=True, gc=False):
    """A network that is no more."""

    namespace: str
    name: str


class NodesChange(msgspec.Struct, frozen=True):
    """Nodes that changed, all links that start at them, and ordinals that are gone."""

    network: str  #: `NAMESPACE/NAME`, as below
    nodes: list[Node] = []
    links: list[Link] = []
    gone: list[int] = []


class TreeChange(msgspec.Struct, frozen=True):
    """The chain, or who is on which tip, changed."""

    network: str
    tree: Tree


class AboutChange(msgspec.Struct, frozen=True):
    """Spec or status changed."""

    network: str
    about: About


class EventsChange(msgspec.Struct, frozen=True):
    """Events that are new, or were counted again."""

    network: str
    events: list[Happened]


class StepsChange(msgspec.Struct, frozen=True):
    """Changes on their way through the controller."""

    steps: list[Step]
