from __future__ import annotations

import threading

import msgspec

from btcctl.informers.shared_informer import SharedInformer
from btcctl.informers.transform import decodable_as
from btcctl.informers.typed import TypedInformer
from btcctl.objects import ObjectKey, ObjectMeta
from btcctl.testing import capture_logs
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
    informer = SharedInformer(
        source, name="widgets", transform=decodable_as(Widget), indexers={"name": lambda obj: [obj.name]}
    )
    return TypedInformer(informer, Widget)


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


def test_what_does_not_fit_the_type_is_kept_from_every_reader():
    widgets = typed(LiveSource(pod("a", 5, size="big"), pod("b", 6, size=1)))
    with capture_logs() as logged, widgets.informer:
        assert widgets.informer.wait_for_sync(10.0)
        assert [each.size for each in widgets.lister.list()] == [1]
        assert widgets.informer.statistics().quarantined == 1
    assert [entry["key"] for entry in logged if "key" in entry] == ["default/a"]
