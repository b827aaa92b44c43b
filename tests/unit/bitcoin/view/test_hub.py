import pytest

from btcctl.bitcoin.view.hub import MAX_PAGES, MAX_WAITING, Hub, TooManyPages
from btcctl.bitcoin.view.model import Gone, Server, State

KEY = "default/my-network"


def snapshot(network: str) -> State:
    return State(1.0, Server("0", "sandbox"), problem=f"of {network}")


def joined(hub: Hub, network: str = "") -> tuple:
    woken: list[int] = []
    page = hub.join(network, lambda: woken.append(1))
    page.take(snapshot)
    return page, woken


def test_a_page_begins_with_a_snapshot_of_what_it_looks_at():
    page = Hub().join(KEY, lambda: None)
    first = page.take(snapshot)
    assert first.startswith(b"event: snapshot\ndata: {")
    assert f"of {KEY}".encode() in first
    assert page.take(snapshot) == b""


def test_what_is_published_wakes_a_page_and_comes_in_order():
    hub = Hub()
    page, woken = joined(hub)
    hub.publish("network-gone", Gone("a", "first"))
    hub.publish("network-gone", Gone("a", "second"))
    taken = page.take(snapshot)
    assert woken
    assert taken.index(b"first") < taken.index(b"second")
    assert taken.count(b"\n\n") == 2


def test_what_says_the_latest_of_something_replaces_what_waits():
    hub = Hub()
    page, _ = joined(hub)
    hub.publish("network-gone", Gone("a", "old"), place="x")
    hub.publish("network-gone", Gone("a", "new"), place="x")
    taken = page.take(snapshot)
    assert b"old" not in taken
    assert b"new" in taken


def test_a_page_is_not_told_of_a_network_that_it_does_not_look_at():
    hub = Hub()
    page, woken = joined(hub, KEY)
    hub.publish("tree", Gone("a", "b"), network="default/other")
    assert page.take(snapshot) == b""
    assert not woken
    assert hub.focus() == {KEY}


def test_a_page_that_is_too_slow_gets_a_snapshot_and_nothing_of_what_it_missed():
    hub = Hub()
    page, _ = joined(hub)
    for number in range(MAX_WAITING + 1):
        hub.publish("network-gone", Gone("a", f"n{number}"))
    taken = page.take(snapshot)
    assert taken.startswith(b"event: snapshot")
    assert taken.count(b"\n\n") == 1


def test_what_waits_is_bounded_in_bytes_too():
    hub = Hub()
    page, _ = joined(hub)
    for _ in range(5):
        hub.publish("network-gone", Gone("a", "x" * (1 << 20)))
    assert len(page.take(snapshot)) < 1000


def test_a_page_that_has_left_is_told_nothing():
    hub = Hub()
    page, woken = joined(hub)
    hub.leave(page)
    hub.publish("network-gone", Gone("a", "b"))
    assert not woken
    assert not hub.is_watched


def test_there_are_only_so_many_pages():
    hub = Hub()
    for _ in range(MAX_PAGES):
        hub.join("", lambda: None)
    with pytest.raises(TooManyPages):
        hub.join("", lambda: None)


def test_a_refresh_sends_a_snapshot_to_those_who_look():
    hub = Hub()
    page, woken = joined(hub, KEY)
    other, _ = joined(hub, "")
    hub.refresh([KEY])
    assert page.take(snapshot).startswith(b"event: snapshot")
    assert other.take(snapshot) == b""
    assert woken
