"""Who has ended, and how."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from btcctl.objects import ObjectKey
from btcctl.sandbox.kubelet.exits import Exits, WatchedProcesses

KEY = ObjectKey("ns", "p")


def test_an_exit_wakes_the_pod_and_is_taken_once():
    woken: list[ObjectKey] = []
    exits = Exits(woken.append)
    exits.expect(7, KEY)
    assert (exits.take(7), woken) == (None, [])
    exits.ended(7, -9)
    assert woken == [KEY]
    assert (exits.take(7), exits.take(7)) == (-9, None)


def test_a_process_that_ends_before_anybody_knows_whose_it_is_is_not_lost():
    woken: list[ObjectKey] = []
    exits = Exits(woken.append)
    exits.ended(7, 1)
    assert woken == []
    exits.expect(7, KEY)
    assert (woken, exits.take(7)) == ([KEY], 1)


def test_a_started_process_is_expected_to_end():
    woken: list[ObjectKey] = []
    exits = Exits(woken.append)
    keeper = SimpleNamespace(spawn=lambda *_: SimpleNamespace(pid=7), signal=lambda *_: None)
    processes = WatchedProcesses(KEY, keeper, exits)
    assert processes.spawn(["sleep"], {}, Path(), Path()) == 7
    exits.ended(7, 0)
    assert (woken, processes.exit_code(7)) == ([KEY], 0)


def test_a_forgotten_code_is_not_taken_for_that_of_the_next_process_with_its_number():
    exits = Exits(lambda _: None)
    exits.ended(7, 1)
    exits.forget(7)
    exits.forget(8)
    exits.ended(8, 1)
    assert [exits.take(7), exits.take(8)] == [None, None]
    exits.ended(8, 2)
    assert exits.take(8) == 2
