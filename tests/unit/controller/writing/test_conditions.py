"""Conditions say since when they hold."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from btcctl.controller.writing.conditions import FALSE, TRUE, Condition, merge_conditions

EARLIER, NOW = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def test_a_condition_that_stays_keeps_its_time_whatever_its_reason():
    old = [Condition("Ready", TRUE, "AllThere", "3 of 3", EARLIER, 1)]
    (merged,) = merge_conditions(old, [Condition("Ready", TRUE, "Enough", "2 of 3")], now=NOW, generation=2)
    assert merged == Condition("Ready", TRUE, "Enough", "2 of 3", EARLIER, 2)


def test_a_condition_that_changes_or_is_new_gets_the_time_of_now():
    old = [Condition("Ready", FALSE, "Starting", "", EARLIER, 1)]
    new = [Condition("Ready", TRUE, "AllThere"), Condition("Synced", TRUE, "Yes")]
    assert [each.last_transition_time for each in merge_conditions(old, new, now=NOW)] == [NOW, NOW]


def test_a_condition_without_a_time_gets_one():
    old = [Condition("Ready", TRUE, "AllThere")]
    assert merge_conditions(old, old, now=NOW)[0].last_transition_time == NOW


def test_conditions_of_others_stay_behind_ours():
    theirs = Condition("Theirs", TRUE, "R", "", EARLIER, 7)
    merged = merge_conditions([theirs, Condition("Ready", TRUE, "R")], [Condition("Ready", TRUE, "R")], now=NOW)
    assert [each.type for each in merged] == ["Ready", "Theirs"]
    assert merged[1] == theirs


def test_a_condition_is_written_as_the_api_wants_it():
    body = msgspec.to_builtins(Condition("Ready", TRUE, "AllThere", "", NOW, 3))
    assert body == {
        "type": "Ready",
        "status": "True",
        "reason": "AllThere",
        "message": "",
        "lastTransitionTime": NOW,
        "observedGeneration": 3,
    }


def test_an_instant_is_written_as_kubernetes_does():
    now = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    [merged] = merge_conditions([], [Condition("Ready", TRUE, "R")], now=now)
    assert merged.last_transition_time == "2026-01-02T03:04:05Z"
