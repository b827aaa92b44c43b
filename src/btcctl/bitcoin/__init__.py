"""The operator: a BitcoinNetwork becomes one peer-to-peer network of nodes, and stays one.

    from btcctl.bitcoin import Credentials, RpcClient

calls a node; every name of `__all__` can be imported from here, and is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from btcctl.bitcoin.rpc import Credentials as Credentials
    from btcctl.bitcoin.rpc import RpcClient as RpcClient
    from btcctl.bitcoin.rpc import RpcConnections as RpcConnections
    from btcctl.bitcoin.rpc_errors import RpcError as RpcError
    from btcctl.bitcoin.rpc_errors import RpcFailure as RpcFailure
    from btcctl.bitcoin.rpc_errors import RpcUnauthorized as RpcUnauthorized
    from btcctl.bitcoin.rpc_errors import RpcUnavailable as RpcUnavailable

__all__ = [
    "Credentials",
    "RpcClient",
    "RpcConnections",
    "RpcError",
    "RpcFailure",
    "RpcUnauthorized",
    "RpcUnavailable",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module("btcctl.bitcoin.rpc"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
