from __future__ import annotations

import threading

from btcctl.controller.reconciling.journal import Journal
from btcctl.objects import ObjectKey
from btcctl.testing.clock import FakeClock

A, B = ObjectKey("ns", "a"), ObjectKey("ns", "b")


def test_all_changes_before_a_reconcile_share_its_id_and_later_ones_lead_to_another() -> None:
    journal = Journal("net")
    ids = [journal.change(A), journal.change(A), journal.change(B)]
    assert ids == ["net-1", "net-1", "net-2"]
    assert journal.begin(A) == "net-1"
    assert journal.change(A) == "net-3"
    journal.end(A, "success")
    assert journal.begin(A) == "net-3"


def test_a_reconcile_that_no_change_led_to_has_an_id_too() -> None:
    assert Journal("net").begin(A) == "net-1"


def test_what_runs_is_known_with_its_thread_and_what_ended_with_its_result() -> None:
    clock = FakeClock(now=10.0)
    journal = Journal("net", clock)
    journal.begin(A)
    running = journal.running()[A]
    assert (running.id, running.began_at, running.thread) == ("net-1", 10.0, threading.get_ident())
    clock.advance(2.0)
    journal.end(A, "error", ValueError("no"))
    assert journal.running() == {}
    last = journal.last(A)
    assert last is not None
    assert (last.id, last.ended_at, last.seconds, last.result, last.error) == (
        "net-1",
        12.0,
        2.0,
        "error",
        "ValueError: no",
    )
    assert journal.last(B) is None


def test_errors_are_kept_without_credentials() -> None:
    journal = Journal("net")
    journal.begin(A)
    journal.end(A, "error", ValueError("http://user:geheim@host refused Bearer abc"))
    last = journal.last(A)
    assert last is not None
    assert "geheim" not in last.error
    assert "abc" not in last.error
