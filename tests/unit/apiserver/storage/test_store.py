"""The store: one counter, optimistic locking, and a past that replays to the present."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.apiserver.storage.collection import Change, Compacted
from btcctl.apiserver.storage.store import Exists, Missing, Stale, Store
from btcctl.apiserver.storage.watches import Watch, WatchOptions
from btcctl.objects import ObjectKey
from btcctl.testing.clock import FakeClock
from btcctl.threads import Runner, Stop

THINGS, OTHERS = ("x.example.org", "things"), ("", "others")
State = dict[tuple[str, str], int]


def body(name: str, value: int = 0, namespace: str = "d", version: str = "") -> dict[str, Any]:
    return {
        "kind": "Thing",
        "metadata": {"name": name, "namespace": namespace, "resourceVersion": version},
        "value": value,
    }


@pytest.fixture
def store() -> Store:
    return Store(FakeClock())


def test_all_collections_share_one_revision(store):
    revisions = [store.create(THINGS, body("a")).revision, store.create(OTHERS, body("a")).revision]
    assert revisions == [2, 3]
    assert store.update(THINGS, body("a", 1)).revision == store.revision == 4


def test_an_update_must_name_the_latest_version_or_none(store):
    first = store.create(THINGS, body("a"))
    store.update(THINGS, body("a", 1, version=str(first.revision)))
    with pytest.raises(Stale):
        store.update(THINGS, body("a", 2, version=str(first.revision)))
    assert store.update(THINGS, body("a", 3)).body["value"] == 3


def test_what_is_there_cannot_be_created_and_what_is_not_neither_changed_nor_deleted(store):
    store.create(THINGS, body("a"))
    with pytest.raises(Exists):
        store.create(THINGS, body("a"))
    with pytest.raises(Missing):
        store.update(THINGS, body("b"))
    with pytest.raises(Missing):
        store.delete(THINGS, ObjectKey("d", "b"))
    assert store.revision == 2


def test_a_namespace_is_no_prefix_of_another(store):
    for namespace in ("a", "a-b", "ab"):
        store.create(THINGS, body("x", namespace=namespace))
    assert [record.body["metadata"]["namespace"] for record in store.list(THINGS, "a")[0]] == ["a"]
    assert len(store.list(THINGS)[0]) == 3


def test_the_journal_hears_of_a_change_before_anybody_else():
    heard: list[str] = []
    store = Store(FakeClock(), journal=lambda change: heard.append(f"journal {change.revision}"))
    store.listen(lambda change: heard.append(f"listener {change.revision}"))
    store.create(THINGS, body("a"))
    assert heard == ["journal 2", "listener 2"]


def test_a_journal_that_fails_keeps_the_change_from_happening():
    def full(_: Change) -> None:
        raise OSError("no space left")

    store = Store(FakeClock(), journal=full)
    with pytest.raises(OSError, match="no space"):
        store.create(THINGS, body("a"))
    assert (store.revision, store.get(THINGS, ObjectKey("d", "a"))) == (1, None)


def test_listeners_hear_in_order_even_if_one_of_them_writes(store):
    heard: list[str] = []

    def reply(change: Change) -> None:
        if change.collection == THINGS:
            store.create(OTHERS, body(change.record.body["metadata"]["name"]))

    store.listen(reply)
    store.listen(lambda change: heard.append(f"{change.collection[1]}/{change.record.body['metadata']['name']}"))
    for name in "ab":
        store.create(THINGS, body(name))
    assert heard == ["things/a", "others/a", "things/b", "others/b"]


def test_a_transaction_delivers_when_it_is_over(store):
    heard: list[int] = []
    store.listen(lambda change: heard.append(change.revision))
    with store.transaction():
        store.create(THINGS, body("a"))
        store.create(THINGS, body("b"))
        assert heard == []
    assert heard == [2, 3]


def test_a_snapshot_is_json_and_restores_everything_but_the_past(store):
    store.create(THINGS, body("a", 1))
    store.create(THINGS, body("b", 2))
    store.delete(THINGS, ObjectKey("d", "a"))
    restored = Store(FakeClock())
    restored.restore(json.loads(json.dumps(store.snapshot())))
    assert restored.snapshot() == store.snapshot()
    assert restored.create(THINGS, body("c")).revision == store.revision + 1
    with pytest.raises(Compacted):
        restored.list(THINGS, revision=2)


@pytest.mark.parametrize(
    "data", [{}, {"resourceVersion": "x", "collections": []}, {"resourceVersion": "1", "collections": [{}]}]
)
def test_what_is_no_snapshot_is_refused_and_changes_nothing(store, data):
    store.create(THINGS, body("a"))
    with pytest.raises((ValueError, KeyError, TypeError)):
        store.restore(data)
    assert store.revision == 2


NAMES = st.tuples(st.sampled_from("de"), st.sampled_from("abc"))
WRITES = st.lists(st.tuples(st.sampled_from(["put", "put", "delete"]), NAMES, st.integers(0, 3)), max_size=30)


def write(store: Store, verb: str, key: tuple[str, str], value: int) -> None:
    exists = store.get(THINGS, ObjectKey(*key)) is not None
    if verb == "delete" and exists:
        store.delete(THINGS, ObjectKey(*key))
    elif verb == "put":
        change = store.update if exists else store.create
        change(THINGS, body(key[1], value, namespace=key[0]))


def state_at(store: Store, revision: int | None = None) -> State:
    return {key_of(record.body): record.body["value"] for record in store.list(THINGS, revision=revision)[0]}


def key_of(obj: Any) -> tuple[str, str]:
    return obj["metadata"]["namespace"], obj["metadata"]["name"]


def replay(state: State, lines: list[bytes]) -> State:
    """What a client that applies the events to `state` ends with; every event must make sense."""
    for line in lines:
        event = json.loads(line)
        key = key_of(event["object"])
        assert (key in state) == (event["type"] != "ADDED")
        if event["type"] == "DELETED":
            del state[key]
        else:
            state[key] = event["object"]["value"]
    return state


@given(WRITES, st.data())
def test_a_watch_from_any_version_replays_to_the_same_final_state(writes, data):
    """Whatever is written, wherever a client starts, and whenever it connects."""
    store = Store(FakeClock())
    connects_at = data.draw(st.integers(0, len(writes)))
    states = {store.revision: state_at(store)}
    lines: list[bytes] = []
    since = 0
    for index, one in enumerate([*writes, None]):
        if index == connects_at:
            since = data.draw(st.sampled_from(sorted(states)))
            Watch(store, THINGS, WatchOptions(since=since)).start(lines.append, lambda: None)
        if one is not None:
            write(store, *one)
            states[store.revision] = state_at(store)
    assert replay(dict(states[since]), lines) == state_at(store)
    assert replay({}, initial(store)) == state_at(store)


def initial(store: Store) -> list[bytes]:
    lines: list[bytes] = []
    Watch(store, THINGS, WatchOptions()).start(lines.append, lambda: None)
    return lines


@given(WRITES, st.integers(0, 3))
def test_a_selecting_watch_replays_to_what_a_selecting_list_shows(writes, wanted):
    store = Store(FakeClock())
    lines: list[bytes] = []
    options = WatchOptions(since=store.revision, matches=lambda obj: obj["value"] == wanted)
    Watch(store, THINGS, options).start(lines.append, lambda: None)
    for one in writes:
        write(store, *one)
    assert replay({}, lines) == {key: value for key, value in state_at(store).items() if value == wanted}


@given(WRITES)
def test_every_past_state_that_is_remembered_can_be_listed(writes):
    store = Store(FakeClock(), history=10)
    states = {store.revision: state_at(store)}
    for one in writes:
        write(store, *one)
        states[store.revision] = state_at(store)
    for revision, state in states.items():
        if store.revision - revision <= 10:
            assert state_at(store, revision) == state
        else:
            with pytest.raises(Compacted):
                store.list(THINGS, revision=revision)


def test_many_writers_and_watchers_agree_on_one_order(store):
    """Every watcher sees each change once, in rising order, whoever writes."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    seen: list[list[bytes]] = [[] for _ in range(4)]

    def write_some(name: str) -> Callable[[Stop], None]:
        def run(_: Stop) -> None:
            for value in range(100):
                write(store, "put", ("d", name), value)

        return run

    def watch_late(lines: list[bytes]) -> Callable[[Stop], None]:
        return lambda _: Watch(store, THINGS, WatchOptions(since=1)).start(lines.append, lambda: None)

    jobs = [write_some(name) for name in "abc"] + [watch_late(lines) for lines in seen]
    runners = [Runner(f"job-{index}", job) for index, job in enumerate(jobs)]
    try:
        for runner in runners:
            runner.start()
    finally:
        for runner in runners:
            runner.stop()
        sys.setswitchinterval(interval)
    for lines in seen:
        versions = [int(json.loads(line)["object"]["metadata"]["resourceVersion"]) for line in lines]
        assert versions == list(range(2, 302))
