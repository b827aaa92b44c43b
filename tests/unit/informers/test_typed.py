from __future__ import annotations

import asyncio
import threading

import msgspec
import pytest

from btcctl.errors import ObjectDecodeError
from btcctl.informers.cache.indexer import Indexer
from btcctl.informers.cache.lister import Lister
from btcctl.informers.shared_informer import SharedInformer
from btcctl.informers.sharing.notifications import Added, Deleted, EventHandler, Notification, Updated, notify
from btcctl.informers.typed import TypedInformer, TypedLister, cache_of
from btcctl.objects import ObjectKey, ObjectMeta
from btcctl.testing import capture_logs
from btcctl.typed.values import decoded
from tests.unit.informers.support import LiveSource, key, pod


class Widget(msgspec.Struct):
    metadata: ObjectMeta
    size: int = 0


class Sizes:
    """A TypedHandler that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.changed = threading.Condition()

    def on_add(self, obj: Widget, in_initial_list: bool) -> None:
        self._note(("add", obj.metadata.name, obj.size, in_initial_list))

    def on_update(self, old: Widget, new: Widget) -> None:
        self._note(("update", old.metadata.resource_version, new.metadata.resource_version))

    def on_delete(self, key: ObjectKey, last: Widget | None) -> None:
        self._note(("delete", str(key), last and last.metadata.name))

    def _note(self, text: object) -> None:
        with self.changed:
            self.told.append(text)
            self.changed.notify_all()

    def wait_until_told(self, count: int) -> list[object]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.told) >= count, 10.0), self.told
            return self.told


def typed(source: LiveSource) -> TypedInformer[Widget]:
    informer = SharedInformer(source, name="widgets", indexers={"name": lambda obj: [obj.name]})
    return TypedInformer(informer, Widget)


def test_an_index_is_of_structs_and_leaves_out_what_does_not_fit():
    widgets = typed(LiveSource(pod("a", 5, size=3), pod("b", 6, size="many")))
    widgets.add_index("size", lambda widget: [str(widget.size)])
    with widgets.informer:
        assert widgets.informer.wait_for_sync(10.0)
        assert [each.metadata.name for each in widgets.lister.by_index("size", "3")] == ["a"]
        assert widgets.lister.by_index("size", "many") == []


def test_readers_get_structs_of_their_own():
    widgets = typed(LiveSource(pod("a", 5, size=3), pod("b", 6)))
    with widgets.informer:
        assert widgets.informer.wait_for_sync(10.0)
        first = widgets.lister.get(key("a"))
        first.size = 99
        assert widgets.lister.get(key("a")).size == 3
        assert widgets.lister.get(key("c")) is None
        assert [each.size for each in widgets.lister.list()] == [3, 0]
        assert [each.size for each in widgets.lister.list("default", selector="!x")] == [3, 0]
        assert [each.size for each in widgets.lister.by_index("name", "a")] == [3]


def test_handlers_are_told_structs():
    source, sizes = LiveSource(pod("a", 5, size=3)), Sizes()
    widgets = typed(source)
    widgets.add_handler(sizes)
    with widgets.informer:
        sizes.wait_until_told(1)
        source.put("a")
        sizes.wait_until_told(2)
        source.delete("a")
        told = sizes.wait_until_told(3)
    assert told == [("add", "a", 3, True), ("update", "5", "6"), ("delete", "default/a", "a")]


def test_what_does_not_fit_the_type_is_left_out_of_lists_said_once_and_counted():
    widgets = typed(LiveSource(pod("a", 5, size="big"), pod("b", 6, size=1)))
    with capture_logs() as logged, widgets.informer:
        assert widgets.informer.wait_for_sync(10.0)
        assert [[each.size for each in widgets.lister.list()] for _ in range(2)] == [[1], [1]]
        assert widgets.lister.by_index("name", "a") == []
        assert widgets.lister.misfits() == [key("a")]
    assert [entry["key"] for entry in logged if "key" in entry] == ["default/a"]


def test_what_does_not_fit_the_type_is_not_gone():
    widgets = typed(LiveSource(pod("a", 5, size="big")))
    with widgets.informer:
        assert widgets.informer.wait_for_sync(10.0)
        with pytest.raises(ObjectDecodeError, match="default/a"):
            widgets.lister.get(key("a"))


def test_an_object_that_was_mended_or_deleted_is_no_misfit():
    indexer = Indexer("widgets")
    lister = TypedLister(Lister(indexer), Widget)
    for name in ("a", "b", "c"):
        indexer.put(pod(name, 5, size="big"))
    with capture_logs():
        assert lister.list() == []
        indexer.put(pod("a", 6, size=1))
        indexer.delete(key("b"))
        assert [each.size for each in lister.list()] == [1]
    assert lister.misfits() == [key("c")]


def test_misfits_without_end_are_counted_and_not_all_logged():
    indexer = Indexer("widgets")
    lister = TypedLister(Lister(indexer), Widget)
    for n in range(100):
        indexer.put(pod(f"a{n}", 5, size="big"))
    with capture_logs() as logged:
        lister.list()
    assert (len(lister.misfits()), len(logged)) == (100, 10)


class Directly:
    """An informer that keeps what its handler would be told by; `tell` says whether that raised."""

    lister = Lister(Indexer("widgets"))

    def add_handler(self, handler: EventHandler, *, resync_seconds: float | None = None) -> None:
        self.handler = handler

    def tell(self, notification: Notification) -> bool:
        try:
            notify(self.handler, notification)
        except ObjectDecodeError:
            return False
        return True


@pytest.fixture
def told() -> tuple[Directly, list[object]]:
    informer, sizes = Directly(), Sizes()
    TypedInformer(informer, Widget).add_handler(sizes)  # type: ignore[arg-type]
    return informer, sizes.told


def test_a_handler_is_told_of_what_was_mended_from_the_state_it_knows(told):
    good, bad, worse, mended = pod("a", 5), pod("a", 6, size="big"), pod("a", 7, size=[]), pod("a", 8)
    informer, seen = told
    said = [informer.tell(each) for each in (Added(good, True), Updated(good, bad), Updated(bad, worse))]
    assert said == [True, False, False]
    assert informer.tell(Updated(worse, mended))
    assert informer.tell(Updated(mended, pod("a", 9)))
    assert seen == [("add", "a", 0, True), ("update", "5", "8"), ("update", "8", "9")]


def test_what_fits_for_the_first_time_was_added(told):
    informer, seen = told
    assert not informer.tell(Added(pod("a", 5, size="big"), True))
    assert informer.tell(Updated(pod("a", 5, size="big"), pod("a", 6, size=1)))
    assert seen == [("add", "a", 1, False)]


def test_what_is_deleted_while_it_does_not_fit_was_last_what_the_handler_knows(told):
    good, bad = pod("a", 5), pod("a", 6, size="big")
    informer, seen = told
    for each in (Updated(good, bad), Deleted(bad.key, bad, True), Deleted(bad.key, bad, True)):
        informer.tell(each)
    assert seen == [("delete", "default/a", "a"), ("delete", "default/a", None)]


def test_a_view_and_its_informer_are_one_cache():
    widgets = typed(LiveSource())
    assert cache_of(widgets) is cache_of(widgets.informer) is widgets.informer


class Choosy(msgspec.Struct):
    """Whose own code raises what msgspec lets out."""

    metadata: ObjectMeta
    size: object = 0

    def __post_init__(self) -> None:
        if self.size == "big":
            raise KeyError("no such size")
        if self.size == "huge":
            raise asyncio.CancelledError


def test_what_a_type_itself_raises_is_of_that_one_object_and_its_mending_is_told():
    informer, sizes = Directly(), Sizes()
    TypedInformer(informer, Choosy).add_handler(sizes)  # type: ignore[arg-type]
    bad = pod("a", 5, size="big")
    with pytest.raises(ObjectDecodeError, match="default/a cannot be decoded: KeyError: 'no such size'"):
        decoded(bad, Choosy)
    with pytest.raises(ObjectDecodeError, match="default/a cannot be decoded: CancelledError"):
        decoded(pod("a", 5, size="huge"), Choosy)
    assert not informer.tell(Added(bad, True))
    assert informer.tell(Updated(bad, pod("a", 6, size=1)))
    assert len(sizes.told) == 1


def test_who_is_no_handler_of_a_view_is_told_at_once():
    with pytest.raises(TypeError, match="has the methods on_add"):
        typed(LiveSource()).add_handler(print)  # type: ignore[arg-type]
