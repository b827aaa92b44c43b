"""The API server counts bytes; what does not fit is cut, shown and counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.apiserver.kinds.events import check_new
from btcctl.events.broadcaster import Broadcaster
from btcctl.events.event import Event
from btcctl.events.limits import shortened
from btcctl.events.recorder import EventRecorder, SourceRecorder
from btcctl.events.reference import ObjectReference
from tests.unit.events.support import FakeEvents

NETWORK = ObjectReference("example.com/v1", "Network", "default", "net", "u1")


@given(st.text(), st.integers(3, 200))
def test_what_is_shortened_fits_and_is_a_beginning(text: str, most: int) -> None:
    found = shortened(text, most)
    assert len(found.encode()) <= most
    assert found == text.encode(errors="replace").decode() or text.encode(errors="replace").decode().startswith(
        found[:-1]
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [("xxxx", "xxxx"), ("xxxxx", "x…"), ("жж", "жж"), ("жжж", "…"), ("💥", "💥"), ("💥💥", "…"), ("a\udcffb", "a?b")],
)
def test_a_text_is_cut_after_a_whole_character(text: str, found: str) -> None:
    assert shortened(text, 4) == found


@pytest.mark.parametrize("series", [False, True])
@pytest.mark.parametrize("text", ["x" * 3000, "ж" * 800, "💥" * 400, "\ud800" * 2000])
def test_any_text_makes_an_event_that_the_server_takes(text: str, series: bool) -> None:
    server = FakeEvents()
    recorder = EventRecorder(server, "example.org/op", series=series)
    recorder.event(NETWORK, "Warning", text, text, action=text)
    recorder.start()
    recorder.stop()
    stored = {"reportingComponent": "op", "eventTime": "now", "involvedObject": {"namespace": "default"}, **server.only}
    stored["message"] = stored.get("note", stored.get("message"))
    stored |= {name: stored.get(name) or "x" for name in ("action", "reportingInstance")}
    assert [cause for cause in check_new(stored) if "characters" in cause.message] == []
    assert recorder.shortened == 3


def test_events_of_similar_long_messages_fit_although_they_are_told_together() -> None:
    server = FakeEvents()
    recorder = EventRecorder(server, "op")
    for number in range(12):
        recorder.event(NETWORK, "Warning", "Failed", f"{number}" + "x" * 1022)
    recorder.start()
    recorder.stop()
    assert max(len(body["message"].encode()) for body in server.bodies.values()) == 1024


def test_a_long_name_of_a_copy_is_cut() -> None:
    seen: list[Event] = []
    broadcaster = Broadcaster()
    broadcaster.watch(lambda event, _: seen.append(event))
    SourceRecorder(broadcaster, "op", "ж" * 100).event(NETWORK, "Normal", "Created", "created it")
    broadcaster.start()
    broadcaster.stop()
    assert len(seen[0].instance.encode()) <= 128


@pytest.mark.parametrize("name", ["", "two words", "x" * 64])
@pytest.mark.parametrize("series", [False, True])
def test_a_reporter_that_the_server_would_refuse_is_refused_at_once(name: str, series: bool) -> None:
    with pytest.raises(ValueError, match="what reports events"):
        EventRecorder(FakeEvents(), name, series=series)
    with pytest.raises(ValueError, match="what reports events"):
        SourceRecorder(Broadcaster(), name)
