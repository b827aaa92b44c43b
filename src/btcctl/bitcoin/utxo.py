"""Has nodes begin with a UTXO snapshot: what was unspent at some block, without the blocks before.

Bitcoin Core takes only one whose hash it was built with, and only once it has the header of its block (validation.cpp,
ActivateSnapshot). How far a node is it says itself. Remembered is only who has refused, and is left alone for a while:
it reads all of a snapshot before it says that this is none that it knows.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from enum import Enum
from typing import Any, Final, NamedTuple, Protocol

import msgspec
from cachetools import LRUCache

from btcctl import codecs
from btcctl.bitcoin.pod_problems import stable
from btcctl.bitcoin.rpc import Call, RpcError, RpcTimedOut, RpcUnauthorized, RpcUnavailable
from btcctl.bitcoin.wording import bounded
from btcctl.clock import Clock
from btcctl.errors import DeadlineExceeded

#: Below the chain's directory: a link to it, wherever it is mounted.
UTXO_SNAPSHOT: Final = "utxo-snapshot"
#: Until a node that has refused is asked again.
REFUSED_SECONDS: Final = 600.0
_MOST_NODES = 10_000
_MOST_WORDS = 200
# Words of Bitcoin Core's, 28 to 31 (validation.cpp).
_NO_HEADERS = "must appear in the headers chain"
_NOT_NEEDED = ("Work does not exceed active chainstate", "more than once")


class Progress(Enum):
    """How far a node is with its snapshot."""

    LOADED = "loaded"  #: or it has more already
    LOADING = "loading"
    NO_HEADERS = "no headers"  #: nobody has told it of the snapshot's block
    REFUSED = "refused"


class Loading(NamedTuple):
    """What became of it."""

    progress: Progress
    words: str = ""  #: of a node that refuses


class Rpc(Protocol):
    """What is needed of a node's RPC client."""

    def call(self, method: str, *params: Any, retry: bool = True) -> Any: ...

    def batch(self, calls: Sequence[Call]) -> list[Any]: ...


class _Chainstate(msgspec.Struct, gc=False):
    snapshot_blockhash: str = ""


class _Chainstates(msgspec.Struct, gc=False):
    chainstates: list[_Chainstate] = []


class _Active(msgspec.Struct, gc=False):
    method: str = ""


class _RpcInfo(msgspec.Struct, gc=False):
    active_commands: list[_Active] = []


class Loads:
    """Has nodes load their snapshots. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # guards the one below
        self._refused: LRUCache[Hashable, tuple[Loading, float]] = LRUCache(_MOST_NODES)

    def load(self, who: Hashable, rpc: Rpc) -> Loading:
        """See `load`; who has refused is not asked for a while."""
        with self._lock:
            refused, ends_at = self._refused.get(who, (None, 0.0))
        if refused is not None and self._clock.now() < ends_at:
            return refused
        loading = load(rpc)
        if loading.progress is Progress.REFUSED:
            with self._lock:
                self._refused[who] = loading, self._clock.now() + REFUSED_SECONDS
        return loading


def load(rpc: Rpc) -> Loading:
    """Have a node load its snapshot, unless it has, or is at it.

    It goes on with that whether we wait for the answer or not, so a deadline may be short.
    """
    try:
        states, info = rpc.batch([("getchainstates", ()), ("getrpcinfo", ())])
        if any(each.snapshot_blockhash for each in codecs.convert(states, _Chainstates).chainstates):
            return Loading(Progress.LOADED)
        if any(each.method == "loadtxoutset" for each in codecs.convert(info, _RpcInfo).active_commands):
            return Loading(Progress.LOADING)
        rpc.call("loadtxoutset", UTXO_SNAPSHOT, retry=False)
    except RpcError as error:
        return _outcome(error)
    except (RpcTimedOut, RpcUnavailable, DeadlineExceeded):
        return Loading(Progress.LOADING)
    except RpcUnauthorized:
        return Loading(Progress.REFUSED, "it does not let us load one")
    except msgspec.ValidationError as error:
        return Loading(Progress.REFUSED, bounded(f"its answer makes no sense: {error}", _MOST_WORDS))
    return Loading(Progress.LOADED)


def _outcome(error: RpcError) -> Loading:
    if _NO_HEADERS in error.message:
        return Loading(Progress.NO_HEADERS)
    if any(each in error.message for each in _NOT_NEEDED):
        return Loading(Progress.LOADED)
    return Loading(Progress.REFUSED, bounded(stable(f"{error.message} ({error.code})"), _MOST_WORDS))
