"""What others say differently each time about one trouble is written and told once; what is news is said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from uuid import uuid4

import pytest

from btcctl.bitcoin.quotes import Quotes, gist
from btcctl.bitcoin.rpc import Call, RpcError, RpcFailure, RpcUnavailable, WarmingUp
from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.errors import ApiError, Forbidden
from btcctl.resources import STATEFUL_SETS
from btcctl.testing.fake_client import Action
from tests.unit.bitcoin.world import KEY, World, living

Words = Callable[[int], str]
VOLATILE: list[Words] = [
    lambda number: f"attempt {number} failed",
    lambda number: f"denied request {uuid4()}",
    lambda number: f"gave up after {number * 0.13:.3f}s",
    lambda number: f"[fd00::1]:{40_000 + number} refused",
    lambda number: f"at Mon Nov 30 19:00:{number:02} UTC 2026",
]


class Failing:
    """A node that answers each time with another error."""

    def __init__(self, error: Callable[[int], RpcError]) -> None:
        self._error = error
        self._numbers = count(1)

    def batch(self, calls: Sequence[Call]) -> None:
        raise self._error(next(self._numbers))

    def call(self, *_: object) -> None:
        return None


def with_failing_node(error: Callable[[int], RpcError]) -> World:
    world = living()
    failing, sick, rpc_for = Failing(error), world.address(1), world.mesh.rpc_for
    world.mesh.rpc_for = lambda address, *rest: failing if address == sick else rpc_for(address, *rest)  # type: ignore[method-assign,assignment,return-value]
    world.restart_controller()
    return world


def look(world: World, times: int) -> None:
    for _ in range(times):
        with suppress(ApiError):
            world.reconcile()
        world.clock.advance(31)


@pytest.mark.parametrize("words", [*VOLATILE, lambda number: chr(96 + number) * 9])
def test_a_node_that_fails_in_other_words_each_time_costs_no_write_and_no_event(words: Words) -> None:
    world = with_failing_node(lambda number: RpcError(-1, words(number)))
    look(world, 4)
    assert world.message("MeshReady").startswith(f"node 1 at {world.address(1)} answers with error -1: ")
    world.forget()
    look(world, 20)
    assert (world.writes(), world.notices) == ([], [])


def test_a_node_that_fails_with_another_code_each_time_costs_no_write() -> None:
    world = with_failing_node(lambda number: RpcError(-100 - number, "no"))
    look(world, 4)
    world.forget()
    look(world, 20)
    assert world.writes() == []


@pytest.mark.parametrize("words", VOLATILE)
def test_a_server_that_refuses_in_other_words_each_time_has_one_status_and_one_event_of_each(words: Words) -> None:
    world, numbers = living(), count(1)

    def refuse(action: Action) -> None:
        if (action.verb, action.type) == ("update", STATEFUL_SETS):
            raise Forbidden(403, "Forbidden", words(next(numbers)))

    world.client.reactors.append(refuse)
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"nodes": 4}})
    look(world, 20)
    assert [type_ for _, type_ in world.writes() if "bitcoinnetworks" in type_] == [str(BITCOIN_NETWORKS)]
    assert sorted(world.reasons()) == ["Refused", "StatefulSetNotUpdated"]


def test_another_refusal_is_said_at_once() -> None:
    world, policies = living(), iter(["first", "second"])

    def refuse(action: Action) -> None:
        if (action.verb, action.type) == ("update", STATEFUL_SETS):
            raise Forbidden(403, "Forbidden", f"by the {next(policies)} policy")

    world.client.reactors.append(refuse)
    world.edit(BITCOIN_NETWORKS, KEY, {"spec": {"nodes": 4}})
    look(world, 2)
    assert "by the second policy" in world.message("Forbidden")


def test_what_is_said_first_stands_until_something_else_is_said_twice_running() -> None:
    quotes = Quotes()
    assert [quotes.of("a", words) for words in ("1", "2", "3", "3", "4")] == ["1", "1", "1", "3", "3"]
    assert quotes.of("b", "4") == "4"


def test_after_a_trouble_is_over_the_next_one_is_news() -> None:
    quotes = Quotes()
    quotes.of_node("a", RpcError(-1, "old"))
    quotes.forget(["a"])
    assert str(quotes.of_node("a", RpcError(-1, "new"))) == "new (-1)"


@pytest.mark.parametrize("failure", [RpcUnavailable("no answer"), WarmingUp(-28, "Loading block index…")])
def test_a_failure_of_which_no_words_are_repeated_is_itself(failure: RpcFailure) -> None:
    quotes = Quotes()
    quotes.of_node("a", RpcError(-1, "no"))
    assert quotes.of_node("a", failure) is failure


@pytest.mark.parametrize(
    ("one", "other"), [("pod net-sts-1 at 10.0.0.1:1", "pod net-sts-2 at 10.0.1.7:50"), ("8f1-ab-467f", "ab1-00-1")]
)
def test_the_gist_of_words_is_what_is_no_number(one: str, other: str) -> None:
    assert gist(one) == gist(other)


def test_the_gist_keeps_what_is_meant() -> None:
    assert gist("by the first policy") != gist("by the second policy")
