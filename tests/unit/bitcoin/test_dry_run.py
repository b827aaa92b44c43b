from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from btcctl.bitcoin.dry_run import read_only
from btcctl.bitcoin.rpc import Call, Credentials

CREDENTIALS = Credentials("u", "p")


class Node:
    """Notes what it is really asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def call(self, method: str, *params: Any) -> str:
        self.asked.append(method)
        return "answer"

    def batch(self, calls: Sequence[Call]) -> list[str]:
        return [self.call(method) for method, _ in calls]


def test_what_reads_is_called_and_of_the_rest_is_told() -> None:
    node = Node()
    told: list[tuple[str, str, Sequence[Any]]] = []
    rpc = read_only(lambda _address, _credentials, _port=None: node, lambda *call: told.append(call))(
        "10.0.0.1", CREDENTIALS
    )
    assert rpc.batch([("getaddednodeinfo", ()), ("getpeerinfo", ())]) == ["answer", "answer"]
    assert rpc.call("getpeerinfo") == "answer"
    assert rpc.call("addnode", "10.0.0.2", "add") is None
    assert rpc.batch([("getpeerinfo", ()), ("stop", ())]) == ["answer", None]
    assert node.asked == ["getaddednodeinfo", "getpeerinfo", "getpeerinfo", "getpeerinfo"]
    assert told == [("10.0.0.1", "addnode", ("10.0.0.2", "add")), ("10.0.0.1", "stop", ())]
