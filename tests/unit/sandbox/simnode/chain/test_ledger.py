from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from btcctl.sandbox.simnode.chain.block import Block
from btcctl.sandbox.simnode.chain.block_file import BlockFile
from btcctl.sandbox.simnode.chain.chain import InvalidBlock
from btcctl.sandbox.simnode.chain.ledger import Ledger
from btcctl.testing.clock import FakeClock
from tests.unit.sandbox.simnode.chain.blocks import branch

DAY_SECONDS = 24 * 60 * 60


def test_blocks_survive_a_restart_with_their_order(tmp_path: Path) -> None:
    first, second = branch(2, "b"), branch(2, "c")
    ledger = Ledger(tmp_path / "blocks")
    for block in (*first, *second):
        ledger.add(block)
    ledger.close()
    again = Ledger(tmp_path / "blocks")
    assert again.chain.tip.block == first[-1]
    assert len(again.chain.leaves()) == 2
    again.close()


@pytest.mark.parametrize("broken", ["7f.", "nonsense\n", "00.00\n", "ü\n"])
def test_what_follows_a_broken_line_is_dropped_and_written_over(tmp_path: Path, broken: str) -> None:
    blocks = branch(3)
    with BlockFile(tmp_path / "blocks") as file:
        file.append(blocks[0])
    with (tmp_path / "blocks").open("a") as raw:
        raw.write(broken)
    with BlockFile(tmp_path / "blocks") as file:
        assert list(file.read()) == blocks[:1]
        file.append(blocks[1])
    with BlockFile(tmp_path / "blocks") as file:
        assert list(file.read()) == blocks[:2]


def test_a_whole_block_without_its_line_end_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "blocks").write_text(branch(1)[0].encode())
    with BlockFile(tmp_path / "blocks") as file:
        assert list(file.read()) == []


def test_mined_blocks_are_later_than_the_median_though_the_clock_stands_still(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "blocks", FakeClock())
    mined = [ledger.generate("me") for _ in range(30)]
    assert len({block.hash for block in mined}) == 30
    assert ledger.chain.tip.block == mined[-1]
    ledger.close()


def test_a_tip_younger_than_a_day_once_ends_the_initial_download(tmp_path: Path) -> None:
    clock = FakeClock(wall_time=datetime(2026, 1, 1, tzinfo=UTC))
    ledger = Ledger(tmp_path / "blocks", clock)
    assert ledger.is_initial_download()
    ledger.generate("me")
    assert not ledger.is_initial_download()
    clock.advance(3 * DAY_SECONDS)
    assert not ledger.is_initial_download()
    ledger.close()
    restarted = Ledger(tmp_path / "blocks", clock)
    assert restarted.is_initial_download()
    restarted.close()


def test_a_refused_block_is_not_written(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "blocks")
    orphan: Block = branch(2)[1]
    with pytest.raises(InvalidBlock):
        ledger.add(orphan)
    ledger.close()
    assert (tmp_path / "blocks").read_bytes() == b""
