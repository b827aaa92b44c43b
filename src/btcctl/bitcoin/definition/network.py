"""The kind BitcoinNetwork, from which `crd.yaml` is made: what a user may write, and what the controller writes.

What the operator reads of it is in `btcctl.bitcoin.spec.model` and `btcctl.bitcoin.types`, where an older definition
counts, too.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from btcctl.bitcoin.definition.lines import ConfigLine
from btcctl.bitcoin.definition.parts import (
    AnnotationValue,
    Expose,
    Image,
    ImagePullSecret,
    LabelValue,
    Mining,
    NodeOverride,
    ObjectName,
    Ordinal,
    Port,
    Resources,
    Snapshot,
    Storage,
)
from btcctl.bitcoin.definition.pods import (
    Affinity,
    ContainerSecurityContext,
    SecurityContext,
    Toleration,
    TopologySpreadConstraint,
)
from btcctl.bitcoin.definition.status import NetworkStatus
from btcctl.bitcoin.spec.chains import DEFAULT_PORTS
from btcctl.bitcoin.types import DOMAIN
from btcctl.crds.annotations import Int32, list_map, obeys
from btcctl.typed.definition import Column, Rule, Scale
from btcctl.typed.typed_object import CustomResource


def _port(field: str, kind: Literal["rpc", "p2p"]) -> str:
    """CEL: the port that is asked for, or the chain's."""
    *others, last = DEFAULT_PORTS
    chosen = "".join(f"self.network == '{each}' ? {getattr(DEFAULT_PORTS[each], kind)} : " for each in others)
    return f"has(self.{field}) ? self.{field} : {chosen}{getattr(DEFAULT_PORTS[last], kind)}"


