"""What `spec` of a BitcoinNetwork is made of."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct

from btcctl.bitcoin.definition.lines import ConfigLine
from btcctl.crds.annotations import Int32, matching, obeys
from btcctl.typed.definition import Rule

Ordinal: TypeAlias = Annotated[Int32, Meta(ge=0, le=999, description="The number at the end of the pod's name.")]
Port: TypeAlias = Annotated[Int32, Meta(ge=1024, le=65535)]
Image: TypeAlias = Annotated[
    str,
    Meta(min_length=1, max_length=1024),
    obeys(
        Rule(
            r"self.matches('^[A-Za-z0-9\\[][!-~]*$')",
            "an image is a reference without blanks, for example registry.example/bitcoind:29.0",
        )
    ),
]
AnnotationValue: TypeAlias = Annotated[str, Meta(max_length=65536, description="The annotation's value.")]
LabelValue: TypeAlias = Annotated[
    str,
    Meta(max_length=63, pattern="^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$", description="The label's value."),
]
#: The name of an object of most kinds: a subdomain as DNS has them.
NAME_PATTERN: Final = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
ObjectName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=253, pattern=NAME_PATTERN)]
Quantity: TypeAlias = Annotated[
    int | str,
    Meta(description="A quantity.", extra_json_schema={"minimum": 0}),
    matching(r"^[+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(([eE][-+]?[0-9]+)|([KMGTPE]i)|[numkMGTPE])?$"),
]
Quantities: TypeAlias = Annotated[dict[str, Quantity], Meta(max_length=20)]


class Storage(Struct, rename="camel"):
    """Gives each node a volume of its own, so that its chain outlives its pod. Cannot be changed afterwards.

    Attributes:
        size: How large each volume is, for example 10Gi.
        storage_class_name: The StorageClass of the volumes; the cluster's default if there is none.
        when_deleted: What becomes of the volumes when the network is deleted, or scaled down. Retain keeps them for a
            network of the same name.
    """

    size: Annotated[
        int | str,
        Meta(extra_json_schema={"minimum": 1}),
        matching("^0*[1-9][0-9]*(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$"),
    ] = "10Gi"
    storage_class_name: Annotated[str, Meta(max_length=253, pattern=f"^$|{NAME_PATTERN}")] | None = None
    when_deleted: Literal["Retain", "Delete"] = "Retain"


class ImagePullSecret(Struct, rename="camel"):
    """A Secret.

    Attributes:
        name: The Secret's name.
    """

    name: ObjectName


class NodeOverride(Struct, rename="camel"):
    """What is otherwise for one node.

    Attributes:
        ordinal: The number at the end of the pod's name.
        image: The container image of this node, in place of the network's. The pod keeps its data: its container alone
            is started again.
        config: Lines of bitcoin.conf for this node. They go before the network's, and of two lines for one option that
            has one value the first counts.
    """

    ordinal: Ordinal
    image: Image | None = None
    config: Annotated[list[ConfigLine], Meta(max_length=16)] | None = None


class Snapshot(Struct, rename="camel"):
    """A chain that nodes begin with that have none yet: a volume that is read only, and where it is there. What a node
    has already is never touched.

    Attributes:
        claim_name: Name of a PersistentVolumeClaim in the same namespace, for example data-my-network-sts-0.
        path: The chain's directory in the volume, for example regtest, or a tar archive of it, for example
            chain.tar.gz; blocks and chainstate stand at the top. With format utxo the file that dumptxoutset has
            written, which has no default.
        format: What it is: a chain with all its blocks, or a UTXO snapshot, which Bitcoin Core takes only of the blocks
            that it was built for, and only once it has their headers from somebody.
    """

    __rules__ = (
        Rule(
            "self.format != 'utxo' || self.path != '.'",
            "format utxo needs the path of a file, as dumptxoutset wrote it",
        ),
    )

    claim_name: Annotated[
        str,
        Meta(max_length=253),
        obeys(
            Rule("self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')", "claimName is the name of a PersistentVolumeClaim")
        ),
    ]
    path: Annotated[
        str,
        Meta(max_length=500),
        obeys(
            Rule(
                "self.matches('^[A-Za-z0-9._][A-Za-z0-9._/-]*$') && !self.contains('..')",
                "path is relative to the volume, of letters, digits, '.', '_', '-' and '/', without '..'",
            )
        ),
    ] = "."
    format: Literal["chain", "utxo"] = "chain"


class Expose(Struct, rename="camel"):
    """A Service, named after the network and -rpc, that leads to a ready node: for RPC and for other nodes from outside
    of the network. Without, there is none.

    Attributes:
        type: From where it can be reached, as in a Service.
        annotations: What a load balancer wants to know.
    """

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "NodePort"
    annotations: Annotated[dict[str, AnnotationValue], Meta(max_length=50)] | None = None


class Mining(Struct, rename="camel"):
    """Mines a block each time that the newest one is older than the interval; on regtest only. Without, blocks are
    mined by hand alone.

    Attributes:
        interval: How old the newest block gets, for example 30s, 10m or 1h.
        address: Who gets the reward; nobody without.
        node: The ordinal of the node that mines.
    """

    interval: Annotated[
        str,
        Meta(max_length=6),
        obeys(Rule("self.matches('^[1-9][0-9]{0,4}[smh]$')", "an interval is a number and s, m or h, for example 30s")),
    ] = "10s"
    address: (
        Annotated[
            str,
            Meta(max_length=100),
            obeys(
                Rule(
                    "self.matches('^(bcrt1[ac-hj-np-z02-9]{11,87}|[mn2][1-9A-HJ-NP-Za-km-z]{25,39})$')",
                    "an address of regtest begins with bcrt1, m, n or 2",
                )
            ),
        ]
        | None
    ) = None
    node: Ordinal = 0


class Resources(Struct, rename="camel"):
    """What each node's container asks for and may use, in place of 25m CPU, 96Mi and at most 768Mi of memory. The
    caches of a node follow from the limit of its memory.

    Attributes:
        requests: Amounts by resource, for example cpu 500m, memory 1Gi.
        limits: Amounts by resource, for example cpu 500m, memory 1Gi.
    """

    requests: Quantities | None = None
    limits: Quantities | None = None
