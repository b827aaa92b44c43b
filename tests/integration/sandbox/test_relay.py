"""How fast simulated nodes pass blocks on that are mined in bulk."""

from __future__ import annotations

from pathlib import Path

from btcctl.clock import SYSTEM_CLOCK
from tests.integration.sandbox.nodes import TestNode, farm_of
from tests.integration.support import eventually

BLOCKS, PORTION = 30_000, 1_000
LIMIT_SECONDS = 60.0  # it takes four on a quiet machine, and took more than two minutes there


def connect(nodes: list[TestNode]) -> None:
    """As the operator does it: each dials all others."""
    for node in nodes:
        for other in nodes:
            if other is not node:
                node.call("addnode", other.ip, "add")
                node.call("addnode", other.ip, "onetry")
    eventually(lambda: all(len(node.outbound()) == len(nodes) - 1 for node in nodes))


def test_thirty_thousand_blocks_mined_in_bulk_reach_three_nodes_in_a_minute(tmp_path: Path) -> None:
    with farm_of(None, tmp_path) as farm:
        nodes = farm.start(3)
        connect(nodes)
        began = SYSTEM_CLOCK.now()
        for _ in range(BLOCKS // PORTION):
            best = nodes[0].mine(PORTION)
        eventually(lambda: all(node.best() == best for node in nodes), LIMIT_SECONDS)
        assert SYSTEM_CLOCK.now() - began < LIMIT_SECONDS
