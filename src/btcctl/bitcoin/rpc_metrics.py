"""How long calls to nodes take and how they fail, as Prometheus sees it: by kind and not by node, to stay small."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from btcctl.bitcoin.mesh import NodeRpc, RpcFor
from btcctl.bitcoin.rpc import Call, Credentials, RpcFailure
from btcctl.bitcoin.rpc_errors import RpcError, RpcOverloaded, RpcTimedOut, RpcUnauthorized, RpcUnavailable
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import DeadlineExceeded

#: A healthy node answers within milliseconds; a look at one takes 3 s at most.
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0, 7.0)
#: A batch is told by its first call.
_KINDS: Final = {"getaddednodeinfo": "look", "getblockhash": "compare"}
_OTHER: Final = frozenset({"addnode", "disconnectnode", "generatetoaddress", "getblockchaininfo"})
# The narrowest first.
_ERRORS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (RpcTimedOut, "timeout"),
    (RpcOverloaded, "overloaded"),
    (RpcUnauthorized, "unauthorized"),
    (RpcUnavailable, "unavailable"),
    (RpcError, "error"),
    (DeadlineExceeded, "timeout"),
)


class RpcMetrics:
    """Counts in a registry."""

    def __init__(self, registry: CollectorRegistry, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._seconds = Histogram(
            "btcctl_bitcoin_rpc_duration_seconds",
            "How long calls to nodes took, failed ones included.",
            ["kind"],
            buckets=BUCKETS,
            registry=registry,
        )
        self._errors = Counter(
            "btcctl_bitcoin_rpc_errors",
            "Calls to nodes that failed: error is what the node answered, all else had no usable answer.",
            ["kind", "reason"],
            registry=registry,
        )

    def counted(self, rpc_for: RpcFor) -> RpcFor:
        """Makes clients whose calls are counted."""

        def make(address: str, credentials: Credentials, port: int | None = None) -> NodeRpc:
            return _CountedRpc(rpc_for(address, credentials, port), self)

        return make

    def count(self, kind: str, began: float, error: BaseException | None) -> None:
        """Count a call.

        Args:
            began: By the clock's `now`.
        """
        self._seconds.labels(kind).observe(self._clock.now() - began)
        if error is not None:
            self._errors.labels(kind, _reason(error)).inc()

    def now(self) -> float:
        return self._clock.now()


class _CountedRpc:
    def __init__(self, rpc: NodeRpc, metrics: RpcMetrics) -> None:
        self._rpc = rpc
        self._metrics = metrics

    def call(self, method: str, *params: Any, retry: bool = True) -> Any:
        began, error = self._metrics.now(), None
        try:
            return self._rpc.call(method, *params, retry=retry)
        except (RpcFailure, DeadlineExceeded) as raised:
            error = raised
            raise
        finally:
            self._metrics.count(_kind(method), began, error)

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        began, error = self._metrics.now(), None
        try:
            return self._rpc.batch(calls)
        except (RpcFailure, DeadlineExceeded) as raised:
            error = raised
            raise
        finally:
            self._metrics.count(_kind(calls[0][0] if calls else ""), began, error)


def _kind(method: str) -> str:
    return method if method in _OTHER else _KINDS.get(method, "other")


def _reason(error: BaseException) -> str:
    return next((reason for type_, reason in _ERRORS if isinstance(error, type_)), "unavailable")
