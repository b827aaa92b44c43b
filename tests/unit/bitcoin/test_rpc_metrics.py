from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from btcctl.bitcoin.rpc import Credentials
from btcctl.bitcoin.rpc_errors import AlreadyAdded, RpcFailure, RpcForbidden, RpcOverloaded, RpcTimedOut, RpcUnavailable
from btcctl.bitcoin.rpc_metrics import RpcMetrics
from btcctl.testing.clock import FakeClock


class Node:
    """Takes a quarter of a second for each call."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.error: RpcFailure | None = None
        self.registry = CollectorRegistry()
        metrics = RpcMetrics(self.registry, clock=self.clock)
        self.rpc = metrics.counted(lambda address, credentials, port=None: self)("10.0.0.1", Credentials("", ""), 1)

    def call(self, _method: str, *_params: Any, retry: bool = True) -> Any:
        return self._answer(retry)

    def batch(self, _calls: Any) -> Any:
        return self._answer([])

    def _answer(self, answer: Any) -> Any:
        self.clock.advance(0.25)
        if self.error is not None:
            raise self.error
        return answer

    def sample(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"btcctl_bitcoin_rpc_{name}", labels)


@pytest.fixture
def node() -> Node:
    return Node()


def test_calls_are_timed_by_kind_and_answered_as_they_were(node: Node) -> None:
    assert node.rpc.call("generatetoaddress", 1, "x", retry=False) is False
    assert node.rpc.batch([("getaddednodeinfo", ()), ("getpeerinfo", ())]) == []
    node.rpc.call("addnode", "10.0.0.2", "add")
    node.rpc.call("addnode", "10.0.0.2", "onetry")
    kinds = ("generatetoaddress", "look", "addnode")
    assert [node.sample("duration_seconds_count", kind=kind) for kind in kinds] == [1, 1, 2]
    assert node.sample("duration_seconds_sum", kind="addnode") == 0.5


def test_a_method_of_anybodys_making_makes_no_kind_of_its_own(node: Node) -> None:
    node.rpc.call("getsomethingelse")
    assert node.sample("duration_seconds_count", kind="other") == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RpcTimedOut("late"), "timeout"),
        (RpcUnavailable("gone"), "unavailable"),
        (RpcOverloaded("busy"), "overloaded"),
        (RpcForbidden("no", 403), "unauthorized"),
        (AlreadyAdded(-23, "Error"), "error"),
    ],
)
def test_failures_are_counted_by_reason_and_raised(node: Node, error: RpcFailure, reason: str) -> None:
    node.error = error
    with pytest.raises(type(error)):
        node.rpc.call("addnode", "10.0.0.2", "add")
    assert node.sample("errors_total", kind="addnode", reason=reason) == 1
    assert node.sample("duration_seconds_count", kind="addnode") == 1
