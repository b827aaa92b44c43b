"""Asks one node what is drawn of it: three calls in one request, and a fourth the first time."""

from __future__ import annotations

from typing import Final

import msgspec

from btcctl import codecs
from btcctl.bitcoin.client.node_answers import Chain, Mempool, Network, Peer
from btcctl.bitcoin.rpc import Call, RpcClient, RpcError, RpcFailure, RpcUnauthorized, WarmingUp
from btcctl.bitcoin.view.looking.nodes import Answer, host_of
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.deadline import limited_to
from btcctl.errors import DeadlineExceeded
from btcctl.logging import scrub

#: For a node that does not answer.
ASK_SECONDS: Final = 2.0
_CALLS: Final[tuple[Call, ...]] = (("getblockchaininfo", ()), ("getpeerinfo", ()), ("getmempoolinfo", ()))
_FIRST: Final[tuple[Call, ...]] = (("getnetworkinfo", ()),)


def ask(rpc: RpcClient, uid: str, version: str = "", clock: Clock = SYSTEM_CLOCK) -> Answer:
    """What the node of a pod says; never raises for what goes wrong between us and it.

    Args:
        uid: The pod's.
        version: The node's, if it is known already.
    """
    try:
        with limited_to(ASK_SECONDS, clock):
            return _read(rpc.outcomes(_CALLS if version else (*_CALLS, *_FIRST)), uid, version, clock)
    except (RpcFailure, DeadlineExceeded, msgspec.ValidationError) as error:
        said = str(scrub(str(error)))
        is_starting, is_refused = isinstance(error, WarmingUp), isinstance(error, RpcUnauthorized)
        problem = said or "it does not answer"
        return Answer(uid, 0.0, problem=problem, is_starting=is_starting, is_refused=is_refused)


def _read(said: list[object], uid: str, version: str, clock: Clock) -> Answer:
    refused = next((each for each in said[:2] if isinstance(each, RpcError)), None)
    if refused is not None:
        raise refused
    chain = codecs.convert(said[0], Chain)
    peers = codecs.convert(said[1], list[Peer])
    mempool = Mempool() if isinstance(said[2], RpcError) else codecs.convert(said[2], Mempool)
    if len(said) > len(_CALLS) and not isinstance(said[3], RpcError):
        version = codecs.convert(said[3], Network).subversion
    return Answer(
        uid=uid,
        at=clock.wall_time().timestamp(),
        height=chain.blocks,
        best=chain.bestblockhash,
        peers=len(peers),
        dialled=tuple(sorted((host_of(peer.addr), peer.version > 0) for peer in peers if not peer.inbound)),
        mempool=mempool.size,
        mempool_bytes=mempool.bytes,
        version=version,
    )
