"""A BitcoinNetwork as typed values, as the operator reads it. `btcctl.bitcoin.definition` has its definition."""

from __future__ import annotations

from typing import Final

import msgspec

from btcctl.bitcoin.spec.model import NetworkSpec
from btcctl.controller.writing.conditions import Condition
from btcctl.errors import ObjectDecodeError
from btcctl.objects import Object
from btcctl.resources import ResourceType

DOMAIN: Final = "bitcoincontroller.christianb93.github.com"
BITCOIN_NETWORKS: Final = ResourceType(DOMAIN, "v1", "bitcoinnetworks", "BitcoinNetwork")

READY: Final = "Ready"
MESH_READY: Final = "MeshReady"
CREDENTIALS_READY: Final = "CredentialsReady"
CONFLICT: Final = "Conflict"
CONTESTED: Final = "Contested"
CHAIN_INTACT: Final = "ChainIntact"
ACCEPTED_LOSS: Final = f"{DOMAIN}/accepted-loss"  #: an annotation: the height lost
SYNCED: Final = "Synced"
PROGRESSING: Final = "Progressing"
SNAPSHOT_LOADED: Final = "SnapshotLoaded"  #: only of a network that begins with a UTXO snapshot
MINING: Final = "Mining"  #: only of a network whose blocks are mined on a schedule
FORBIDDEN: Final = "Forbidden"  #: only of a network for which something was refused


class NodeStatus(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One node, as its pod shows it."""

    ordinal: int
    ready: bool
    ip: str = ""  #: "" while the pod has no address
    node_name: str = ""  #: "" while the pod is not scheduled
    dns_name: str = ""
    reason: str = ""  #: why it is not ready, in one word; "" if it is
    message: str = ""  #: the same for people, at most `MAX_REASON_CHARACTERS`
    restarts: int = 0  #: of its container
    height: int | msgspec.UnsetType = msgspec.UNSET  #: of its best block; unset while it has not said
    best_block: str = ""  #: that block's hash
    tip_time: str = ""  #: that block's own time, RFC 3339
    links_in: int | msgspec.UnsetType = msgspec.UNSET  #: greeted connections of others to it
    links_out: int | msgspec.UnsetType = msgspec.UNSET  #: likewise, its own
    version: str = ""  #: the node's name for itself, for example Satoshi:29.0.0


class NetworkStatus(msgspec.Struct, frozen=True, rename="camel"):
    """What the controller saw last."""

    observed_generation: int = 0
    ready_nodes: int = 0
    selector: str = ""
    height: int = 0  #: of the highest block that a node was seen to have
    lost_height: int = 0  #: of the highest block that was lost and is not made up for yet; 0 if none was
    controller: str = ""  #: the installation that looks after it, by its Lease: namespace/name; "" has none
    tips: int = 0  #: ends of branches that nodes are on
    deepest_fork: int = 0  #: the most blocks that nodes would give up if all went over to the highest chain
    synced_nodes: int = 0  #: that have the highest block, or the one before
    version: str = ""  #: of the nodes; several, if they differ
    image: str = ""  #: of the nodes
    nodes: list[NodeStatus] = []
    conditions: list[Condition] = []

    def condition(self, type_: str) -> Condition | None:
        return next((each for each in self.conditions if each.type == type_), None)


class NetworkMeta(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The part of `metadata` that the operator reads."""

    name: str
    namespace: str
    uid: str
    generation: int = 0
    resource_version: str = ""
    deletion_timestamp: str | None = None


class BitcoinNetwork(msgspec.Struct, frozen=True):
    """One network, decoded by `from_object`."""

    metadata: NetworkMeta
    spec: NetworkSpec
    status: NetworkStatus = NetworkStatus()

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def namespace(self) -> str:
        return self.metadata.namespace

    def with_secret(self, name: str | None) -> BitcoinNetwork:
        """The same, with another Secret, or none."""
        return msgspec.structs.replace(self, spec=msgspec.structs.replace(self.spec, secret=name))

    @classmethod
    def from_object(cls, obj: Object) -> BitcoinNetwork:
        """Decode; a status that does not fit, as an older controller may have written it, counts as none.

        Raises:
            ObjectDecodeError: The spec does not fit its schema.
        """
        frame = obj.decode(_SpecFrame)
        return cls(frame.metadata, frame.spec, decode_status(obj))


def decode_status(obj: Object) -> NetworkStatus:
    """The status of a network whose spec may be anything; one that does not fit counts as none."""
    try:
        return obj.decode(_StatusFrame).status
    except ObjectDecodeError:
        return NetworkStatus()


class _SpecFrame(msgspec.Struct, gc=False):
    metadata: NetworkMeta
    spec: NetworkSpec


class _StatusFrame(msgspec.Struct):
    status: NetworkStatus = NetworkStatus()
