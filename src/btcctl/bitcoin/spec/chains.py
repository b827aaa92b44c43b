"""The chains that a network may run, and where their nodes listen (Bitcoin Core, chainparamsbase.cpp, chainparams.cpp).

Mainnet is none of them: what is for trying things out must not touch money.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

ChainName = Literal["regtest", "signet", "testnet4"]


class Ports(NamedTuple):
    """Where a node takes calls, and connections of other nodes."""

    rpc: int
    p2p: int


REGTEST: Final = "regtest"
SIGNET: Final = "signet"
DEFAULT_PORTS: Final[dict[str, Ports]] = {
    REGTEST: Ports(18443, 18444),
    SIGNET: Ports(38332, 38333),
    "testnet4": Ports(48332, 48333),
}
