"""Nodes that did not answer, and until when they are left alone."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from cachetools import LRUCache

from btcctl.backoff import ExponentialBackoff
from btcctl.bitcoin.rpc import RpcFailure
from btcctl.clock import Clock

#: Never longer than settled nodes are left alone, too.
BACKOFF: Final = ExponentialBackoff(base=1.0, cap=30.0, factor=2.0, jitter=0.2)
_MOST = 10_000


@dataclass(slots=True)
class _Silence:
    failure: RpcFailure
    failures: int
    ends_at: float


class Silences:
    """Thread-safe. Forgets the nodes that were not asked for longest."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # guards the one below
        self._silences: LRUCache[Hashable, _Silence] = LRUCache(_MOST)

    def failure_of(self, who: Hashable) -> RpcFailure | None:
        """Why a node is not to be asked now; None if it is."""
        with self._lock:
            silence = self._silences.get(who)
        return silence.failure if silence is not None and self._clock.now() < silence.ends_at else None

    def has_failed_again(self, who: Hashable) -> bool:
        """Whether a node that is left alone has been asked more than once, in vain."""
        with self._lock:
            silence = self._silences.get(who)
        return silence is not None and silence.failures > 1

    def note(self, who: Hashable, failure: RpcFailure) -> None:
        """A node kept us waiting, and did not answer."""
        with self._lock:
            before = self._silences.get(who)
            failures = before.failures + 1 if before is not None else 1
            self._silences[who] = _Silence(failure, failures, self._clock.now() + BACKOFF.delay(failures))

    def forget(self, who: Hashable) -> None:
        """It answered."""
        with self._lock:
            self._silences.pop(who, None)
