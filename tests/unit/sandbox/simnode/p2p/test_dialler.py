"""The dialler in a world whose time it moves itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from btcctl.sandbox.simnode.p2p.dialler import SLOTS, AwaitSlot, Dial, Dialler, Sleep


class World:
    """Peers that answer or do not, and what was dialled when.

    Args:
        live: Who accepts a link.
    """

    def __init__(self, live: Iterable[str] = ()) -> None:
        self.now = 0.0
        self.listed: list[str] = []
        self.live = set(live)
        self.linked: list[str] = []
        self.dialled: list[tuple[float, str]] = []
        self.awaits_slot = False
        self._dialler = Dialler()
        self._later: list[tuple[float, Callable[[], None]]] = []

    def at(self, instant: float, act: Callable[[], None]) -> None:
        self._later.append((instant, act))

    def run_until(self, end: float) -> None:
        while self.now <= end:
            self._act()
            unconnected = [name for name in self.listed if name not in self.linked]
            match self._dialler.step(unconnected, SLOTS - len(self.linked)):
                case Dial(name):
                    self.dialled.append((self.now, name))
                    self.linked += [name] if name in self.live else []
                case Sleep(seconds):
                    self.now += seconds
                case AwaitSlot():
                    self.awaits_slot = True
                    return

    def _act(self) -> None:
        due = [each for each in self._later if each[0] <= self.now]
        for each in due:
            self._later.remove(each)
            each[1]()


def test_an_idle_dialler_looks_every_two_seconds() -> None:
    world = World(live=["a"])
    world.at(3.0, lambda: world.listed.append("a"))
    world.run_until(10.0)
    assert world.dialled == [(4.0, "a")]


@pytest.mark.parametrize("live", [["a", "b"], ["b"]])
def test_after_any_attempt_it_rests_for_a_minute(live: list[str]) -> None:
    world = World(live)
    world.listed.append("a")
    world.at(1.0, lambda: world.listed.append("b"))
    world.run_until(100.0)
    assert world.dialled[0] == (0.0, "a")
    assert (60.5, "b") in world.dialled or (61.0, "b") in world.dialled
    assert len([name for _, name in world.dialled if name == "b"]) == 1


def test_attempts_of_one_pass_are_half_a_second_apart() -> None:
    world = World()
    world.listed = ["a", "b", "c"]
    world.run_until(2.0)
    assert world.dialled == [(0.0, "a"), (0.5, "b"), (1.0, "c")]


def test_a_live_peer_behind_two_hundred_dead_ones_waits_for_all_of_them() -> None:
    world = World(live=["live"])
    world.listed = [*(f"dead-{n}" for n in range(200)), "live"]
    world.run_until(150.0)
    assert (100.0, "live") in world.dialled


def test_a_peer_that_went_away_is_dialled_again_within_a_minute() -> None:
    world = World(live=["a"])
    world.listed = ["a"]
    world.at(30.0, world.linked.clear)
    world.run_until(100.0)
    assert world.dialled == [(0.0, "a"), (60.5, "a")]


def test_it_makes_eight_links_and_waits_for_one_to_end() -> None:
    world = World(live=map(str, range(12)))
    world.listed = [str(number) for number in range(12)]
    world.run_until(1000.0)
    assert [name for _, name in world.dialled] == list("01234567")
    assert world.awaits_slot
    freed_at = world.now
    world.linked.remove("3")
    world.listed.remove("3")
    world.run_until(freed_at)
    assert world.dialled[-1] == (freed_at, "8")


def test_entries_added_during_a_pass_wait_for_the_next() -> None:
    world = World()
    world.listed = ["a", "b"]
    world.at(0.5, lambda: world.listed.append("c"))
    world.run_until(61.0)
    assert [name for _, name in world.dialled] == ["a", "b", "a"]
