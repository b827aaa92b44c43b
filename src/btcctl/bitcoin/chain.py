"""Which nodes have the network's chain, and whether some of it was lost. Pure.

The network's height is the highest block that a node has, has heard of from a peer, or was seen to have before
and may still have: a node that does not answer us may hold what the others do not. It is waited for, and not for ever.

Nodes that are kept apart cannot have each other's blocks, so each part of a parted network has a height of its own.
What one node alone has is lost with its pod, unless that has a volume: so who is alone in a part, and has none, is let
in with less only if the network's height is in a part of several.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec

from btcctl.bitcoin.topology import MAX_HEIGHT
from btcctl.bitcoin.wording import printable


@dataclass(frozen=True, slots=True)
class NodeChain:
    """What a node says of its chain."""

    blocks: int  #: the height of its best block
    heard: int = -1  #: the greatest height, as far as it knows, of a peer that does not say it itself; -1: of none
    best_block: str = ""  #: the hash of its best block; "" if it does not say
    tip_time: int = 0  #: that block's own, in seconds since 1970; 0 if it does not say
    chain: str = ""  #: regtest, signet …; "" if it does not say


class ChainInfo(msgspec.Struct, gc=False):
    """What is read of `getblockchaininfo`."""

    blocks: Annotated[int, msgspec.Meta(ge=0, le=MAX_HEIGHT)] = 0
    bestblockhash: Annotated[str, msgspec.Meta(max_length=64)] = ""
    time: Annotated[int, msgspec.Meta(ge=0, le=2**32)] = 0  # a uint32 of the block's header
    chain: Annotated[str, msgspec.Meta(max_length=64)] = ""
    initialblockdownload: bool = False

    @property
    def chain_of_node(self) -> NodeChain:
        """The same in our words."""
        return NodeChain(self.blocks, -1, printable(self.bestblockhash), self.time, self.chain)


class NetworkInfo(msgspec.Struct, gc=False):
    """What is read of `getnetworkinfo`."""

    subversion: str = ""
    networkactive: bool = True


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What a node says of itself beside."""

    version: str = ""  #: its name for itself, for example Satoshi:29.0.0
    links_in: int = 0  #: connections of others to it that have been greeted through
    links_out: int = 0  #: likewise, those that it made


@dataclass(frozen=True, slots=True)
class ChainView:
    """What all nodes together say.

    Attributes:
        nodes: By ordinal, those that answered.
        is_whole: Every node that may have blocks has answered.
        remembered: The height that was seen before.
        is_waited_for: One of those that have not answered may still do so soon.
        parts: The ordinals that have a way to each other; () if all have.
        has_volumes: What a node has outlives its pod.
    """

    nodes: Mapping[int, NodeChain]
    is_whole: bool
    remembered: int
    is_waited_for: bool = True
    parts: Collection[frozenset[int]] = ()
    has_volumes: bool = False

    @property
    def height(self) -> int | None:
        """The highest block that a node has; None if none answered."""
        return max((node.blocks for node in self.nodes.values()), default=None)

    @property
    def target(self) -> int:
        """What a node must have before another may be replaced, if all have a way to each other.

        Blocks that only nodes have which have been silent for long keep nobody out: what waits for us may be just what
        mends them.
        """
        return self._target(self.nodes)

    def target_of(self, ordinal: int) -> int:
        """What this node must have before another may be replaced."""
        part = next((each for each in self.parts if ordinal in each), None)
        if part is None or not (self.has_volumes or len(part) > 1 or self._is_safe_elsewhere()):
            return self.target
        return self._target(part)

    def _target(self, ordinals: Collection[int]) -> int:
        nodes = [self.nodes[each] for each in ordinals if each in self.nodes]
        heights = [max(node.blocks, node.heard) for node in nodes]
        waits = not self.is_whole and self.is_waited_for
        return max([*heights, self.remembered if waits else 0])

    def _is_safe_elsewhere(self) -> bool:
        """Whether more nodes than one can have the network's height."""
        several = frozenset().union(*(part for part in self.parts if len(part) > 1))
        return any(node.blocks >= self.target for ordinal, node in self.nodes.items() if ordinal in several)

    @property
    def synced(self) -> frozenset[int]:
        """The ordinals of the nodes that have what they must have."""
        rest = self.nodes.keys() - frozenset().union(*self.parts)
        found = (part & self.nodes.keys() for part in (*self.parts, rest))
        return frozenset(each for part in found if part for each in self._synced_in(part))

    def _synced_in(self, part: Collection[int]) -> frozenset[int]:
        target = self.target_of(min(part))
        return frozenset(ordinal for ordinal in part if self.nodes[ordinal].blocks >= target)

    @property
    def lost_from(self) -> int | None:
        """The height from which the chain has shrunk, or None: it has not, or that cannot be known yet."""
        height = self.height
        shrunk = self.is_whole and height is not None and height < self.remembered
        return self.remembered if shrunk else None
