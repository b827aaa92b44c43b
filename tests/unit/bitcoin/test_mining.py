"""When blocks are mined: by a clock that tests move."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from btcctl.bitcoin.mining import Miner, MiningOrder, order_for
from btcctl.bitcoin.rpc import Credentials, InvalidAddress, RpcFailure, RpcUnavailable, WarmingUp
from btcctl.bitcoin.spec.model import NOBODY, Mining
from btcctl.bitcoin.topology import Member
from btcctl.objects import ObjectKey
from btcctl.testing.clock import FakeClock

KEY = ObjectKey("default", "net")
NODE = Member(1, "10.0.0.2", ready=True)
WHO = Credentials("user", "password")


class SetClock(FakeClock):
    """One that somebody sets."""

    off = 0.0  #: by so many seconds

    def wall_time(self) -> datetime:
        return super().wall_time() + timedelta(seconds=self.off)


class Mine:
    """A node that is asked to mine, and the miner."""

    def __init__(self) -> None:
        self.clock = SetClock()
        self.mined: list[float] = []
        self.is_silent = False
        self.refusal: RpcFailure | None = None
        self.told: list[ObjectKey] = []
        self.asked = 0
        self.when_mined: Callable[[], None] = lambda: None
        self.chain = "regtest"
        self.ahead = 0.0  #: how far the times of blocks run ahead
        self.miner = self.start()

    def start(self) -> Miner:
        """A miner that knows nothing."""
        return Miner(
            lambda address, credentials, port=None: self, lambda task: task(), self.told.append, clock=self.clock
        )

    def call(self, method: str, *params: Any, retry: bool = True) -> Any:
        if self.is_silent:
            raise RpcUnavailable("gone")
        if self.refusal is not None and method == "generatetoaddress":
            raise self.refusal
        if method == "generatetoaddress":
            assert (params, retry) == ((1, NOBODY), False)
            self.mined.append(self.now)
            self.when_mined()
            return [f"#{len(self.mined)}"]
        self.asked += 1
        newest = self.mined[-1] if self.mined else 0.0
        return {"chain": self.chain, "bestblockhash": f"#{len(self.mined)}", "time": int(newest + self.ahead)}

    def batch(self, calls: Any) -> list[Any]:
        raise AssertionError("not needed")

    @property
    def now(self) -> float:
        return self.clock.wall_time().timestamp()

    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.miner.start_due()
            self.clock.advance(1)


def order(seconds: float = 10) -> MiningOrder:
    return MiningOrder(NODE, WHO, 18443, seconds, NOBODY)


@pytest.fixture
def mine() -> Mine:
    return Mine()


def gaps(mine: Mine) -> list[float]:
    return [later - earlier for earlier, later in zip(mine.mined, mine.mined[1:], strict=False)]


def test_a_block_comes_at_once_and_then_one_in_each_interval(mine: Mine) -> None:
    mine.miner.want(KEY, order())
    mine.wait(35)
    assert gaps(mine) == [10, 10, 10]


@pytest.mark.parametrize("chain", ["main", "testnet4", "signet"])
def test_on_another_chain_than_regtest_nothing_is_mined(mine: Mine, chain: str) -> None:
    mine.chain = chain
    mine.miner.want(KEY, order())
    mine.wait(30)
    assert mine.mined == []


def test_a_controller_that_starts_anew_keeps_to_the_schedule(mine: Mine) -> None:
    mine.miner.want(KEY, order())
    mine.wait(15)
    mine.miner = mine.start()
    mine.miner.want(KEY, order())
    mine.wait(20)
    assert gaps(mine) == [10, 10, 10]


def test_a_block_mined_by_hand_moves_the_next_one(mine: Mine) -> None:
    mine.miner.want(KEY, order())
    mine.wait(5)
    mine.mined.append(mine.now)
    mine.wait(20)
    assert gaps(mine) == [5, 10]


def test_blocks_whose_times_run_ahead_do_not_stop_it_for_long(mine: Mine) -> None:
    mine.mined.append(mine.now)
    mine.ahead = 3600.0
    mine.miner.want(KEY, order())
    mine.wait(25)
    assert len(mine.mined) == 3


def test_saying_the_same_all_the_time_does_not_make_it_forget_since_when_it_waits(mine: Mine) -> None:
    mine.mined.append(mine.now)
    mine.ahead = 3600.0
    for _ in range(25):
        mine.miner.want(KEY, order())
        mine.wait(1)
    assert len(mine.mined) == 3


@pytest.mark.parametrize("seconds", [-3600.0, 3600.0])
def test_a_clock_that_is_set_does_not_stop_it_and_does_not_make_it_hurry(mine: Mine, seconds: float) -> None:
    mine.miner.want(KEY, order())
    mine.wait(15)
    mine.clock.off = seconds
    mine.wait(40)
    assert 4 <= len(mine.mined) <= 6


def test_saying_the_same_again_changes_nothing_and_another_interval_does(mine: Mine) -> None:
    mine.miner.want(KEY, order())
    mine.wait(1)
    mine.miner.want(KEY, order())
    mine.wait(8)
    assert (len(mine.mined), mine.asked) == (1, 1)
    mine.miner.want(KEY, order(3))
    mine.wait(6)
    assert gaps(mine) == [9, 3]


def test_what_is_wanted_no_longer_is_not_mined(mine: Mine) -> None:
    mine.miner.want(KEY, order())
    mine.wait(1)
    mine.miner.want(KEY, None)
    mine.wait(30)
    assert len(mine.mined) == 1


def test_a_node_that_fails_is_asked_again_after_the_interval(mine: Mine) -> None:
    mine.is_silent = True
    mine.miner.want(KEY, order())
    mine.wait(5)
    mine.is_silent = False
    mine.wait(4)
    assert mine.mined == []
    mine.wait(3)
    assert len(mine.mined) == 1


def test_one_call_to_a_node_is_under_way_at_most() -> None:
    tasks: list[Callable[[], None]] = []
    node = Mine()
    node.miner = Miner(lambda address, credentials, port=None: node, tasks.append, node.told.append, clock=node.clock)
    node.miner.want(KEY, order(1))
    node.wait(5)
    assert len(tasks) == 1


def test_what_is_wanted_no_longer_when_its_turn_comes_is_not_mined() -> None:
    tasks: list[Callable[[], None]] = []
    node = Mine()
    node.miner = Miner(lambda address, credentials, port=None: node, tasks.append, node.told.append, clock=node.clock)
    node.miner.want(KEY, order())
    node.miner.start_due()
    node.miner.want(KEY, None)
    tasks.pop()()
    node.wait(20)
    assert (node.mined, tasks) == ([], [])


def test_what_is_wanted_otherwise_while_a_call_is_under_way_waits_for_its_end() -> None:
    tasks: list[Callable[[], None]] = []
    node = Mine()
    node.miner = Miner(lambda address, credentials, port=None: node, tasks.append, node.told.append, clock=node.clock)
    node.miner.want(KEY, order(30))
    node.miner.start_due()
    for wanted in (None, order(40), order(50)):
        node.miner.want(KEY, wanted)
        node.wait(2)
    assert len(tasks) == 1
    tasks.pop()()
    node.wait(49)
    assert (len(node.mined), len(tasks)) == (1, 0)
    node.wait(3)
    assert len(tasks) == 1


def test_an_interval_that_changes_while_a_block_is_mined_counts_from_that_block(mine: Mine) -> None:
    mine.when_mined = lambda: mine.miner.want(KEY, order(3))
    mine.miner.want(KEY, order(30))
    mine.wait(8)
    assert gaps(mine) == [3, 3]


def test_a_node_that_fails_once_does_not_put_off_its_block_for_hours(mine: Mine) -> None:
    mine.is_silent = True
    mine.miner.want(KEY, order(36_000))
    mine.wait(5)
    mine.is_silent = False
    mine.wait(60)
    assert len(mine.mined) == 1


INVALID = InvalidAddress(-5, "Error: Invalid address")


def test_why_a_node_refuses_to_mine_is_known_until_it_does_and_told_once(mine: Mine) -> None:
    mine.refusal = INVALID
    assert mine.miner.want(KEY, order()) == ""
    mine.wait(60)
    assert "Invalid address" in mine.miner.want(KEY, order())
    assert mine.told == [KEY]
    mine.refusal = None
    mine.wait(15)
    assert mine.miner.want(KEY, order()) == ""
    assert mine.told == [KEY, KEY]


def test_what_a_node_said_to_an_order_is_no_answer_to_the_next_one(mine: Mine) -> None:
    mine.refusal = INVALID
    mine.miner.want(KEY, order())
    mine.wait(2)
    assert mine.miner.want(KEY, order(20)) == ""


@pytest.mark.parametrize("failure", [RpcUnavailable("gone"), WarmingUp(-28, "Loading block index…")])
def test_a_node_that_cannot_answer_yet_refuses_nothing(mine: Mine, failure: RpcFailure) -> None:
    mine.refusal = failure
    mine.miner.want(KEY, order())
    mine.wait(20)
    assert (mine.miner.want(KEY, order()), mine.told) == ("", [])


def test_there_is_an_order_only_for_a_node_that_can_be_asked() -> None:
    mining = Mining("2m", node=1)
    assert order_for(mining, [NODE], WHO, 1) == MiningOrder(NODE, WHO, 1, 120.0, NOBODY)
    assert order_for(mining, [Member(1, "10.0.0.2", ready=False)], WHO, 1) is None
    assert order_for(mining, [Member(0, "10.0.0.1", ready=True)], WHO, 1) is None
    assert order_for(mining, [NODE], None, 1) is None
    elsewhere = order_for(mining, [Member(1, "10.0.0.2", ready=True, rpc_port=18332)], WHO, 1)
    assert elsewhere is not None
    assert elsewhere.rpc_port == 18332
    assert order_for(None, [NODE], WHO, 1) is None
