from __future__ import annotations

from typing import Any

import msgspec
import pytest

from btcctl.bitcoin.chain import ChainView, NodeChain
from btcctl.bitcoin.mesh import MeshReport
from btcctl.bitcoin.pods import NodePod
from btcctl.bitcoin.progress import chain_view, heights_after, progress_of, with_progress
from btcctl.bitcoin.spec.model import Storage
from btcctl.bitcoin.status import Heights
from tests.unit.bitcoin.builders import network


def pod(ordinal: int, **facts: Any) -> NodePod:
    known = {"address": f"10.0.0.{ordinal + 1}", "ready": True, "answers": True, "terminating": False} | facts
    return NodePod(name=f"net-sts-{ordinal}", uid="uid", ordinal=ordinal, kube_node="machine", **known)


def report(*blocks: int) -> MeshReport:
    return MeshReport(chains={ordinal: NodeChain(height) for ordinal, height in enumerate(blocks)})


def test_the_view_is_whole_once_every_pod_that_may_have_blocks_has_answered() -> None:
    assert chain_view(network(), [pod(0), pod(1)], report(7, 7), 9).is_whole
    assert not chain_view(network(), [pod(0), pod(1), pod(2)], report(7, 7), 9).is_whole


def test_a_pod_that_goes_or_has_no_address_yet_is_not_waited_for() -> None:
    pods = [pod(0), pod(1, terminating=True), pod(2, address="")]
    assert chain_view(network(), pods, report(7), 9).is_whole


def test_a_volume_without_a_pod_may_have_what_no_node_has() -> None:
    stored = network()
    stored = msgspec.structs.replace(stored, spec=msgspec.structs.replace(stored.spec, storage=Storage()))
    assert not chain_view(stored, [pod(0)], report(7), 9).is_whole


@pytest.mark.parametrize(
    ("blocks", "remembered", "lost", "heights"),
    [
        (9, 7, 0, Heights(9, 0)),  # it grew
        (5, 7, 0, Heights(5, 7)),  # it shrank
        (4, 5, 7, Heights(4, 7)),  # and again: the greater loss counts
        (6, 5, 7, Heights(6, 7)),  # it grows, and is not yet what it was
        (7, 6, 7, Heights(7, 0)),  # it is
    ],
)
def test_what_is_remembered_after_a_look(blocks: int, remembered: int, lost: int, heights: Heights) -> None:
    assert heights_after(ChainView({0: NodeChain(blocks)}, is_whole=True, remembered=remembered), lost) == heights


def test_as_long_as_not_all_have_answered_nothing_is_lost() -> None:
    view = ChainView({0: NodeChain(5)}, is_whole=False, remembered=7)
    assert heights_after(view, 0) == Heights(7, 0)


def test_who_is_held_back_is_said_to_sync_and_how_far_it_is() -> None:
    held = pod(1, ready=False, awaits_sync=True)
    dumb = pod(2, ready=False, answers=False, awaits_sync=True, reason="NotAnswering")
    progress = progress_of([pod(0), held, dumb], ChainView(report(9, 4).chains, is_whole=True, remembered=9))
    told = with_progress([pod(0), held, dumb], progress)
    assert [each.reason for each in told] == ["", "Syncing", "NotAnswering"]
    assert told[1].message == "it has 4 of 9 blocks"
