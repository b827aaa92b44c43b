"""RPC that only reads, and tells of the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from btcctl.bitcoin.mesh import NodeRpc, RpcFor
from btcctl.bitcoin.rpc import Call, Credentials

#: What changes nothing in a node. All else counts as a change.
READS: Final = frozenset(
    {
        *("getaddednodeinfo", "getblockchaininfo", "getblockcount", "getblockhash", "getchainstates", "getnetworkinfo"),
        *("getpeerinfo", "getrpcinfo"),
    }
)

Tell = Callable[[str, str, Sequence[Any]], None]  #: takes a node's address, a method and its parameters


class ReadOnlyRpc:
    """A client that carries out calls that read; of the others it tells, and answers null."""

    def __init__(self, rpc: NodeRpc, address: str, tell: Tell) -> None:
        self._rpc = rpc
        self._address = address
        self._tell = tell

    def call(self, method: str, *params: Any, retry: bool = True) -> Any:
        """See `RpcClient.call`."""
        if method in READS:
            return self._rpc.call(method, *params)
        self._tell(self._address, method, params)
        return None

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """See `RpcClient.batch`."""
        if all(method in READS for method, _ in calls):
            return self._rpc.batch(calls)
        return [self.call(method, *params) for method, params in calls]


def read_only(rpc_for: RpcFor, tell: Tell) -> RpcFor:
    """Makes clients that only read."""

    def make(address: str, credentials: Credentials, port: int | None = None) -> NodeRpc:
        return ReadOnlyRpc(rpc_for(address, credentials, port), address, tell)

    return make
