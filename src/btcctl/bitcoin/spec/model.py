"""`spec` as typed values. `btcctl.bitcoin.definition` says what a user may write, and why not."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

from btcctl.bitcoin.spec.chains import REGTEST, ChainName
from btcctl.bitcoin.spec.shape import Shape, Topology

#: Valid on regtest, and nobody's: the key of BIP 173's example.
NOBODY: Final = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}


class Storage(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A volume of its own for each node; without, its data ends with its pod."""

    size: str | int = "10Gi"  #: a Kubernetes quantity
    storage_class_name: str | None = None  #: None: the cluster's default; "": none
    when_deleted: Literal["Retain", "Delete"] = "Retain"  #: of the network, or of a node by scaling down


class Resources(msgspec.Struct, frozen=True):
    """Of each node's container: Kubernetes quantities by name of the resource."""

    requests: dict[str, str | int | float] = {}
    limits: dict[str, str | int | float] = {}


class ObjectName(msgspec.Struct, frozen=True, gc=False):
    """Something in the network's namespace."""

    name: str


class Mining(msgspec.Struct, frozen=True, gc=False):
    """Blocks on a schedule."""

    interval: Annotated[str, msgspec.Meta(pattern="^[1-9][0-9]{0,4}[smh]$")] = "10s"
    address: str = NOBODY  #: who gets the reward
    node: Annotated[int, msgspec.Meta(ge=0)] = 0  #: the ordinal of the one that mines

    @property
    def seconds(self) -> float:
        """The interval."""
        return float(int(self.interval[:-1]) * _SECONDS[self.interval[-1]])


class Snapshot(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A chain that nodes without one begin with."""

    claim_name: str  #: a PersistentVolumeClaim in the network's namespace
    path: str = "."  #: in its volume: the chain's directory, or an archive of it; or the file of a UTXO snapshot
    format: Literal["chain", "utxo"] = "chain"


class Expose(msgspec.Struct, frozen=True):
    """A Service by which the nodes can be reached from elsewhere."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "NodePort"
    annotations: dict[str, str] = {}


class NodeOverride(msgspec.Struct, frozen=True, gc=False):
    """What is otherwise for one node."""

    ordinal: Annotated[int, msgspec.Meta(ge=0)]
    image: str | None = None  #: None: the network's
    config: list[str] = []  #: lines of bitcoin.conf, before the network's


class NetworkSpec(msgspec.Struct, frozen=True, rename="camel"):
    """What the user asks for.

    What is of type dict or list[dict] goes into the pods' template as it is, and has its shape there.
    """

    nodes: Annotated[int, msgspec.Meta(ge=0, le=1000)]
    secret: Annotated[str, msgspec.Meta(min_length=1)] | None = None  #: None: the default credentials
    storage: Storage | None = None
    image: Annotated[str, msgspec.Meta(min_length=1)] | None = None  #: None: the operator's
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None  #: None: by the image's tag
    image_pull_secrets: list[ObjectName] = []
    network: ChainName = REGTEST
    signet_challenge: str | None = None  #: hexadecimal script; a signet has one, no other chain does
    rpc_port: Annotated[int, msgspec.Meta(ge=1024, le=65535)] | None = None  #: None: the chain's
    p2p_port: Annotated[int, msgspec.Meta(ge=1024, le=65535)] | None = None  #: None: the chain's
    config: list[str] = []  #: lines of bitcoin.conf, after ours
    topology: Topology = "auto"
    edges: list[tuple[int, int]] = []  #: of topology "edges"
    partition: list[list[int]] = []  #: ordinals that are kept apart from all others; those named nowhere are one more
    suspend: bool = False
    mining: Mining | None = None
    snapshot: Snapshot | None = None
    expose: Expose | None = None  #: None: the nodes have their own addresses alone
    node_overrides: list[NodeOverride] = []
    resources: Resources | None = None  #: None: what a node on regtest needs
    pod_labels: dict[str, str] = {}
    pod_annotations: dict[str, str] = {}
    node_selector: dict[str, str] = {}
    tolerations: list[dict[str, Any]] = []
    affinity: dict[str, Any] | None = None
    topology_spread_constraints: list[dict[str, Any]] = []
    priority_class_name: str | None = None
    security_context: dict[str, Any] | None = None  #: of the pods; None: user and group 1000
    container_security_context: dict[str, Any] | None = None  #: None: no privileges, a root file system to read only

    @property
    def shape(self) -> Shape:
        """How the nodes that run are linked."""
        groups = tuple(frozenset(group) for group in self.partition)
        return Shape(self.running_nodes, self.topology, tuple(self.edges), groups)

    @property
    def has_utxo_snapshot(self) -> bool:
        """Whether nodes are to load one."""
        return self.snapshot is not None and self.snapshot.format == "utxo"

    @property
    def running_nodes(self) -> int:
        """How many nodes there are to be now."""
        return 0 if self.suspend else self.nodes
