"""Over which link a node fetches blocks. Pure.

All peers have the same blocks, and a node has several links, often two to the same peer: who fetched over each of them
would take in every block several times, and anew for every block that is announced meanwhile.
"""

from __future__ import annotations

from typing import Final

from btcctl.clock import Clock

STALL_SECONDS: Final = 5.0  #: a peer that sends nothing for so long is asked no more


class Download:
    """One for each node; its sessions share it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._link: object | None = None
        self._moved_at = 0.0

    def begin(self, link: object) -> bool:
        """Take the turn; False if another link has it, or this one is at it already."""
        if self._link is not None and self._clock.now() < self._moved_at + STALL_SECONDS:
            return False
        self._link, self._moved_at = link, self._clock.now()
        return True

    def go_on(self, link: object) -> None:
        """Note that blocks came."""
        if self._link is link:
            self._moved_at = self._clock.now()

    def end(self, link: object) -> None:
        """Give the turn back, if it is this link's."""
        if self._link is link:
            self._link = None
