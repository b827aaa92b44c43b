"""What is remembered of a network between two looks at it. Losing it costs time, nothing else."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from btcctl.bitcoin.claims import Claim
from btcctl.bitcoin.cluster import Versions
from btcctl.bitcoin.forks import NO_FORKS, ForkView
from btcctl.bitcoin.quotes import Quotes
from btcctl.bitcoin.sights import Sight
from btcctl.bitcoin.status import Heights
from btcctl.bitcoin.topology import canonical, is_bare
from btcctl.bitcoin.types import NetworkStatus
from btcctl.controller.writing.contention import Contention
from btcctl.objects import ObjectKey


class PollSchedule:
    """When to look again: soon after something moved, then less and less often.

    Args:
        low: Seconds after a change.
        high: Seconds that no delay exceeds.
    """

    def __init__(self, low: float, high: float) -> None:
        self._low = low
        self._high = high
        self._delay = low
        self._seen: deque[object] = deque(maxlen=_LOOKS_REMEMBERED)

    def next_delay(self, seen: object) -> float:
        """Seconds until the next look.

        What comes back time and again gets nowhere: a node that answers every other time is no reason to hurry.

        Args:
            seen: What this look saw and did; anything that compares.
        """
        moved = seen not in self._seen
        self._seen.append(seen)
        self._delay = min(self._low if moved else self._delay * 2, self._high)
        return self._delay


_LOOKS_REMEMBERED = 2
#: How long a silent node is waited for that may have blocks which no other has.
PATIENCE_SECONDS = 600.0
_MOST_REFUSALS = 100
#: Heights in the status are brought up to date at most this often.
SHOW_SECONDS = 10.0
#: What others say of a trouble that is new is asked for again soon, for it may not have been said yet; then less and
#: less often, as long as it is the same: it is a call for each pod.
LISTEN_SECONDS = 2.0
MOST_SILENT_SECONDS = 60.0


@dataclass(slots=True)
class Shown:
    """What the status says of things that change all the time.

    Attributes:
        heights: Of the chain.
        progress: By ordinal, how far nodes are that are not ready for want of blocks.
        why_missing: Why pods are missing.
        words: By ordinal and reason, what others say of pods that are not ready.
        sights: By ordinal, what the nodes that answered said of themselves.
        forks: How their chains differ.
    """

    heights: Heights = field(default_factory=Heights)
    progress: Mapping[int, str] = field(default_factory=dict)
    why_missing: str = ""
    words: Mapping[tuple[int, str], str] = field(default_factory=dict)
    sights: Mapping[int, Sight] = field(default_factory=dict)
    forks: ForkView = NO_FORKS
    _since: float = float("-inf")
    _heard_at: float = float("-inf")
    _about: object = None  # what was asked about
    _listen_seconds: float = LISTEN_SECONDS

    @property
    def is_known(self) -> bool:
        """Whether it was ever brought up to date: until then it is as the status says."""
        return self._since > float("-inf")

    def is_due(self, now: float) -> bool:
        return now >= self._since + SHOW_SECONDS

    def is_to_listen(self, about: object, now: float) -> bool:
        """Whether to ask what others say about this."""
        return now >= self._heard_at + (self._listen_seconds if about == self._about else LISTEN_SECONDS)

    def hear(self, about: object, why_missing: str, words: Mapping[tuple[int, str], str], now: float) -> None:
        """Bring up to date what others say."""
        if about != self._about:
            self._listen_seconds = LISTEN_SECONDS
        elif (why_missing, words) != (self.why_missing, self.words):
            self._listen_seconds = SHOW_SECONDS
        else:
            self._listen_seconds = min(self._listen_seconds * 2, MOST_SILENT_SECONDS)
        self.why_missing, self.words, self._about, self._heard_at = why_missing, words, about, now

    def renew(
        self,
        heights: Heights,
        progress: Mapping[int, str],
        sights: Mapping[int, Sight],
        forks: ForkView,
        now: float,
    ) -> None:
        """Bring up to date what nodes say."""
        self.heights, self.progress = heights, progress
        self.sights, self.forks, self._since = sights, forks, now


@dataclass(slots=True)
class NetworkMemory:
    """Only the worker that has the network's key may touch it."""

    uid: str
    poll: PollSchedule
    contention: Contention  #: over its children, and its own status
    claim: Claim
    suspects: frozenset[str] = frozenset()  #: addresses that failed in the last pass
    gone: frozenset[str] = frozenset()  #: former nodes that somebody may still be connected to
    heights: Heights | None = None  #: as seen last; None: never yet
    shown: Shown = field(default_factory=Shown)
    replicas: int = 0  #: how many pods there are to be for now
    told: dict[str, str] = field(default_factory=dict)  #: by child, why it could not be written last
    quotes: Quotes = field(default_factory=lambda: Quotes(_MOST_REFUSALS))  #: of the API server
    said: NetworkStatus | None = None  #: the status written last: what was told of it is no news, whoever undoes it
    echo: tuple[NetworkStatus, NetworkStatus] | None = None  #: the status written last, and what came back, if not it
    seen: Versions | None = None  #: what the last reconcile began with, if it came to its end
    _kept_since: float | None = None  # beyond those that are asked for
    _known: frozenset[str] = field(default=frozenset())
    _silent_since: dict[int, float] = field(default_factory=dict)  # by ordinal

    def begin(self, heights: Heights) -> Heights:
        """The heights as seen last; in the beginning those that the status says, which another controller saw."""
        if self.heights is None:
            self.heights = self.shown.heights = heights
        return self.heights

    def waits_for(self, silent: Iterable[int], now: float) -> bool:
        """Note which nodes are silent; return whether one of them has not been for long.

        Args:
            silent: Ordinals.
        """
        self._silent_since = {ordinal: self._silent_since.get(ordinal, now) for ordinal in silent}
        return any(now < since + PATIENCE_SECONDS for since in self._silent_since.values())

    def keeps(self, more: bool, now: float) -> bool:
        """Note whether there are to be more pods than are asked for; return whether that may be so for now.

        It may be for as long as a silent node is waited for.
        """
        self._kept_since = (now if self._kept_since is None else self._kept_since) if more else None
        return self._kept_since is not None and now < self._kept_since + PATIENCE_SECONDS

    def see(self, addresses: Iterable[str], formerly: Iterable[str]) -> frozenset[str]:
        """Note which nodes there are; return the addresses of former ones.

        Args:
            addresses: Of the nodes that are there.
            formerly: Addresses in the last status, which a controller before us may have written.
        """
        present = frozenset(map(canonical, addresses))
        before = self._known | {canonical(each) for each in formerly if is_bare(each)}
        self.gone = (self.gone | before) - present
        self._known = present
        return self.gone


