"""Sources that follow a script, and handlers that write down: as a program's own tests use them."""

from __future__ import annotations

import threading

import pytest

from btcctl import Deleted, ListPage, Object, SharedInformer, WatchEvent
from btcctl.testing import InstantClock, RecordingHandler, ScriptedListerWatcher, ScriptedWatch, Together


def thing(name: str, version: int, uid: str = "u") -> Object:
    return Object.from_body({"metadata": {"name": name, "uid": f"{uid}-{name}", "resourceVersion": str(version)}})


def test_an_informer_reads_from_a_script_and_a_handler_writes_down_what_it_is_told():
    changed = WatchEvent("MODIFIED", thing("a", 2))
    source = ScriptedListerWatcher(
        ListPage([thing("a", 1)], "1", ""),
        ScriptedWatch(Together(changed, WatchEvent("ADDED", thing("b", 3)))),
    )
    informer, handler = SharedInformer(source, name="things"), RecordingHandler()
    informer.add_handler(handler)
    informer.start()
    handler.wait_until_knows({obj.key: obj for obj in (changed.object, thing("b", 3))})
    informer.stop()
    assert handler.told[0].startswith("add a")
    assert source.calls == ["list at '0' limit 500", "watch from '1'"]


def test_a_script_that_does_not_fit_the_call_is_an_error():
    with pytest.raises(AssertionError, match="has a watch here"):
        ScriptedListerWatcher(ScriptedWatch()).list_page(resource_version="", limit=0, continue_token="")
    source = ScriptedListerWatcher(ListPage([], "1", ""))
    with pytest.raises(AssertionError, match="has a page here"), source.watch(resource_version="1", timeout_seconds=1):
        pass


def test_a_handler_that_is_told_what_cannot_be_fails():
    handler = RecordingHandler()
    handler.on_add(thing("a", 1), True)
    with pytest.raises(AssertionError, match="added twice"):
        handler.on_add(thing("a", 1), False)
    with pytest.raises(AssertionError, match="from what was not told"):
        handler.on_update(thing("a", 7), thing("a", 8))
    with pytest.raises(AssertionError, match="without having been known"):
        handler.on_delete(Deleted(thing("b", 1).key, None, True))


def test_on_an_instant_clock_every_wait_is_over_at_once():
    clock, condition = InstantClock(), threading.Condition()
    with condition:
        assert clock.wait(condition, 3600.0) is False
        with pytest.raises(AssertionError, match="without limit"):
            clock.wait(condition, None)
    assert (clock.now(), clock.waits) == (3600.0, [3600.0])
