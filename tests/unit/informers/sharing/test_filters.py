from __future__ import annotations

import asyncio

import pytest

from btcctl.controller.keys.predicates import generation_changed
from btcctl.informers.sharing.filters import FilteringHandler, PredicateHandler
from btcctl.informers.sharing.notifications import Deleted
from btcctl.objects import Object
from tests.unit.informers.support import Recorder, key, pod


def is_even(obj: Object) -> bool:
    if obj.resource_version == "13":
        raise ValueError("an unlucky number")
    if obj.resource_version == "17":
        raise asyncio.CancelledError
    return int(obj.resource_version) % 2 == 0


def filtered(recorder: Recorder, *known: Object) -> FilteringHandler:
    recorder.known = {obj.key: obj for obj in known}
    return FilteringHandler(recorder, is_even)


def test_only_what_passes_is_added_and_deleted():
    recorder = Recorder()
    handler = filtered(recorder)
    for version in (1, 2):
        handler.on_add(pod(f"p{version}", version), in_initial_list=True)
    for version in (1, 2):
        handler.on_delete(Deleted(key(f"p{version}"), pod(f"p{version}", version), final_state_known=True))
    assert recorder.told == ["add p2 2 initially", "delete p2"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [(2, 4, ["update a 2 -> 4"]), (1, 2, ["add a 2"]), (2, 3, ["delete a"]), (1, 3, [])],
)
def test_what_begins_to_pass_is_added_and_what_ends_to_pass_is_deleted(old, new, told):
    recorder = Recorder()
    filtered(recorder, *([pod("a", old)] if old % 2 == 0 else [])).on_update(pod("a", old), pod("a", new))
    assert recorder.told == told


def test_the_last_state_of_what_no_longer_passes_is_the_one_that_did():
    recorder, deletions = Recorder(), []
    handler = filtered(recorder)
    recorder.on_delete = deletions.append
    handler.on_update(pod("a", 2), pod("a", 3))
    assert [each.last.resource_version for each in deletions] == ["2"]


def test_an_object_the_filter_raises_for_does_not_pass_and_comes_back_when_it_does():
    recorder = Recorder()
    handler = filtered(recorder, pod("a", 2))
    with pytest.raises(ValueError, match="unlucky"):
        handler.on_update(pod("a", 2), pod("a", 13))
    handler.on_update(pod("a", 13), pod("a", 14))
    assert recorder.told == ["delete a", "add a 14"]


def test_what_is_no_exception_to_python_is_one_to_a_filter():
    recorder = Recorder()
    handler = filtered(recorder, pod("a", 2))
    with pytest.raises(asyncio.CancelledError):
        handler.on_update(pod("a", 2), pod("a", 17))
    handler.on_update(pod("a", 17), pod("a", 18))
    assert recorder.told == ["delete a", "add a 18"]


def test_a_deletion_without_a_last_state_is_told():
    seen: list[Deleted] = []
    recorder = Recorder()
    recorder.on_delete = seen.append
    for handler in (filtered(recorder), PredicateHandler(recorder, lambda old, new: False)):
        handler.on_delete(Deleted(key("a"), None, final_state_known=False))
    assert len(seen) == 2


def test_only_changes_a_predicate_wants_are_told():
    recorder = Recorder()
    handler = PredicateHandler(recorder, generation_changed)
    one, same, two = (Object.from_body({"metadata": {**pod("a", n).body()["metadata"], "generation": g}})
                      for n, g in ((1, 1), (2, 1), (3, 2)))  # fmt: skip
    handler.on_add(one, in_initial_list=False)
    handler.on_update(one, same)
    recorder.known = {same.key: same}
    handler.on_update(same, two)
    handler.on_delete(Deleted(key("a"), two, final_state_known=True))
    assert recorder.told == ["add a 1", "update a 2 -> 3", "delete a"]


@pytest.mark.parametrize("error", [KeyError, asyncio.CancelledError])
def test_a_predicate_that_raises_drops_nothing(error):
    def judge(old: Object | None, new: Object | None) -> bool:
        raise error

    recorder = Recorder()
    handler = PredicateHandler(recorder, judge)
    for tell in (
        lambda: handler.on_add(pod("a", 1), in_initial_list=False),
        lambda: handler.on_update(pod("a", 1), pod("a", 2)),
        lambda: handler.on_delete(Deleted(key("a"), pod("a", 2), final_state_known=True)),
    ):
        with pytest.raises(error):
            tell()
    assert recorder.told == ["add a 1", "update a 1 -> 2", "delete a"]


class Ambiguous:
    """As what numpy makes of a comparison of arrays."""

    def __bool__(self) -> bool:
        raise ValueError("the truth value is ambiguous")


def test_what_a_predicate_returns_drops_nothing_if_nobody_can_say_whether_it_is_true():
    recorder = Recorder()
    with pytest.raises(ValueError, match="ambiguous"):
        PredicateHandler(recorder, lambda old, new: Ambiguous()).on_add(pod("a", 1), in_initial_list=False)
    assert recorder.told == ["add a 1"]


def test_an_object_of_which_nobody_can_say_whether_it_passes_does_not():
    recorder = Recorder()
    recorder.known = {key("a"): pod("a", 2)}
    handler = FilteringHandler(recorder, lambda obj: obj.resource_version == "2" or Ambiguous())
    with pytest.raises(ValueError, match="ambiguous"):
        handler.on_update(pod("a", 2), pod("a", 3))
    handler.on_update(pod("a", 3), pod("a", 2))
    assert recorder.told == ["delete a", "add a 2"]
