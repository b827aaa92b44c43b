"""client-go's correlator, in its numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from btcctl.events.event import Event
from btcctl.events.reference import ObjectReference
from btcctl.events.sinks.correlator import CACHE_ENTRIES, EventCorrelator

COMBINED = "(combined from similar events): "
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
POD = ObjectReference("v1", "Pod", "default", "pod-0", "u1")
STARTED = Event(POD, "Normal", "Started", "Started container", "kubelet", NOON)


def counts(correlator: EventCorrelator, *events: Event, now: float = 0.0) -> list[int | None]:
    occurrences = [correlator.correlate(event, now) for event in events]
    return [None if each is None else each.count for each in occurrences]


def test_an_identical_event_raises_the_count_of_the_first():
    correlator = EventCorrelator()
    first = correlator.correlate(STARTED, 0.0)
    again = correlator.correlate(replace(STARTED, time=NOON + timedelta(seconds=5)), 5.0)
    assert (first.count, again.count) == (1, 2)
    assert again.name == first.name
    assert again.first_time == NOON


def test_events_that_differ_are_counted_apart():
    others = [
        replace(STARTED, reason="Killing"),
        replace(STARTED, type="Warning"),
        replace(STARTED, message="Started another"),
        replace(STARTED, component="scheduler"),
        replace(STARTED, reference=replace(POD, uid="u2")),
        replace(STARTED, reference=replace(POD, namespace="other")),
    ]
    assert counts(EventCorrelator(), STARTED, *others) == [1] * 7


def test_the_tenth_distinct_message_and_later_ones_become_one_event():
    correlator = EventCorrelator()
    events = [replace(STARTED, message=f"message {number}") for number in range(12)]
    occurrences = [correlator.correlate(event, 0.0) for event in events]
    assert [each.count for each in occurrences] == [1] * 10 + [2, 3]
    assert occurrences[8].event.message == "message 8"
    assert occurrences[9].event.message == "(combined from similar events): message 9"
    assert len({each.name for each in occurrences}) == 10


def test_the_same_message_again_and_again_is_not_aggregated():
    correlator = EventCorrelator()
    for _ in range(20):
        last = correlator.correlate(STARTED, 0.0)
    assert last.event.message == STARTED.message
    assert last.count == 20


def test_a_message_from_before_the_aggregation_still_raises_its_own_count():
    correlator = EventCorrelator()
    events = [replace(STARTED, message=f"message {number}") for number in range(12)]
    for event in events:
        correlator.correlate(event, 0.0)
    again = correlator.correlate(events[0], 0.0)
    assert (again.event.message, again.count) == ("message 0", 2)


def test_the_ten_minutes_of_aggregation_roll():
    correlator = EventCorrelator()
    events = [replace(STARTED, message=f"message {number}") for number in range(12)]
    occurrences = [correlator.correlate(event, number * 500.0) for number, event in enumerate(events)]
    assert occurrences[11].event.message.startswith("(combined")


def test_aggregation_ends_after_ten_quiet_minutes():
    correlator = EventCorrelator()
    events = [replace(STARTED, message=f"message {number}") for number in range(12)]
    for event in events[:10]:
        correlator.correlate(event, 0.0)
    assert correlator.correlate(events[10], 600.0).event.message.startswith("(combined")
    assert correlator.correlate(events[11], 1200.1).event.message == "message 11"


def test_an_object_may_speak_25_times_and_then_once_in_5_minutes():
    correlator = EventCorrelator()
    spoken = [correlator.correlate(STARTED, 0.0) is not None for _ in range(27)]
    assert spoken == [True] * 25 + [False] * 2
    assert correlator.correlate(STARTED, 299.0) is None
    assert correlator.correlate(STARTED, 300.0) is not None
    assert correlator.correlate(STARTED, 300.0) is None


def test_what_was_silenced_still_counts():
    correlator = EventCorrelator()
    for _ in range(30):
        correlator.correlate(STARTED, 0.0)
    assert correlator.correlate(STARTED, 300.0).count == 31


def test_warnings_are_heard_although_normal_events_were_silenced():
    correlator = EventCorrelator()
    for _ in range(30):
        correlator.correlate(STARTED, 0.0)
    assert correlator.correlate(replace(STARTED, type="Warning"), 0.0).count == 1


def test_a_silent_object_does_not_silence_another():
    correlator = EventCorrelator()
    for _ in range(30):
        correlator.correlate(STARTED, 0.0)
    assert counts(correlator, replace(STARTED, reference=replace(POD, name="pod-1"))) == [1]


def test_the_memory_is_bounded_and_what_is_forgotten_starts_anew():
    correlator = EventCorrelator()
    correlator.correlate(STARTED, 0.0)
    for number in range(CACHE_ENTRIES):
        correlator.correlate(replace(STARTED, reference=replace(POD, name=f"other-{number}")), 0.0)
    assert correlator.correlate(STARTED, 0.0).count == 1


def test_names_are_the_objects_with_the_time_in_hex_nanoseconds():
    name = EventCorrelator().correlate(STARTED, 0.0).name
    assert name == f"pod-0.{1767268800 * 10**9:x}"


def test_two_events_of_one_instant_have_different_names():
    correlator = EventCorrelator()
    names = {correlator.correlate(replace(STARTED, reason=reason), 0.0).name for reason in ("A", "B", "C")}
    assert len(names) == 3


def test_an_object_whose_name_is_no_domain_name_gets_events_with_a_random_name():
    correlator = EventCorrelator()
    for bad in ("system:node", "x" * 250):
        name = correlator.correlate(replace(STARTED, reference=replace(POD, name=bad)), 0.0).name
        assert bad not in name
        assert len(name) == 36


@pytest.mark.parametrize(
    ("what", "messages", "seconds", "expected"),
    [
        ("one event", 1, 0.0, [("message 0", 1)]),
        ("just below the limit", 9, 0.0, [("message 8", 1)]),
        ("the tenth", 10, 0.0, [(f"{COMBINED}message 9", 1)]),
        ("the tenth after most of the interval", 10, 599.0, [(f"{COMBINED}message 9", 1)]),
        ("exactly the interval", 10, 600.0, [(f"{COMBINED}message 9", 1)]),
        ("later than the interval", 10, 601.0, [("message 9", 1)]),
        ("many", 13, 0.0, [(f"{COMBINED}message {each}", each - 8) for each in (10, 11, 12)]),
    ],
)
def test_similar_events_as_client_gos_table_has_them(what, messages, seconds, expected):
    correlator = EventCorrelator()
    found = []
    for number in range(messages):
        now = seconds if number == messages - 1 else 0.0
        occurrence = correlator.correlate(replace(STARTED, message=f"message {number}"), now)
        found.append((occurrence.event.message, occurrence.count))
    assert found[-len(expected) :] == expected, what


@pytest.mark.parametrize(
    ("identical", "count", "written"), [(1, 1, 1), (2, 2, 2), (10, 10, 10), (25, 25, 25), (40, 25, 25)]
)
def test_identical_events_only_raise_the_count_however_many(identical, count, written):
    correlator = EventCorrelator()
    spoken = [each for _ in range(identical) if (each := correlator.correlate(STARTED, 0.0))]
    assert (spoken[-1].count, len(spoken), len({each.name for each in spoken})) == (count, written, 1)


@pytest.mark.parametrize(
    ("seconds", "spoken"), [(0.0, 0), (299.9, 0), (300.0, 1), (600.0, 2), (25 * 300.0, 25), (100 * 300.0, 25)]
)
def test_a_silenced_object_may_speak_again_once_in_300_seconds_and_25_times_at_most(seconds, spoken):
    correlator = EventCorrelator()
    for _ in range(25):
        correlator.correlate(STARTED, 0.0)
    assert sum(correlator.correlate(STARTED, seconds) is not None for _ in range(30)) == spoken
