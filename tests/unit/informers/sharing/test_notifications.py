from __future__ import annotations

from btcctl.informers.sharing.notifications import Added, Deleted, HandlerFuncs, Updated, notify
from tests.unit.informers.support import Recorder, key, pod


def test_each_notification_calls_its_own_method():
    handler = Recorder()
    notify(handler, Added(pod("a", 1), in_initial_list=True))
    notify(handler, Updated(pod("a", 1), pod("a", 2)))
    notify(handler, Deleted(key("a"), pod("a", 2), final_state_known=True))
    assert handler.told == ["add a 1 initially", "update a 1 -> 2", "delete a"]


def test_functions_make_a_handler_and_what_is_missing_is_ignored():
    names: list[str] = []
    handler = HandlerFuncs(on_delete=lambda deleted: names.append(deleted.key.name))
    notify(handler, Added(pod("a", 1), in_initial_list=False))
    notify(handler, Updated(pod("a", 1), pod("a", 2)))
    notify(handler, Deleted(key("a"), None, final_state_known=False))
    assert names == ["a"]
