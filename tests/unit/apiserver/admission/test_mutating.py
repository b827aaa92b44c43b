"""Who is asked to change an object, in which order, and who again."""

from __future__ import annotations

import pytest

from btcctl.apiserver.admission.attributes import CREATE, Attributes
from btcctl.apiserver.admission.mutating import Mutator, Plugin, mutate
from btcctl.apiserver.kinds.built_in.resources import BUILT_INS
from btcctl.apiserver.requests.messages import ADMIN
from btcctl.apiserver.requests.routing import Route
from btcctl.resources import CONFIG_MAPS

SERVED = next(each for each in BUILT_INS if each.type == CONFIG_MAPS)


@pytest.fixture
def asked():
    return []


@pytest.fixture
def mutator(asked):
    """Makes one that adds its name to the object's list once, or always."""

    def make(name, *, adds=True, again=False):
        def apply(attributes):
            asked.append(name)
            names = attributes.obj["names"]
            return {"names": [*names, name] if adds and name not in names else names}

        return Mutator(name, again, apply)

    return make


def plugin(*mutators, **settings):
    return Plugin(lambda _: mutators, **settings)


def attributes():
    who = (ADMIN, "a", [].append)
    return Attributes(Route(SERVED, "default"), CREATE, CONFIG_MAPS, {"names": []}, None, {}, False, *who)


def test_each_is_asked_once_if_nobody_asks_for_more(asked, mutator):
    assert mutate([plugin(mutator("a"), mutator("b"))], attributes()) == {"names": ["a", "b"]}
    assert asked == ["a", "b"]


def test_whoever_asks_for_it_is_asked_again_when_others_have_changed_something_later(asked, mutator):
    mutate([plugin(mutator("a", again=True), mutator("b"), mutator("c", again=True))], attributes())
    assert asked == ["a", "b", "c", "a"]


def test_nobody_is_asked_again_if_nothing_changed(asked, mutator):
    mutate([plugin(mutator("a", adds=False, again=True), mutator("b", adds=False))], attributes())
    assert asked == ["a", "b"]


def test_a_plugin_is_asked_again_after_what_a_later_one_changed(asked, mutator):
    mutate([plugin(mutator("policy", again=True)), plugin(mutator("hook"))], attributes())
    assert asked == ["policy", "hook", "policy"]


def test_one_that_is_not_for_the_request_changes_nothing(mutator):
    nobody = Mutator("nobody", True, lambda _: None)
    assert mutate([plugin(nobody, mutator("a"))], attributes()) == {"names": ["a"]}


def test_where_all_counts_as_changed_whoever_asks_for_it_is_asked_again(asked, mutator):
    mutate([plugin(mutator("a", adds=False, again=True), mutator("b", adds=False), counts_all=True)], attributes())
    assert asked == ["a", "b", "a"]


def test_who_is_asked_is_found_out_when_the_turn_begins(asked, mutator):
    late = Plugin(lambda request: [mutator("late")] if request.obj["names"] else [])
    assert mutate([late, plugin(mutator("a"))], attributes()) == {"names": ["a"]}
    assert asked == ["a"]


def test_a_turn_has_an_end(mutator):
    def refuse():
        raise PermissionError("no")

    with pytest.raises(PermissionError):
        mutate([plugin(mutator("a"), end=refuse)], attributes())
