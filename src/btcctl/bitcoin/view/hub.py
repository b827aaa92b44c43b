"""Hands out what changes to every page that looks.

Rules:
* A page that does not take its messages holds nobody up: it has at most `MAX_WAITING` messages and `MAX_WAITING_BYTES`
  of them waiting; beyond that all are dropped, and it gets a fresh snapshot once it takes again.
* Whoever publishes has changed the state before: a snapshot is as new as the last message or newer. So a message may
  tell again what a snapshot has told already; all messages say how things are, and none how they differ.
* A message that replaces an earlier one for the same page takes its place.
* Nothing foreign is called under the lock.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from btcctl import codecs
from btcctl.bitcoin.view.model import State

MAX_WAITING: Final = 256
MAX_WAITING_BYTES: Final = 4 << 20
#: Pages at once: each costs a connection.
MAX_PAGES: Final = 64

Snapshot = Callable[[str], State]  #: of a page that looks at that network; of none with ""


class TooManyPages(Exception):
    """`MAX_PAGES` look already."""


class Page:
    """One stream of messages. Thread-safe.

    Args:
        network: The one in focus, as `NAMESPACE/NAME`; "" if none is.
        wake: Called when there is something to take, in whichever thread: it must be quick.
    """

    def __init__(self, network: str, wake: Callable[[], None]) -> None:
        self.network = network
        self._wake = wake
        self._lock = threading.Lock()  # guards everything below
        self._waiting: dict[object, bytes] = {}
        self._bytes = 0
        self._wants_snapshot = True

    def offer(self, place: object, message: bytes) -> None:
        """Have a message wait; one that waits at the same place is dropped for it."""
        with self._lock:
            if self._wants_snapshot:
                return
            self._bytes += len(message) - len(self._waiting.pop(place, b""))
            self._waiting[place] = message
            if len(self._waiting) > MAX_WAITING or self._bytes > MAX_WAITING_BYTES:
                self._waiting, self._bytes, self._wants_snapshot = {}, 0, True
        self._wake()

    def refresh(self) -> None:
        """Have a fresh snapshot sent instead of whatever waits."""
        with self._lock:
            self._waiting, self._bytes, self._wants_snapshot = {}, 0, True
        self._wake()

    def take(self, snapshot: Snapshot) -> bytes:
        """All that waits, as the bytes of server-sent events; b"" if nothing does."""
        with self._lock:
            wants, self._wants_snapshot = self._wants_snapshot, False  # first: what comes meanwhile is not lost
            messages, self._waiting, self._bytes = self._waiting, {}, 0
        if wants:
            return message("snapshot", snapshot(self.network))
        return b"".join(messages.values())


class Hub:
    """All pages. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the one below, which is replaced, never changed
        self._pages: tuple[Page, ...] = ()
        self._numbers = itertools.count()

    def join(self, network: str, wake: Callable[[], None]) -> Page:
        """Add a page; it gets a snapshot first.

        Raises:
            TooManyPages: There are too many.
        """
        page = Page(network, wake)
        with self._lock:
            if len(self._pages) >= MAX_PAGES:
                raise TooManyPages
            self._pages = (*self._pages, page)
        return page

    def leave(self, page: Page) -> None:
        """Forget a page. Idempotent."""
        with self._lock:
            self._pages = tuple(each for each in self._pages if each is not page)

    @property
    def is_watched(self) -> bool:
        """Whether there are pages at all."""
        return bool(self._pages)

    def focus(self) -> frozenset[str]:
        """The networks that pages look at."""
        return frozenset(each.network for each in self._pages if each.network)

    def publish(self, event: str, value: msgspec.Struct, *, network: str = "", place: str | None = None) -> None:
        """Tell all pages, or those that look at `network`.

        Args:
            event: Its name, see `model`.
            place: What the message says the latest of; None: it is none that another one replaces.
        """
        pages = [each for each in self._pages if not network or each.network == network]
        if pages:
            told, at = message(event, value), next(self._numbers) if place is None else (event, place)
            for page in pages:
                page.offer(at, told)

    def refresh(self, pages: Iterable[str] | None = None) -> None:
        """Have a fresh snapshot sent to the pages that look at these networks; to all if None."""
        wanted = None if pages is None else frozenset(pages)
        for page in self._pages:
            if wanted is None or page.network in wanted:
                page.refresh()


def message(event: str, value: msgspec.Struct) -> bytes:
    """A server-sent event: JSON has no line breaks of its own."""
    return b"event: " + event.encode() + b"\ndata: " + codecs.encode(value) + b"\n\n"
