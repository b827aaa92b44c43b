"""One run: ten thousand changes, a fault at random points of them, and a look at what is left."""

from __future__ import annotations

import itertools
import logging
import random
import resource as process
import tempfile
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from btcctl.clock import SYSTEM_CLOCK
from btcctl.informers.options import ReflectorOptions
from btcctl.informers.shared_informer import InformerStatistics, SharedInformer
from btcctl.objects import ObjectKey
from btcctl.rest.client import ApiClient
from btcctl.rest.limits import ReadLimits
from btcctl.rest.watching.lister_watcher import ResourceListerWatcher, StreamingListerWatcher
from btcctl.rest.watching.stream import WatchStream
from btcctl.testing.faults import FAULTS, Fault, FaultServer, Pace
from tests.faults.handlers import Lateness, Reader, State, Tracker, index_of
from tests.faults.writer import NAMES, WIDGETS, Writer

CHANGES = 10_000
INJECTIONS = 3
BOOKMARK_SECONDS = 60.0
# A fiftieth of a minute leaves a busy machine no time to be late.
SCALED_BOOKMARK_SECONDS = 30.0
REQUEST_SECONDS = 30.0
SETTLE_SECONDS = 500.0  # of a client's own time: longer than any of its deadlines, one after the other
GRACE_SECONDS = 60.0  # of the machine's time


