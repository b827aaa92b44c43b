"""What a reflector needs of a client of the API server."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

from btcctl.objects import ListPage, WatchEvent


class WatchStream(Protocol):
    """A watch that is open, as `btcctl.rest.watching.stream.WatchStream` is."""

    def take(self) -> list[WatchEvent] | None:
        """Wait for an event, and return it with all that came along; [] at the end.

        Of a stream that does not wait: None if nothing has come. Only who steps a reflector has such a one.

        Can be called again after an `ObjectDecodeError`, and after no other error: that one
        concerns an event after all that were returned before.
        """


class ListerWatcher(Protocol):
    """Reads one collection, for one reflector. All methods raise `BtcctlError`s only."""

    def list_page(self, *, resource_version: str, limit: int, continue_token: str) -> ListPage:
        """Read one page.

        Args:
            resource_version: "" the latest state, "0" any state, else one not older than this.
                "" together with a token, which names its own.
            limit: Objects per page, 0 for all of them on one page.
            continue_token: Of the page before, "" for the first.

        Raises:
            Interrupted: `interrupt` was called.
            ApiError: `Gone` for a version or a token that is too old.
            ObjectDecodeError: The answer is not a list.
        """

    def watch(self, *, resource_version: str, timeout_seconds: int) -> AbstractContextManager[WatchStream]:
        """Follow the changes after `resource_version`, bookmarks included, until the server ends the stream.

        Args:
            resource_version: What has been seen. From "" and "0" the stream begins with everything there is.
            timeout_seconds: When the server shall end the stream. A stream that outlives it
                by far raises `TransportError`, one that is silent for too long `ConnectionSilent`.

        Raises, also while events are taken:
            Interrupted: `interrupt` was called.
            ApiError: The server refused, or sent an ERROR event; `Gone` for a version too old.
            WatchDecodeError: A line is not a watch event.
            ObjectDecodeError: A line is a watch event, but its object's metadata are unusable.
        """

    def interrupt(self) -> None:
        """Break off the call in flight and every later one. From any thread, at once, idempotent."""


@runtime_checkable
class SupportsWatchList(ListerWatcher, Protocol):
    """One that can also read what exists as the beginning of a watch (WatchList)."""

    def watch_list(self, *, resource_version: str, timeout_seconds: int) -> AbstractContextManager[WatchStream]:
        """An ADDED for each object, a BOOKMARK that `ends_initial_events`, then changes as `watch` has them.

        Args:
            resource_version: "" the latest state, else one not older than this.
            timeout_seconds: As of `watch`.
        """
