"""How many pods a network has for now, where fewer are asked for than there are. Pure.

Without volumes the chain is where the pods are. A StatefulSet takes those with the greatest ordinals away, all at once;
if those that stay have just been made, and have no blocks yet, the chain would go with them.
"""

from __future__ import annotations

from collections.abc import Iterable

from btcctl.bitcoin.pods import NodePod
from btcctl.bitcoin.status import Heights
from btcctl.bitcoin.types import BitcoinNetwork


def has_to_keep(network: BitcoinNetwork, heights: Heights, *, gated: bool) -> bool:
    """Whether pods are all that has blocks, and are ready only once they have them."""
    return gated and network.spec.storage is None and network.spec.running_nodes > 0 and heights.highest > 0


def replicas_for_now(wanted: int, pods: Iterable[NodePod]) -> int:
    """As many as are asked for, once one of those that stay has the chain; until then one more that has it.

    Args:
        wanted: How many are asked for.
        pods: All that there are, each ready only if it has the chain.
    """
    ready = [pod.ordinal for pod in pods if pod.ready]
    first = min(ready, default=0)
    return first + 1 if first >= wanted else wanted