class NetworkSpec(Struct, rename="camel"):
    """The network as it should be.

    Attributes:
        nodes: How many nodes the network has; 0 keeps the network, and its volumes, without any.
        secret: Name of a Secret in the same namespace whose keys BC_RPC_USER and BC_RPC_PASSWORD are the nodes' RPC
            credentials. Without it the well-known default credentials are used, and the status says so.
        storage: Gives each node a volume of its own, so that its chain outlives its pod. Cannot be changed afterwards.
        topology: Which nodes are linked: auto, up to 9 nodes everybody with everybody, beyond each with 8 others; full,
            everybody with everybody; ring; star, everybody with the first; or edges, those that edges names.
        edges: Which nodes are linked, as pairs of ordinals; only with topology edges.
        partition: Groups of nodes that are kept apart, as lists of ordinals: no link crosses from one to another. The
            nodes that are in none are a group, too. Heals when it is taken away.
        suspend: Stops all nodes, and keeps everything else, volumes included, whatever storage.whenDeleted says.
            Without storage the chain ends with them.
        image: The container image of the nodes; the operator's own (btcctl run --node-image) without. It must take its
            settings from the environment, as images/bitcoind does, which makes one of any image with Bitcoin Core or
            Knots.
        image_pull_policy: When the image is pulled. Without, Always for the tag latest or none, else IfNotPresent.
        image_pull_secrets: Secrets in the same namespace with which the image is pulled.
        network: The chain: regtest, where blocks are mined at will; signet, with a signetChallenge of your own; or
            testnet4. There is no mainnet: this is for trying things out. Cannot be changed afterwards.
        signet_challenge: The script that blocks of this signet must satisfy, in hexadecimal; only for signet. Cannot be
            changed afterwards.
        rpc_port: Where the nodes take RPC, by default 18443 on regtest, 38332 on signet, 48332 on testnet4. The image
            of the first bitcoin-controller listens on 18332, whatever is asked for.
        p2p_port: Where the nodes take each other's connections, by default 18444, 38333 or 48333.
        config: More lines of bitcoin.conf, for example txindex=1 or zmqpubrawblock=tcp://0.0.0.0:28332. They stand in
            the chain's section. What the controller needs to be otherwise is refused.
        node_overrides: What is otherwise for single nodes.
        snapshot: A chain that nodes begin with that have none yet: a volume that is read only, and where it is there.
            What a node has already is never touched.
        expose: A Service, named after the network and -rpc, that leads to a ready node: for RPC and for other nodes
            from outside of the network. Without, there is none.
        mining: Mines a block each time that the newest one is older than the interval; on regtest only. Without, blocks
            are mined by hand alone.
        resources: What each node's container asks for and may use, in place of 25m CPU, 96Mi and at most 768Mi of
            memory. The caches of a node follow from the limit of its memory.
        pod_labels: Labels of the pods, beside the controller's own.
        pod_annotations: Annotations of the pods, beside the controller's own.
        node_selector: Labels that a Kubernetes node must have to run the pods.
        tolerations: Taints of Kubernetes nodes that the pods put up with.
        affinity: Where the pods would rather run, and beside which others.
        topology_spread_constraints: How evenly the pods are spread over zones, or nodes.
        priority_class_name: The PriorityClass of the pods.
        security_context: As whom the pods run, in place of user and group 1000, not root, and the runtime's seccomp
            profile. An empty one leaves it to the cluster, as OpenShift wants it.
        container_security_context: What the nodes' containers may do, in place of no capabilities, no escalation of
            privileges, and a root file system to read only.
    """

    __rules__ = (
        Rule(
            "has(self.storage) == has(oldSelf.storage) && (!has(self.storage) || "
            "(self.storage.size == oldSelf.storage.size && "
            "has(self.storage.storageClassName) == has(oldSelf.storage.storageClassName) && "
            "(!has(self.storage.storageClassName) || "
            "self.storage.storageClassName == oldSelf.storage.storageClassName)))",
            "storage cannot be added, removed or changed, only its whenDeleted; make another network",
        ),
        Rule(
            "(self.network == 'signet') == has(self.signetChallenge)",
            "a signet has a signetChallenge, and no other network does: nodes of signet without one would join the "
            "public signet",
        ),
        Rule(
            f"({_port('rpcPort', 'rpc')}) != ({_port('p2pPort', 'p2p')})",
            "rpcPort and p2pPort must differ; one that is not given is the chain's own",
        ),
        Rule(
            "!has(self.mining) || self.network == 'regtest'",
            "blocks are mined at will on regtest only; take mining away",
        ),
        Rule(
            "!has(self.mining) || self.nodes == 0 || self.mining.node < self.nodes",
            "mining.node must be the ordinal of a node, less than nodes",
        ),
        Rule("(self.topology == 'edges') == has(self.edges)", "topology edges has edges, and no other topology does"),
        Rule(
            "self.topology != 'full' || self.nodes <= 50",
            "topology full has at most 50 nodes, as many as a node takes connections of; use auto",
        ),
        Rule(
            "self.topology != 'star' || self.nodes <= 100",
            "topology star has at most 100 nodes, as many as its first takes connections of; use auto",
        ),
    )

    nodes: Annotated[Int32, Meta(ge=0, le=1000)]
    secret: ObjectName | None = None
    storage: Storage | None = None
    topology: Literal["auto", "full", "ring", "star", "edges"] = "auto"
    edges: (
        Annotated[
            list[
                Annotated[
                    tuple[Ordinal, Ordinal],
                    obeys(Rule("self.size() != 2 || self[0] != self[1]", "an edge joins two different nodes")),
                    Meta(description="Two nodes that are linked, for example [0, 1]."),
                ]
            ],
            Meta(min_length=1, max_length=1000),
        ]
        | None
    ) = None
    partition: (
        Annotated[
            list[
                Annotated[
                    set[Ordinal], Meta(min_length=1, max_length=100), Meta(description="Nodes that stay together.")
                ]
            ],
            Meta(max_length=8),
            obeys(
                Rule(
                    "self.all(group, group.all(node, self.exists_one(other, node in other)))",
                    "a node is in one group of partition at most",
                )
            ),
        ]
        | None
    ) = None
    suspend: bool = False
    image: Image | None = None
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    image_pull_secrets: Annotated[list[ImagePullSecret], Meta(max_length=20), list_map("name")] | None = None
    network: Annotated[
        Literal["regtest", "signet", "testnet4"],
        obeys(Rule("self == oldSelf", "the chain of a network cannot change; make another network")),
    ] = "regtest"
    signet_challenge: (
        Annotated[
            str,
            Meta(max_length=2000),
            obeys(
                Rule(
                    "self.matches('^([0-9a-f][0-9a-f])+$')",
                    "signetChallenge is a script in lower-case hexadecimal, for example 51",
                ),
                Rule("self == oldSelf", "another signetChallenge is another chain; make another network"),
            ),
        ]
        | None
    ) = None
    rpc_port: Port | None = None
    p2p_port: Port | None = None
    config: Annotated[list[ConfigLine], Meta(max_length=64)] | None = None
    node_overrides: Annotated[list[NodeOverride], Meta(max_length=100), list_map("ordinal")] | None = None
    snapshot: Snapshot | None = None
    expose: Expose | None = None
    mining: Mining | None = None
    resources: Resources | None = None
    pod_labels: (
        Annotated[
            dict[str, LabelValue],
            Meta(max_length=50),
            obeys(
                Rule(
                    f"self.all(key, !key.startsWith('{DOMAIN}/') && !(key in ['app.kubernetes.io/name', "
                    "'app.kubernetes.io/instance', 'app.kubernetes.io/managed-by']))",
                    f"the labels {DOMAIN}/… and app.kubernetes.io/name, instance and managed-by are the controller's",
                )
            ),
        ]
        | None
    ) = None
    pod_annotations: (
        Annotated[
            dict[str, AnnotationValue],
            Meta(max_length=50),
            obeys(
                Rule(
                    f"self.all(key, !key.startsWith('{DOMAIN}/'))",
                    f"the annotations {DOMAIN}/… are the controller's",
                )
            ),
        ]
        | None
    ) = None
    node_selector: Annotated[dict[str, LabelValue], Meta(max_length=50)] | None = None
    tolerations: Annotated[list[Toleration], Meta(max_length=50)] | None = None
    affinity: Affinity | None = None
    topology_spread_constraints: Annotated[list[TopologySpreadConstraint], Meta(max_length=20)] | None = None
    priority_class_name: ObjectName | None = None
    security_context: SecurityContext | None = None
    container_security_context: ContainerSecurityContext | None = None