Path: TypeAlias = tuple[str, ...]  #: of a field: the names on the way to it, items of lists left out


class Memories:
    """One NetworkMemory for each network. Thread-safe.

    Args:
        low: See `PollSchedule`.
        high: See `PollSchedule`.
        new_contention: Of a network that is new.
        installation: Our name; see `btcctl.bitcoin.claims`.

    Attributes:
        dropped: The fields of a status that were not kept when one was written last, each by its path.
    """

    def __init__(
        self, low: float, high: float, new_contention: Callable[[], Contention] = Contention, *, installation: str = ""
    ) -> None:
        self.high = high
        self.installation = installation
        self.dropped: frozenset[Path] = frozenset()
        self._low = low
        self._new_contention = new_contention
        self._lock = threading.Lock()  # guards the dict, not what is in it
        self._memories: dict[ObjectKey, NetworkMemory] = {}

    def of(self, key: ObjectKey, uid: str) -> NetworkMemory:
        """A network made anew under the same name starts with an empty one."""
        with self._lock:
            memory = self._memories.get(key)
            if memory is None or memory.uid != uid:
                poll = PollSchedule(self._low, self.high)
                memory = self._memories[key] = NetworkMemory(
                    uid, poll, self._new_contention(), Claim(self.installation)
                )
            return memory

    def forget(self, key: ObjectKey) -> None:
        with self._lock:
            self._memories.pop(key, None)
