"""From what the nodes said of their chains to what is done and said about it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from btcctl.bitcoin.chain import ChainView
from btcctl.bitcoin.mesh import MeshReport
from btcctl.bitcoin.pod_problems import MAX_REASON_CHARACTERS
from btcctl.bitcoin.pods import NodePod
from btcctl.bitcoin.status import Heights
from btcctl.bitcoin.topology import MAX_HEIGHT
from btcctl.bitcoin.types import ACCEPTED_LOSS, BitcoinNetwork
from btcctl.bitcoin.wording import bounded


def silent_holders(network: BitcoinNetwork, pods: Sequence[NodePod], report: MeshReport) -> frozenset[int]:
    """The ordinals of nodes that may have blocks, and have not said which."""
    holders = {pod.ordinal for pod in pods if pod.address and not pod.terminating}
    if network.spec.storage is not None:  # a volume has blocks even while it has no pod
        holders |= set(range(network.spec.nodes))
    return frozenset(holders - report.chains.keys())


def chain_view(
    network: BitcoinNetwork,
    pods: Sequence[NodePod],
    report: MeshReport,
    remembered: int,
    *,
    is_waited_for: bool = True,
) -> ChainView:
    """What the nodes say of the chain.

    Args:
        remembered: The network's height before.
        is_waited_for: One of `silent_holders` has not been silent for long.
    """
    parts = network.spec.shape.parts()
    return ChainView(
        report.chains,
        not silent_holders(network, pods, report),
        remembered,
        is_waited_for,
        parts if len(parts) > 1 else (),
        network.spec.storage is not None,
    )


def accepted_loss(annotations: Mapping[str, str]) -> int | None:
    """The height whose loss somebody has accepted; None if nobody has."""
    text = annotations.get(ACCEPTED_LOSS, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(MAX_HEIGHT)) else None


def heights_after(view: ChainView, lost: int, accepted: int | None = None) -> Heights:
    """What is remembered of the chain after a look at it.

    Args:
        lost: The height that was lost before, and not made up for; 0 if none was.
        accepted: The loss that somebody has accepted: this very one, said before, and none that comes after it. No
            chain may ever grow as high as a node once claimed that lied, or that has invalidated its blocks.
    """
    height = view.height or 0
    if view.lost_from is not None:
        return Heights(height, max(lost, view.lost_from))
    highest = max(height, view.remembered)
    return Heights(highest, 0 if highest >= lost or lost == accepted else lost)


def progress_of(pods: Sequence[NodePod], view: ChainView) -> dict[int, str]:
    """How far those are that are held back for want of blocks."""
    return {
        pod.ordinal: f"it has {view.nodes[pod.ordinal].blocks} of {view.target_of(pod.ordinal)} blocks"
        for pod in pods
        if pod.awaits_sync and pod.answers and pod.ordinal in view.nodes
    }


def with_words(pods: Sequence[NodePod], words: Mapping[tuple[int, str], str]) -> list[NodePod]:
    """The pods, with what others say of those that are not ready.

    Args:
        words: By ordinal and the reason that they are about; "" if nobody says anything.
    """
    return [
        replace(pod, message=bounded(f"{pod.message}: {found}", MAX_REASON_CHARACTERS))
        if (found := words.get((pod.ordinal, pod.reason)))
        else pod
        for pod in pods
    ]


def with_progress(pods: Sequence[NodePod], progress: Mapping[int, str]) -> list[NodePod]:
    """The pods, with words of ours for what a kubelet calls a readiness gate."""
    return [
        replace(pod, reason="Syncing", message=progress.get(pod.ordinal, "it is catching up with the network's chain"))
        if pod.awaits_sync and pod.answers and not pod.ready
        else pod
        for pod in pods
    ]
