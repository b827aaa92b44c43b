"""Which peers a node asks what they have. Pure.

As Bitcoin Core does it (`PeerManagerImpl::SendMessages` and `ProcessMessage` of net_processing.cpp, 28 to 31): a node
whose best block is older than a day asks one peer, the first one it meets, whether that one has blocks or not. The
others are asked when they announce a block, each once. So two new nodes that meet each other first learn nothing from a
third for as long as the wait of the first lasts: a quarter of an hour and more.
"""

from __future__ import annotations

from typing import Final

from btcctl.clock import Clock
from btcctl.sandbox.simnode.chain.ledger import Ledger

RECENT_SECONDS: Final = 24 * 60 * 60.0
#: HEADERS_DOWNLOAD_TIMEOUT_BASE, and _PER_HEADER for each ten minutes that the best block is old.
PATIENCE_SECONDS: Final = 15 * 60.0
_SECONDS_PER_HEADER = 0.001
_HEADER_INTERVAL_SECONDS = 600.0


class HeaderSync:
    """One for each node; its sessions share it.

    Args:
        ledger: Says how old the best block is.
        clock: For how long the one peer has been waited for.
    """

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._link: object | None = None
        self._patience_ends_at = 0.0
        self._heeded = ""  # the last announced tip that a peer was asked for out of its turn

    def begin(self, link: object) -> bool:
        """Whether this peer is to be asked unprompted; the first one has the turn until it is gone."""
        age = self._ledger.tip_age_seconds()
        if age < RECENT_SECONDS:
            return True
        if self._link is None:
            self._link = link
            headers = age / _HEADER_INTERVAL_SECONDS
            self._patience_ends_at = self._clock.now() + PATIENCE_SECONDS + headers * _SECONDS_PER_HEADER
        return self._link is link

    def heed(self, tip: str) -> bool:
        """Whether a peer that announces this tip is to be asked out of turn, unless it was before."""
        is_new = tip != self._heeded
        self._heeded = tip
        return is_new

    def end(self, link: object) -> None:
        """The link is gone: the next one has the turn."""
        if self._link is link:
            self._link = None

    def overdue(self) -> object | None:
        """The peer that has had its turn for too long while the best block is still old."""
        is_overdue = self._clock.now() >= self._patience_ends_at and self._ledger.tip_age_seconds() >= RECENT_SECONDS
        return self._link if is_overdue else None
