"""What others say of a failure, as a status and its Events repeat it.

Words that are different each time, for a number, a time or an identifier in them, would have a status written, and an
Event recorded, with every look at a network whose trouble is still the same. So what was said first stands until
something else is said twice running: only that is news.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from cachetools import LRUCache

from btcctl.bitcoin.rpc_errors import RpcError, RpcFailure, WarmingUp

_MOST: Final = 10_000
# A number, and whatever holds together with it: 8f14e45f-ceea-467f, 10.0.0.1:53211, 1.5s.
_NUMBER = re.compile(r"[\w.:+-]*\d[\w.:+-]*")


@dataclass(slots=True)
class _Quote:
    said: Any
    heard: Any  # last


class Quotes:
    """Thread-safe. Forgets what was not asked for longest."""

    def __init__(self, most: int = _MOST) -> None:
        self._lock = threading.Lock()  # guards the one below and what is in it
        self._quotes: LRUCache[Hashable, _Quote] = LRUCache(most)

    def of(self, cause: Hashable, words: Any) -> Any:
        """What to say, now that `words` were said.

        Args:
            cause: What they are about. Of a new one the first words are said at once.
            words: Anything that compares.
        """
        with self._lock:
            quote = self._quotes.setdefault(cause, _Quote(words, words))
            if quote.heard == words:
                quote.said = words
            quote.heard = words
            return quote.said

    def of_node(self, address: str, failure: RpcFailure) -> RpcFailure:
        """The failure of a node; an error that it answers, in the words that stand."""
        if not isinstance(failure, RpcError) or isinstance(failure, WarmingUp):
            return failure  # nothing of its words is repeated
        return RpcError.of(*self.of(address, (failure.code, failure.message)))

    def forget(self, causes: Iterable[Hashable]) -> None:
        """They are no trouble any more: whatever is said next is news."""
        with self._lock:
            for cause in causes:
                self._quotes.pop(cause, None)


def gist(words: str) -> str:
    """What words have in common that differ in numbers, times and identifiers alone."""
    return _NUMBER.sub("#", words)
