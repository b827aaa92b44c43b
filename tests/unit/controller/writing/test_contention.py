"""What is undone time and again is not written for ever."""

from __future__ import annotations

from typing import Any

import pytest

from btcctl.clock import rfc3339
from btcctl.controller.writing.contention import SAME_DISPUTE_SECONDS, TRUCE_SECONDS, Contention, Contested
from btcctl.controller.writing.writes import Outcome, create_or_update, write_status
from btcctl.objects import Object, ObjectKey
from btcctl.resources import CONFIG_MAPS, PODS
from btcctl.testing.clock import FakeClock
from btcctl.testing.fake_client import FakeClient

KEY = ObjectKey("default", "a")


class Fight:
    """We write a config map, and somebody else does, too."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.client = FakeClient(field_manager="us", clock=self.clock)
        self.maps = self.client.resource(CONFIG_MAPS, "default")
        self.contention = Contention("us", clock=self.clock)
        self.write("0")
        self.clock.advance(SAME_DISPUTE_SECONDS)  # that it was made is long ago

    def write(self, value: str = "0", field: str = "k", **more: str) -> Outcome:
        def mutate(body: dict[str, Any]) -> None:
            body.setdefault("data", {}).update({field: value, **more})

        return create_or_update(self.maps, KEY, mutate, contention=self.contention).outcome

    def undo(self, field: str = "k") -> None:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {field: "theirs"}}
        self.maps.apply(body, field_manager="them", force=True)

    def lose(self, times: int = 3) -> None:
        for _ in range(times):
            self.undo()
            assert self.write() is Outcome.UPDATED
        self.undo()

    @property
    def dispute(self) -> str:
        return self.contention.dispute_of(CONFIG_MAPS, KEY)


@pytest.fixture
def fight() -> Fight:
    return Fight()


def test_after_three_writes_in_a_row_there_is_a_pause_and_who_undoes_them_is_named(fight):
    fight.lose(2)
    assert fight.dispute == ""
    fight.write()
    fight.undo()
    expected = r'ConfigMap default/a: data.k is changed again and again by "them": not written again for 300 s'
    with pytest.raises(Contested, match=expected):
        fight.write()
    assert fight.dispute == 'ConfigMap "a": data.k is changed again and again by "them"'
    assert fight.maps.get(KEY).body()["data"] == {"k": "theirs"}


def test_after_the_pause_it_is_tried_once_and_the_dispute_goes_on(fight):
    fight.lose()
    fight.clock.advance(TRUCE_SECONDS - 1)
    with pytest.raises(Contested):
        fight.write()
    fight.clock.advance(1)
    assert fight.write() is Outcome.UPDATED
    fight.undo()
    with pytest.raises(Contested):
        fight.write()
    assert fight.dispute


def test_a_dispute_is_over_when_the_field_has_stayed_for_a_while(fight):
    fight.lose()
    fight.clock.advance(TRUCE_SECONDS)
    fight.write()
    fight.clock.advance(TRUCE_SECONDS + SAME_DISPUTE_SECONDS - 1)
    fight.write()
    assert fight.dispute
    fight.clock.advance(1)
    fight.write()
    assert fight.dispute == ""
    fight.lose(2)
    assert fight.dispute == ""


def test_writes_that_are_far_apart_are_no_dispute(fight):
    for _ in range(10):
        fight.undo()
        assert fight.write() is Outcome.UPDATED
        fight.clock.advance(SAME_DISPUTE_SECONDS)
    assert fight.dispute == ""


def test_another_value_begins_anew(fight):
    for value in range(10):
        assert fight.write(str(value + 1)) is Outcome.UPDATED
    fight.lose()
    assert fight.write("other") is Outcome.UPDATED
    assert fight.dispute == ""


def test_fields_that_are_undone_in_turn_are_disputed_nevertheless(fight):
    updates = 0
    for number in range(20):
        field = "kl"[number % 2]
        fight.undo(field)
        try:
            updates += fight.write(field=field) is Outcome.UPDATED
        except Contested:
            continue
    assert updates == 6


def test_what_is_not_disputed_is_written_meanwhile(fight):
    fight.lose()
    assert fight.write(mine="1") is Outcome.UPDATED
    fight.undo()
    with pytest.raises(Contested):
        fight.write(mine="1")


def test_an_object_that_is_deleted_each_time_is_made_again_three_times(fight):
    for _ in range(4):
        fight.maps.delete(KEY)
        assert fight.write() is Outcome.CREATED
    fight.maps.delete(KEY)
    with pytest.raises(Contested, match="is deleted again and again"):
        fight.write()
    fight.contention.forget(CONFIG_MAPS, KEY)
    assert fight.write() is Outcome.CREATED


def test_one_that_writes_under_our_name_is_told_as_such(fight):
    for _ in range(3):
        fight.maps.patch(KEY, {"data": {"k": "theirs"}})
        fight.write()
    assert fight.dispute.endswith('by another one that writes as "us"')


def test_what_the_server_itself_puts_back_is_told_as_such(fight):
    contention, seen = Contention("us", clock=fight.clock), fight.maps.get(KEY)
    for _ in range(3):
        changes = contention.check_update(CONFIG_MAPS, KEY, seen, {**seen.body(), "data": {"k": "1"}})
        contention.note_updated(CONFIG_MAPS, KEY, changes, seen, seen)
    assert "data.k is changed back as it is written" in contention.dispute_of(CONFIG_MAPS, KEY)


def test_of_a_list_that_is_replaced_whole_what_is_set_is_disputed_and_not_the_servers_defaults_in_it(fight):
    port = {"name": "p", "protocol": "TCP", "image": "theirs"}
    seen = Object.from_body({**fight.maps.get(KEY).body(), "list": [port]})
    for _ in range(3):
        body = {**seen.body(), "list": [{"name": "p", "image": "ours"}]}
        changes = fight.contention.check_update(CONFIG_MAPS, KEY, seen, body)
        fight.contention.note_updated(CONFIG_MAPS, KEY, changes, seen, seen)
    assert fight.dispute.startswith('ConfigMap "a": list[0].image is changed back')
    assert "protocol" not in fight.dispute


def test_what_is_only_taken_away_may_be_disputed(fight):
    seen = fight.maps.get(KEY)
    for _ in range(3):
        changes = fight.contention.check_update(CONFIG_MAPS, KEY, seen, {**seen.body(), "data": {}})
        fight.contention.note_updated(CONFIG_MAPS, KEY, changes, seen, seen)
    assert "data.k is changed back" in fight.dispute


def test_no_value_is_remembered_or_said():
    before = Object.from_body({"metadata": {"name": "a"}, "data": {"k": "old"}})
    contention = Contention()
    changes = contention.check_update(CONFIG_MAPS, KEY, before, {"metadata": {"name": "a"}, "data": {"k": "s3cret"}})
    assert "s3cret" not in repr(changes)


def test_what_is_no_json_is_left_to_the_write_to_complain_about(fight):
    with pytest.raises(TypeError, match=r"data\.k is of type set"):
        fight.write({1})  # type: ignore[arg-type]


class StatusFight:
    """We write the status of a pod, and somebody else does, too."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        containers = [{"name": "c", "image": "i"}]
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": containers}}
        self.client = FakeClient(pod, field_manager="us", clock=self.clock)
        self.pods = self.client.resource(PODS, "default")
        self.contention = Contention("us", clock=self.clock)

    def write(self, status: str = "True", **more: Any) -> Outcome:
        condition = {"type": "Ready", "status": status, "lastTransitionTime": rfc3339(self.clock.wall_time())}
        new = {"conditions": [condition], "phase": "Running", **more}
        return write_status(self.pods, self.pods.get(KEY), new, contention=self.contention).outcome

    def undo(self) -> None:
        self.clock.advance(1)
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "status": {"phase": "Failed"}}
        self.pods.update_status({**self.pods.get(KEY).body(), "status": {}})
        self.pods.apply(body, field_manager="them", force=True, subresource="status")

    @property
    def dispute(self) -> str:
        return self.contention.dispute_of(PODS, KEY)


