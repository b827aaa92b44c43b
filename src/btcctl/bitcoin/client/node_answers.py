"""What is read of a node's answers to getblockchaininfo, getnetworkinfo, getpeerinfo and getmempoolinfo."""

from __future__ import annotations

import msgspec


class Chain(msgspec.Struct, gc=False):
    """Of getblockchaininfo."""

    blocks: int
    bestblockhash: str
    time: int = 0


class Network(msgspec.Struct, gc=False):
    """Of getnetworkinfo."""

    subversion: str = ""


class Peer(msgspec.Struct, gc=False):
    """Of getpeerinfo, one connection; `version` is 0 until the other end has greeted."""

    addr: str
    inbound: bool = False
    version: int = 0


class Mempool(msgspec.Struct, gc=False):
    """Of getmempoolinfo; -1 where the node does not say."""

    size: int = -1
    bytes: int = -1
