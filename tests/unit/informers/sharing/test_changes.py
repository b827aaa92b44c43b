"""What is told of each entry; and FIFO, store and handler together against a simple model."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from btcctl.informers.cache.delta_fifo import Changes, DeltaFIFO, Entry, Replaced, Resync
from btcctl.informers.cache.indexer import Indexer
from btcctl.informers.reflector.transform import QuarantinedObject
from btcctl.informers.sharing.changes import apply_entry, replay, without_syncs
from btcctl.informers.sharing.notifications import Added, Notification, Updated, notify
from btcctl.objects import ADDED, DELETED, MODIFIED, Object, ObjectKey, WatchEvent
from tests.properties import effort
from tests.unit.informers.support import Recorder, added, deleted, key, modified, pod


def store_of(*objects: Object) -> Indexer:
    store = Indexer("pods")
    store.replace({obj.key: obj for obj in objects})
    return store


def told(store: Indexer, entry: Entry) -> list[str]:
    recorder = Recorder()
    recorder.known = {obj.key: obj for obj in store.list()}
    for _, notification in apply_entry(store, entry):
        notify(recorder, notification)
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


def unusable(name: str, version: int, uid: str = "") -> QuarantinedObject:
    return QuarantinedObject(pod(name, version, uid=uid).meta, b"")


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
        fifo.pop(lambda entry: [notify(recorder, each) for _, each in apply_entry(store, entry)])
    assert recorder.told == ["add a 1", "delete a unseen"]


def test_only_the_first_list_adds_initially():
    assert told(store_of(), replaced(pod("a", 1), initial=True)) == ["add a 1 initially"]
    assert told(store_of(), replaced(pod("a", 1))) == ["add a 1"]


def test_another_object_of_the_same_name_is_a_deletion_and_an_addition():
    store = store_of(pod("a", 1, uid="old"))
    assert told(store, changes(modified("a", 2, uid="new"))) == ["delete a unseen", "add a 2"]
    assert told(store, replaced(pod("a", 3, uid="newest"))) == ["delete a unseen", "add a 3"]


def test_a_deletion_of_an_object_we_never_saw_is_told_of_the_one_we_knew():
    [(_, notification)] = apply_entry(store_of(pod("a", 1, uid="old")), changes(deleted("a", 9, uid="new")))
    assert (notification.last.uid, notification.final_state_known) == ("old", False)


def test_of_an_object_that_cannot_be_used_the_store_keeps_what_it_has():
    store = store_of(pod("a", 1))
    assert told(store, changes(WatchEvent(MODIFIED, unusable("a", 2)))) == []
    assert told(store, replaced(unusable("a", 3), unusable("b", 3))) == []
    assert versions(store.list()) == {key("a"): ("uid-a", "1")}


def test_an_object_that_was_replaced_by_one_that_cannot_be_used_is_gone():
    store = store_of(pod("a", 1), pod("b", 1))
    assert told(store, changes(WatchEvent(ADDED, unusable("a", 2, uid="new")))) == ["delete a unseen"]
    assert told(store, replaced(unusable("b", 3, uid="new"))) == ["delete b unseen"]
    assert store.keys() == []


def test_a_deletion_of_an_object_that_cannot_be_used_carries_what_was_known():
    [(_, notification)] = apply_entry(store_of(pod("a", 1)), changes(WatchEvent(DELETED, unusable("a", 2))))
    assert (notification.last.resource_version, notification.final_state_known) == ("1", False)


def test_a_list_of_one_namespace_says_nothing_of_the_others():
    store = store_of(pod("a", 1, namespace="one"), pod("b", 1, namespace="two"))
    listed = Replaced({key("c", "one"): pod("c", 2, namespace="one")}, initial=False, scope="one")
    assert told(store, listed) == ["delete a unseen", "add c 2"]
    assert store.keys() == [key("b", "two"), key("c", "one")]


def test_a_resync_tells_of_everything_but_what_will_be_told_anyway():
    store = store_of(pod("a", 1), pod("b", 2))
    assert told(store, Resync(frozenset({key("a")}))) == ["update b 2 -> 2"]


def test_an_update_to_the_same_version_tells_nothing_new():
    news = [
        (key("a"), Updated(pod("a", 1), pod("a", 1))),
        (key("a"), Updated(pod("a", 1), pod("a", 2))),
        (key("a"), Added(pod("a", 1), in_initial_list=True)),
    ]
    assert without_syncs(news) == news[1:]


def test_a_replay_adds_everything_initially():
    [(each, notification)] = replay(store_of(pod("a", 1)))
    assert each == key("a")
    assert isinstance(notification, Added)
    assert notification.in_initial_list


NAMESPACES = ("one", "two")
names = st.sampled_from("abc")
namespaces = st.sampled_from(NAMESPACES)
good = st.integers(0, 3).map(bool)  # one in four cannot be used


class Pipeline(RuleBasedStateMachine):
    """A server, two watches that may break, a FIFO, a store and a handler; whatever happens in whatever order.

    Some states of objects cannot be used. Of those the store holds the last one that could, or nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.truth: dict[ObjectKey, Object] = {}
        self.usable: dict[ObjectKey, Object] = {}  # what is to be held of the truth, once all is told
        self.version = 1
        self.missed = set(NAMESPACES)  # before the first list, and while the watch is broken, changes go unseen
        self.fifo = DeltaFIFO(scopes=NAMESPACES)
        self.store = Indexer("pods", {"parity": lambda obj: [str(int(obj.resource_version) % 2)]})
        self.handler = Recorder()  # asserts that each notification fits what it was told before

    @rule(name=names, namespace=namespaces, good=good)
    def put(self, name: str, namespace: str, good: bool) -> None:
        existing = self.truth.get(key(name, namespace))
        uid = existing.uid if existing else f"{name}-{self.version}"
        self._change(MODIFIED if existing else ADDED, self._object(name, namespace, uid, good))

    @rule(name=names, namespace=namespaces, good=good)
    def delete(self, name: str, namespace: str, good: bool) -> None:
        if existing := self.truth.get(key(name, namespace)):
            self._change(DELETED, self._object(name, namespace, existing.uid, good))

    @rule(namespace=namespaces)
    def break_the_watch(self, namespace: str) -> None:
        self.missed.add(namespace)

    @rule(namespace=namespaces)
    def relist(self, namespace: str) -> None:
        self.fifo.replace([obj for key, obj in self.truth.items() if key.namespace == namespace], namespace)
        self.missed.discard(namespace)
        self._expect_held(namespace)

    @rule()
    def resync(self) -> None:
        self.fifo.resync()

    @rule()
    def pop(self) -> None:
        self.fifo.pop(self._process, timeout=0)

    @rule()
    def drain(self) -> None:
        for namespace in sorted(self.missed):
            self.relist(namespace)
        while len(self.fifo):
            self.pop()
        assert versions(self.store.list()) == versions(self.usable.values())
        assert self.fifo.has_synced()

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

    def _object(self, name: str, namespace: str, uid: str, good: bool) -> Object:
        self.version += 1
        obj = pod(name, self.version, uid=uid, namespace=namespace)
        return obj if good else QuarantinedObject(obj.meta, b"")

    def _change(self, type_: str, obj: Object) -> None:
        if type_ == DELETED:
            del self.truth[obj.key]
        else:
            self.truth[obj.key] = obj
        if obj.namespace not in self.missed:
            self.fifo.apply(WatchEvent(type_, obj))
            self._expect_held(obj.namespace)

    def _expect_held(self, namespace: str) -> None:
        """What was seen last of each object, if that could be used; else what was held of it before."""
        before = self.usable
        self.usable = {key: obj for key, obj in before.items() if key.namespace != namespace}
        for each, obj in self.truth.items():
            if each.namespace == namespace:
                held = before.get(each) if isinstance(obj, QuarantinedObject) else obj
                if held is not None and held.uid == obj.uid:
                    self.usable[each] = held

    def _process(self, entry: Entry) -> None:
        for _, notification in apply_entry(self.store, entry):
            self._tell(notification)

    def _tell(self, notification: Notification) -> None:
        notify(self.handler, notification)


def versions(objects: object) -> dict[ObjectKey, tuple[str, str]]:
    return {obj.key: (obj.uid, obj.resource_version) for obj in objects}


TestPipeline = Pipeline.TestCase
TestPipeline.settings = effort(60)
