"""What a handler missed, as one: by example, and against a model while it is being told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from btcctl.informers.sharing.listener import Listener
from btcctl.informers.sharing.notifications import Added, Deleted, Notification, Updated
from btcctl.informers.sharing.pending import PendingNotifications
from btcctl.objects import Object, ObjectKey
from tests.properties import effort
from tests.unit.informers.support import Recorder, key, pod

NEW = Added(pod("a", 1), in_initial_list=False)
INITIAL = Added(pod("a", 1), in_initial_list=True)
UPDATE = Updated(pod("a", 1), pod("a", 2))
AGAIN = Updated(pod("a", 2), pod("a", 3))
GONE = Deleted(key("a"), pod("a", 4), final_state_known=True)
ANOTHER = Added(pod("a", 5, uid="another"), in_initial_list=False)
ANOTHER_UPDATE = Updated(pod("a", 5, uid="another"), pod("a", 6, uid="another"))
ANOTHER_GONE = Deleted(key("a"), pod("a", 7, uid="another"), final_state_known=True)


class Told(Recorder):
    """Knows some objects already, and lets something happen while it is being told."""

    def __init__(self, *known: Object) -> None:
        super().__init__()
        self.known = {obj.key: obj for obj in known}
        self.meanwhile: Callable[[], None] = lambda: None

    def on_add(self, obj: Object, in_initial_list: bool) -> None:
        super().on_add(obj, in_initial_list)
        self.meanwhile()

    def on_update(self, old: Object, new: Object) -> None:
        super().on_update(old, new)
        self.meanwhile()

    def on_delete(self, deleted: Deleted) -> None:
        super().on_delete(deleted)
        self.meanwhile()


def told(news: list[Notification], *known: Object) -> list[str]:
    """What a handler that knows `known` is told when `news` come before it is told anything."""
    handler = Told(*known)
    listener = Listener("l", handler)
    for each in news:
        listener.add([(key("a"), each)])
    while listener.statistics().pending:
        listener.deliver()
    return handler.told


@pytest.mark.parametrize(
    ("news", "expected"),
    [
        ([NEW, UPDATE, AGAIN], ["add a 3"]),
        ([INITIAL, UPDATE], ["add a 2 initially"]),
        ([NEW, GONE], []),
        ([INITIAL, GONE], []),
        ([NEW, GONE, ANOTHER], ["add a 5"]),
    ],
)
def test_of_what_a_handler_never_saw_it_is_told_the_newest_or_nothing(news, expected):
    assert told(news) == expected


@pytest.mark.parametrize(
    ("news", "expected"),
    [
        ([UPDATE, AGAIN], ["update a 1 -> 3"]),
        ([UPDATE, GONE], ["delete a"]),
        ([GONE, ANOTHER], ["delete a", "add a 5"]),
        ([UPDATE, GONE, ANOTHER, ANOTHER_UPDATE], ["delete a", "add a 6"]),
        ([UPDATE, GONE, ANOTHER, ANOTHER_GONE], ["delete a"]),
        ([GONE, GONE], ["delete a"]),
    ],
)
def test_of_what_it_knows_it_is_told_from_what_it_saw_last(news, expected):
    assert told(news, pod("a", 1)) == expected


def test_the_object_told_deleted_is_the_one_that_was_known():
    pending = PendingNotifications()
    for each in (UPDATE, GONE, ANOTHER, ANOTHER_GONE):
        pending.add(key("a"), each)
    assert pending.take(key("a")) is GONE


def test_how_much_of_the_initial_list_is_owed_is_known():
    pending = PendingNotifications()
    for name in "abc":
        pending.add(key(name), Added(pod(name, 1), in_initial_list=True))
    pending.add(key("a"), Updated(pod("a", 1), pod("a", 2)))
    pending.add(key("b"), Deleted(key("b"), pod("b", 1), final_state_known=True))
    assert pending.initial_owed == 2


@pytest.mark.parametrize(
    ("meanwhile", "rest"),
    [
        ([], ["add a 5"]),
        ([ANOTHER_UPDATE], ["add a 6"]),
        ([ANOTHER_GONE], []),
        ([ANOTHER_GONE, Added(pod("a", 8, uid="third"), in_initial_list=False)], ["add a 8"]),
    ],
)
def test_what_was_made_again_can_still_change_while_its_predecessor_is_told_deleted(meanwhile, rest):
    handler = Told(pod("a", 1))
    listener = Listener("l", handler)
    listener.add([(key("a"), GONE), (key("a"), ANOTHER)])
    handler.meanwhile = lambda: listener.add((key("a"), each) for each in meanwhile)
    listener.deliver()
    handler.meanwhile = lambda: None
    listener.deliver()
    assert handler.told == ["delete a", *rest]


@pytest.mark.parametrize(
    ("between", "left"),
    [(ANOTHER_UPDATE, Added(ANOTHER_UPDATE.new, in_initial_list=False)), (ANOTHER_GONE, None)],
)
def test_what_comes_between_the_taking_and_the_putting_back_is_not_lost(between, left):
    pending = PendingNotifications()
    pending.add(key("a"), GONE)
    pending.add(key("a"), ANOTHER)
    taken = pending.take(key("a"))
    pending.add(key("a"), between)
    pending.put_back(key("a"), taken.added)
    assert pending.take(key("a")) == left


def test_what_changed_again_is_told_with_what_was_asked_for_and_not_later():
    handler = Told()
    listener = Listener("l", handler)
    listener.add((key(name), Added(pod(name, 1), in_initial_list=False)) for name in "ab")
    handler.meanwhile = lambda: listener.add([(key("b"), Updated(pod("b", 1), pod("b", 2)))])
    listener.deliver([key("a"), key("b")])
    assert handler.told == ["add a 1", "add b 2"]


class Coalescing(RuleBasedStateMachine):
    """Whatever a handler misses, what it is told fits together, and in the end it knows the same.

    The Recorder checks that each update starts from what it was told last, by UID, and that nothing
    it does not know is deleted. Changes happen between notifications and in the middle of one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.store: dict[ObjectKey, Object] = {}
        self.handler = Told()
        self.listener = Listener("l", self.handler)
        self.initial = 0
        self.version = 0

    def news(self, name: str, deleted: bool) -> list[tuple[ObjectKey, Notification]]:
        self.version += 1
        old = self.store.pop(key(name), None)
        if deleted:
            return [(key(name), Deleted(key(name), old, final_state_known=True))] if old else []
        new = self.store[key(name)] = pod(name, self.version, uid=old.uid if old else f"{name}{self.version}")
        return [(new.key, Updated(old, new) if old else Added(new, in_initial_list=not self.initial))]

    @rule(name=st.sampled_from("abc"), deleted=st.booleans())
    def change(self, name: str, deleted: bool) -> None:
        self.listener.add(self.news(name, deleted))

    @precondition(lambda self: not self.initial)
    @rule()
    def complete_initial_list(self) -> None:
        self.initial = 1
        self.listener.complete_initial_list()

    @rule(
        names=st.permutations("abc"),
        meanwhile=st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=4),
    )
    def deliver(self, names: list[str], meanwhile: list[tuple[str, bool]]) -> None:
        changes = iter(meanwhile)

        def change_one() -> None:
            for name, deleted in changes:
                self.listener.add(self.news(name, deleted))
                return

        self.handler.meanwhile = change_one
        self.listener.deliver([key(name) for name in names])
        self.handler.meanwhile = lambda: None

    @invariant()
    def it_holds_no_more_than_what_is_alive_or_known(self) -> None:
        assert self.listener.statistics().pending <= len(self.store.keys() | self.handler.known.keys())
        assert self.listener.statistics().failures == 0

    def teardown(self) -> None:
        self.listener.complete_initial_list()
        while self.listener.statistics().pending:
            self.listener.deliver()
        assert self.handler.known == self.store
        assert self.listener.has_synced()


TestCoalescing = Coalescing.TestCase
TestCoalescing.settings = effort(60)