def test_a_status_that_another_writes_each_time_is_left_alone_after_three_writes_though_its_times_differ():
    fight = StatusFight()
    for _ in range(3):
        fight.undo()
        assert fight.write() is Outcome.UPDATED
    fight.undo()
    with pytest.raises(Contested, match=r'status\.phase is changed again and again by "them"'):
        fight.write()
    assert "status.conditions[Ready] is changed again" in fight.dispute
    assert fight.write("False") is Outcome.UPDATED  # that is news


def test_a_condition_that_turns_again_and_again_is_no_dispute():
    fight = StatusFight()
    for turn in range(10):
        assert fight.write("True" if turn % 2 else "False") is Outcome.UPDATED
    assert fight.dispute == ""


def test_a_dispute_over_a_status_is_over_when_it_has_stayed_for_a_while():
    fight = StatusFight()
    for _ in range(3):
        fight.undo()
        fight.write()
    stands = fight.pods.get(KEY).body()["status"]
    fight.clock.advance(TRUCE_SECONDS + SAME_DISPUTE_SECONDS)
    assert (
        write_status(fight.pods, fight.pods.get(KEY), stands, contention=fight.contention).outcome is Outcome.UNCHANGED
    )
    assert fight.dispute == ""


def test_what_the_server_drops_of_a_status_whenever_it_is_written_is_no_dispute():
    fight = StatusFight()
    for number in range(10):
        fight.write(message=str(number), nonsense=1)
    assert "nonsense" not in fight.pods.get(KEY).body()["status"]
    assert fight.dispute == ""