#: Until a controller has looked, a network must not pass for finished.
_UNSEEN = {
    "observedGeneration": 0,
    "conditions": [
        {
            "type": "Ready",
            "status": "Unknown",
            "reason": "Pending",
            "message": "no controller has looked at this network yet",
            "lastTransitionTime": "1970-01-01T00:00:00Z",
        }
    ],
}


class BitcoinNetwork(
    CustomResource[NetworkSpec, Annotated[NetworkStatus, Meta(extra_json_schema={"default": _UNSEEN})]],
    group=DOMAIN,
    version="v1",
    plural="bitcoinnetworks",
    short_names=("btcnet", "bn"),
    categories=("all",),
    scale=Scale(".spec.nodes", ".status.readyNodes", ".status.selector"),
    columns={
        "Nodes": Column(".spec.nodes", description="How many nodes are asked for."),
        "Ready": Column(".status.readyNodes", description="How many nodes are ready."),
        "Height": ".status.height",
        "Status": Column(
            '.status.conditions[?(@.type=="Ready")].reason', description="Why the network is ready, or is not."
        ),
        "Age": Column(".metadata.creationTimestamp", "date", description="When the network was created."),
        "Version": Column(".status.version", description="What the nodes say that they are.", priority=1),
        "Image": Column(".status.image", priority=1),
        "Secret": Column(".spec.secret", description="The Secret with the nodes' RPC credentials.", priority=1),
    },
):
    """A private Bitcoin network (regtest) whose nodes are pods that know each other."""
