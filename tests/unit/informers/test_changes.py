"""What is told of each entry; and FIFO, store and handler together against a simple model."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from btcctl.informers.changes import apply_entry, is_sync, replay
from btcctl.informers.delta_fifo import Changes, DeltaFIFO, Entry, Replaced, Resync
from btcctl.informers.indexer import Indexer
from btcctl.informers.notifications import Added, Notification, Updated, tell
from btcctl.objects import ADDED, DELETED, MODIFIED, Object, ObjectKey, WatchEvent
from tests.unit.informers.support import Recorder, added, deleted, key, modified, pod


def store_of(*objects: Object) -> Indexer:
    store = Indexer("pods")
    store.replace({obj.key: obj for obj in objects})
    return store


def told(store: Indexer, entry: Entry) -> list[str]:
    recorder = Recorder()
    recorder.known = {obj.key: obj for obj in store.list()}
    for _, notification in apply_entry(store, entry):
        tell(recorder, notification)
    return recorder.told


def changes(*events: WatchEvent) -> Changes:
    fifo = DeltaFIFO()
    for event in events:
        fifo.apply(event)
    entries: list[Entry] = []
    fifo.pop(entries.append)
    assert isinstance(entries[0], Changes)
    return entries[0]


def replaced(*objects: Object, initial: bool = False) -> Replaced:
    return Replaced({obj.key: obj for obj in objects}, initial)


def test_what_counts_is_the_store_and_not_the_events_name():
    store = store_of(pod("a", 1))
    assert told(store, changes(added("a", 2), modified("b", 3))) == ["update a 1 -> 2", "add b 3"]


def test_the_deletion_of_what_nobody_knows_is_told_to_nobody():
    assert told(store_of(), changes(deleted("a", 2))) == []


def test_a_deletion_carries_the_state_the_server_sent_with_it():
    [(_, notification)] = apply_entry(store_of(pod("a", 1)), changes(deleted("a", 2)))
    assert (notification.last.resource_version, notification.final_state_known) == ("2", True)


def test_the_store_has_changed_when_a_handler_is_told():
    store = store_of(pod("a", 1))
    for each, _ in apply_entry(store, changes(modified("a", 2), added("b", 3), deleted("b", 4))):
        assert each == key("b") or store.get(key("a")).resource_version == "2"
    assert store.keys() == [key("a")]


def test_a_list_tells_deletions_first_then_the_rest_in_its_order():
    store = store_of(pod("a", 1), pod("gone", 2), pod("same", 3))
    news = told(store, replaced(pod("new", 9), pod("same", 3), pod("a", 8)))
    assert news == ["delete gone unseen", "add new 9", "update same 3 -> 3", "update a 1 -> 8"]


def test_a_deletion_found_by_a_list_carries_the_last_object_known():
    [(_, notification)] = apply_entry(store_of(pod("gone", 2)), replaced())
    assert (notification.last.resource_version, notification.final_state_known) == ("2", False)


def test_a_list_finds_deletions_of_objects_that_were_only_queued():
    fifo, store, recorder = DeltaFIFO(), store_of(), Recorder()
    fifo.replace([])
    fifo.apply(added("a", 1))
    fifo.replace([])
    for _ in range(3):
        fifo.pop(lambda entry: [tell(recorder, each) for _, each in apply_entry(store, entry)])
    assert recorder.told == ["add a 1", "delete a unseen"]


def test_only_the_first_list_adds_initially():
    assert told(store_of(), replaced(pod("a", 1), initial=True)) == ["add a 1 initially"]
    assert told(store_of(), replaced(pod("a", 1))) == ["add a 1"]


def test_another_object_of_the_same_name_is_a_deletion_and_an_addition():
    store = store_of(pod("a", 1, uid="old"))
    assert told(store, changes(modified("a", 2, uid="new"))) == ["delete a unseen", "add a 2"]
    assert told(store, replaced(pod("a", 3, uid="newest"))) == ["delete a unseen", "add a 3"]


def test_a_resync_tells_of_everything_but_what_will_be_told_anyway():
    store = store_of(pod("a", 1), pod("b", 2))
    assert told(store, Resync(frozenset({key("a")}))) == ["update b 2 -> 2"]


def test_an_update_to_the_same_version_is_a_sync():
    assert is_sync(Updated(pod("a", 1), pod("a", 1)))
    assert not is_sync(Updated(pod("a", 1), pod("a", 2)))
    assert not is_sync(Added(pod("a", 1), in_initial_list=True))


def test_a_replay_adds_everything_initially():
    [(each, notification)] = replay(store_of(pod("a", 1)))
    assert each == key("a")
    assert isinstance(notification, Added)
    assert notification.in_initial_list


names = st.sampled_from("abcd")


class Pipeline(RuleBasedStateMachine):
    """A server, a watch that may break, a FIFO, a store and a handler; whatever happens in whatever order."""

    def __init__(self) -> None:
        super().__init__()
        self.truth: dict[ObjectKey, Object] = {}
        self.version = 1
        self.missed = True  # before the first list, and while the watch is broken, changes go unseen
        self.fifo = DeltaFIFO()
        self.store = Indexer("pods", {"parity": lambda obj: [str(int(obj.resource_version) % 2)]})
        self.handler = Recorder()  # asserts that each notification fits what it was told before

    @rule(name=names)
    def put(self, name: str) -> None:
        existing = self.truth.get(key(name))
        self._change(MODIFIED if existing else ADDED, name, existing.uid if existing else f"{name}-{self.version}")

    @rule(name=names)
    def delete(self, name: str) -> None:
        if key(name) in self.truth:
            self._change(DELETED, name, self.truth[key(name)].uid)

    @rule()
    def break_the_watch(self) -> None:
        self.missed = True

    @rule()
    def relist(self) -> None:
        self.fifo.replace(list(self.truth.values()))
        self.missed = False

    @rule()
    def resync(self) -> None:
        self.fifo.resync()

    @rule()
    def pop(self) -> None:
        self.fifo.pop(self._process, timeout=0)

    @rule()
    def drain(self) -> None:
        if self.missed:
            self.relist()
        while len(self.fifo):
            self.pop()
        assert versions(self.store.list()) == versions(self.truth.values())

    @invariant()
    def the_handler_was_told_what_the_store_holds(self) -> None:
        assert versions(self.handler.known.values()) == versions(self.store.list())

    @invariant()
    def the_index_finds_what_the_store_holds(self) -> None:
        found = [obj for value in "01" for obj in self.store.by_index("parity", value)]
        assert versions(found) == versions(self.store.list())

    def teardown(self) -> None:
        self.drain()
        self.the_handler_was_told_what_the_store_holds()

    def _change(self, type_: str, name: str, uid: str) -> None:
        self.version += 1
        obj = pod(name, self.version, uid=uid)
        if type_ == DELETED:
            del self.truth[obj.key]
        else:
            self.truth[obj.key] = obj
        if not self.missed:
            self.fifo.apply(WatchEvent(type_, obj))

    def _process(self, entry: Entry) -> None:
        for _, notification in apply_entry(self.store, entry):
            self._tell(notification)

    def _tell(self, notification: Notification) -> None:
        tell(self.handler, notification)


def versions(objects: object) -> dict[ObjectKey, tuple[str, str]]:
    return {obj.key: (obj.uid, obj.resource_version) for obj in objects}


TestPipeline = Pipeline.TestCase
TestPipeline.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
