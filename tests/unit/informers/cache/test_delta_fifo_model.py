"""The FIFO against a list of what was put into it: nothing lost, nothing reordered across a barrier."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from btcctl.informers.cache.delta_fifo import Changes, DeltaFIFO, Entry, Replaced, Resync
from btcctl.objects import ADDED, DELETED, MODIFIED, ObjectKey, WatchEvent
from tests.properties import effort
from tests.unit.informers.support import key, pod

NAMES = st.sampled_from("abc")
SCOPES = ("one", "two")


class FifoModel(RuleBasedStateMachine):
    """`groups`: what was put in and not popped, as lists of events, between lists and resyncs."""

    def __init__(self) -> None:
        super().__init__()
        self.fifo = DeltaFIFO(scopes=SCOPES)
        self.at_once = False
        self.processed_at_once: list[Changes] = []
        self.is_processing = False
        self.groups: list[list[WatchEvent] | Replaced | str] = []
        self.listed: set[str] = set()
        self.processed: set[str] = set()
        self.version = 0
        self.is_closed = False

    @initialize(at_once=st.booleans())
    def choose(self, at_once: bool) -> None:
        if at_once:
            self.at_once = True
            self.fifo = DeltaFIFO(scopes=SCOPES, at_once=self.processed_at_once.append)

    @rule(name=NAMES, type_=st.sampled_from([ADDED, MODIFIED, DELETED]))
    def apply(self, name: str, type_: str) -> None:
        self.version += 1
        event = WatchEvent(type_, pod(name, self.version))
        self.fifo.apply(event)
        if self.is_closed:
            return
        if not (self.groups and isinstance(self.groups[-1], list)):
            self.groups.append([])
        self.groups[-1].append(event)
        if self.at_once and len(self.groups) == 1 and not self.is_processing:
            self.check(self.processed_at_once.pop(), self.groups.pop())

    @rule(names=st.sets(NAMES), scope=st.sampled_from(SCOPES))
    def replace(self, names: set[str], scope: str) -> None:
        self.version += 1
        objects = {key(name): pod(name, self.version) for name in sorted(names)}
        self.fifo.replace(objects.values(), scope)
        if not self.is_closed:
            self.groups.append(Replaced(objects, scope not in self.listed, scope))
        self.listed.add(scope)

    @rule()
    def resync(self) -> None:
        self.fifo.resync()
        if "resync" not in self.groups and not self.is_closed:
            self.groups.append("resync")

    @rule(put_meanwhile=st.booleans())
    def pop(self, put_meanwhile: bool) -> None:
        expected = self.groups.pop(0) if self.groups else None
        popped: list[Entry] = []

        def process(entry: Entry) -> None:
            popped.append(entry)
            self.is_processing = True
            if put_meanwhile:
                self.apply("a", MODIFIED)
            self.is_processing = False
            assert self.fifo.has_synced() == (self.processed == set(SCOPES))

        assert self.fifo.pop(process, timeout=0) is not self.is_closed
        assert len(popped) == (expected is not None)
        for entry in popped:
            self.check(entry, expected)

    def check(self, entry: Entry, expected: object) -> None:
        if isinstance(expected, Replaced):
            assert entry == expected
            self.processed.add(expected.scope)
        elif expected == "resync":
            # What was put while this entry was being processed came later than what is skipped.
            assert isinstance(entry, Resync)
            assert entry.skip <= self.queued_keys()
            assert self.queued_keys() - entry.skip <= {key("a")}
        else:
            assert isinstance(entry, Changes)
            assert {each: compact(deltas) for each, deltas in entry.deltas.items()} == by_key(expected)

    def queued_keys(self) -> set[ObjectKey]:
        return {event.object.key for group in self.groups if isinstance(group, list) for event in group}

    @rule()
    def wake(self) -> None:
        self.fifo.wake()

    @rule(really=st.integers(0, 15).map(lambda number: number == 0))
    def close(self, really: bool) -> None:
        if really:
            self.fifo.close()
            self.is_closed = True
            self.groups.clear()

    @invariant()
    def it_is_as_long_as_the_model(self) -> None:
        assert not self.processed_at_once
        assert len(self.fifo) == sum(len(by_key(group)) if isinstance(group, list) else 1 for group in self.groups)
        assert self.fifo.unsynced_scopes() == set(SCOPES) - self.processed


def compact(deltas: list[WatchEvent]) -> list[tuple[str, str]]:
    return [(event.type, event.object.resource_version) for event in deltas]


def by_key(events: list[WatchEvent]) -> dict[ObjectKey, list[tuple[str, str]]]:
    """Per key in order; of two deletions in a row the later."""
    result: dict[ObjectKey, list[tuple[str, str]]] = {}
    for event in events:
        deltas = result.setdefault(event.object.key, [])
        if deltas and deltas[-1][0] == event.type == DELETED:
            deltas.pop()
        deltas += compact([event])
    return result


TestFifoModel = FifoModel.TestCase
TestFifoModel.settings = effort(60, steps=40)
