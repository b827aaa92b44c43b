from typing import Any

import pytest

from btcctl.bitcoin.rpc import MethodNotFound, RpcUnauthorized, RpcUnavailable, WarmingUp
from btcctl.bitcoin.view.looking.calls import ask

CHAIN = {"blocks": 7, "bestblockhash": "seven"}
PEERS = [
    {"addr": "10.0.0.2:18444", "inbound": False, "version": 70016},
    {"addr": "[fd00::1]:18444", "inbound": False, "version": 0},
    {"addr": "10.0.0.3:5000", "inbound": True, "version": 70016},
]
MEMPOOL = {"size": 3, "bytes": 500}


class Rpc:
    def __init__(self, *answers: Any) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def outcomes(self, calls: Any) -> list[Any]:
        self.asked = [method for method, _ in calls]
        if isinstance(self.answers[0], BaseException) and len(self.answers) == 1:
            raise self.answers[0]
        return list(self.answers)


def test_a_node_is_asked_for_everything_in_one_request():
    rpc = Rpc(CHAIN, PEERS, MEMPOOL, {"subversion": "/S:29/"})
    answer = ask(rpc, "uid")
    assert rpc.asked == ["getblockchaininfo", "getpeerinfo", "getmempoolinfo", "getnetworkinfo"]
    assert (answer.uid, answer.height, answer.best, answer.peers) == ("uid", 7, "seven", 3)
    assert (answer.mempool, answer.mempool_bytes, answer.version) == (3, 500, "/S:29/")
    assert answer.dialled == (("10.0.0.2", True), ("fd00::1", False))
    assert answer.problem == ""


def test_what_is_known_already_is_not_asked_again():
    rpc = Rpc(CHAIN, PEERS, MEMPOOL)
    assert ask(rpc, "uid", "/S:29/").version == "/S:29/"
    assert "getnetworkinfo" not in rpc.asked


@pytest.mark.parametrize(
    ("error", "is_starting", "is_refused"),
    [
        (RpcUnavailable("refused"), False, False),
        (RpcUnauthorized("401"), False, True),
        (WarmingUp("loading", -28), True, False),
    ],
)
def test_a_node_that_does_not_answer_says_why(error, is_starting, is_refused):
    answer = ask(Rpc(error), "uid")
    assert answer.problem
    assert (answer.is_starting, answer.is_refused, answer.height) == (is_starting, is_refused, -1)


def test_an_answer_that_makes_no_sense_is_a_problem_and_no_traceback():
    assert ask(Rpc({"blocks": "x"}, [], {}), "uid", "v").problem
    assert ask(Rpc(WarmingUp("loading", -28), PEERS, MEMPOOL), "uid", "v").is_starting


def test_a_node_without_a_mempool_is_drawn_without():
    assert ask(Rpc(CHAIN, [], MethodNotFound("none", -32601)), "uid", "v").mempool == -1