@dataclass(frozen=True, slots=True)
class Setting:
    """What a run is made of.

    Attributes:
        scale: What every deadline is multiplied with.
        seed: Of all that is random.
        streaming: The first list, and those that follow, come as the beginning of a watch.
        broken: Resume 25 versions too late after each end of a watch: a bug that must show.
    """

    scale: float = 1 / 50
    seed: int = 0
    streaming: bool = False
    changes: int = CHANGES
    injections: int = INJECTIONS
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run has shown.

    Attributes:
        lost: Objects that the cache, or a handler, was wrong about after a fault, until long after.
        repeated: Calls of handlers that told nothing new, or what cannot be.
        contradictions: Reads of the cache that were inconsistent, and recreations told as updates.
        requests: Requests the client made, the least needed included.
        busiest: The most requests in one second of the client's own time.
        seconds: What it took, in the machine's time.
        pending: The most keys that waited for a handler, or for the cache.
        grown_bytes: By how much the process' peak memory grew.
        late: For how many seconds the machine had no time for this process.
    """

    fault: str
    setting: Setting
    lost: int
    repeated: int
    contradictions: int
    requests: int
    busiest: int
    seconds: float
    pending: int
    grown_bytes: int
    late: float
    relists: Counter[str]


class SkippingListerWatcher(ResourceListerWatcher):
    """What a bug would do: go on after more than what has been seen."""

    def watch(self, *, resource_version: str, timeout_seconds: int) -> WatchStream:
        return super().watch(resource_version=str(int(resource_version) + 25), timeout_seconds=timeout_seconds)


class Run:
    """One client and its server, with everything in between."""

    def __init__(self, fault: Fault, setting: Setting, directory: Path) -> None:
        self._fault = fault
        self._setting = setting
        self._random = random.Random(f"{setting.seed} {fault.name}")
        bookmarks = (BOOKMARK_SECONDS if setting.scale == 1 else SCALED_BOOKMARK_SECONDS) * setting.scale
        self.server = FaultServer(WIDGETS, token_file=directory / "token", bookmark_seconds=bookmarks)
        self.writer = Writer(self.server, self._random, setting.scale)
        self.trackers = [Tracker(), Tracker(pause_every=50), Tracker(raise_every=97)]
        self.pace = Pace(setting.scale, self._random)
        self.lost = 0
        self.pending = 0
        self.late = 0.0

    def go(self) -> Outcome:
        peak = peak_bytes()
        started_at = SYSTEM_CLOCK.now()
        with ExitStack() as stack:
            stack.enter_context(self.server)
            self.writer.change(NAMES)
            informer = stack.enter_context(self._informer(stack))
            lateness = stack.enter_context(Lateness())
            readers = [stack.enter_context(Reader(informer, self._random)) for _ in range(2)]
            for share in self._shares():
                self.writer.change(share)
                self._inject(informer)
                self._settle(informer)
            contradictions = sum(each.contradictions for each in readers)
            statistics = informer.statistics()
            self.late = lateness.worst_seconds
        return self._outcome(statistics, contradictions, SYSTEM_CLOCK.now() - started_at, peak_bytes() - peak)

    def _informer(self, stack: ExitStack) -> SharedInformer:
        scale = self._setting.scale
        client = ApiClient.from_config(self.server.config(), timeout=REQUEST_SECONDS * scale)
        stack.callback(client.close)
        widgets = client.resource(WIDGETS, "default")
        kind = StreamingListerWatcher if self._setting.streaming else ResourceListerWatcher
        if self._setting.broken:
            kind = SkippingListerWatcher
        # Watches are shorter than they should be, so that many of them end.
        options = ReflectorOptions(min_watch_seconds=75.0, max_watch_seconds=150.0).scaled(scale)
        informer = SharedInformer(
            kind(widgets, limits=ReadLimits().scaled(scale)),
            name="faults",
            indexers={Reader.INDEX: index_of},
            options=options,
        )
        for each in self.trackers:
            informer.add_handler(each)
        return informer

    def _shares(self) -> list[int]:
        """How many changes come before each injection."""
        cuts = sorted(self._random.randrange(self._setting.changes) for _ in range(self._setting.injections - 1))
        edges = [0, *cuts, self._setting.changes]
        return [after - before for before, after in itertools.pairwise(edges)]

    def _inject(self, informer: SharedInformer) -> None:
        background = self.writer.in_background()
        with background:
            self.pace.wait_briefly()
            self._fault.inject(self.server, self.pace)
            self._note(informer.statistics())
            self.pace.wait_briefly()

    def _settle(self, informer: SharedInformer) -> None:
        """Wait until everybody knows what is true; count what somebody does not know in the end."""
        truth = self.writer.truth()
        deadline = SYSTEM_CLOCK.now() + SETTLE_SECONDS * self._setting.scale + GRACE_SECONDS
        wrong = self._wrong(informer, truth)
        while wrong and SYSTEM_CLOCK.now() < deadline and not self._setting.broken:
            self._note(informer.statistics())
            self.pace.wait(0.5)
            wrong = self._wrong(informer, truth)
        if self._setting.broken:
            self.pace.wait(100.0)
            wrong = self._wrong(informer, truth)
        self.lost += wrong

    def _wrong(self, informer: SharedInformer, truth: Mapping[ObjectKey, State]) -> int:
        cached = {obj.key: (obj.uid, obj.resource_version) for obj in informer.lister.list()}
        return max(differences(truth, each) for each in (cached, *(dict(each.known) for each in self.trackers)))

    def _note(self, statistics: InformerStatistics) -> None:
        self.pending = max(self.pending, statistics.queued, *(each.pending for each in statistics.handlers))

    def _outcome(self, statistics: InformerStatistics, contradictions: int, seconds: float, grown: int) -> Outcome:
        seen = [each.at for each in self.server.proxy.seen()]
        return Outcome(
            fault=self._fault.name,
            setting=self._setting,
            lost=self.lost,
            repeated=sum(each.repeated for each in self.trackers),
            contradictions=contradictions + sum(each.recreations_missed for each in self.trackers),
            requests=len(seen),
            busiest=busiest(seen, self._setting.scale),
            seconds=seconds,
            pending=self.pending,
            grown_bytes=grown,
            late=self.late,
            relists=Counter(statistics.reflector.relists),
        )


def run(fault: str, setting: Setting) -> Outcome:
    """One run of the fault of that name, from the beginning to the end."""
    with tempfile.TemporaryDirectory() as directory:
        return Run(FAULTS[fault], setting, Path(directory)).go()


def be_quiet() -> None:
    """Every fault is logged, rightly."""
    logging.getLogger("btcctl").setLevel(logging.CRITICAL)


def differences(truth: Mapping[ObjectKey, State], known: Mapping[ObjectKey, State]) -> int:
    return sum(truth.get(key) != known.get(key) for key in truth.keys() | known.keys())


def busiest(instants: list[float], window: float) -> int:
    """The most instants within one window."""
    most, first = 0, 0
    for last, at in enumerate(instants):
        while at - instants[first] > window:
            first += 1
        most = max(most, last - first + 1)
    return most


def peak_bytes() -> int:
    """The most memory this process has had."""
    return process.getrusage(process.RUSAGE_SELF).ru_maxrss * 1024
