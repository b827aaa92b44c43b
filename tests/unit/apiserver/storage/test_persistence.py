from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from btcctl.apiserver.storage.persistence import DataFile, DataFileError
from btcctl.apiserver.storage.store import Store
from btcctl.objects import ObjectKey
from btcctl.testing.clock import FakeClock

PODS = ("", "pods")


def pod(name: str, **extra: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"}, **extra}


@contextmanager
def attached(path: Path, **options: int) -> Iterator[Store]:
    store = Store(FakeClock())
    file = DataFile(path, **options)
    file.attach(store)
    try:
        yield store
    finally:
        file.close()


def contents(path: Path) -> dict[str, Any]:
    with attached(path) as store:
        return state(store)


def state(store: Store) -> dict[str, Any]:
    """What is in a store, whether or not a collection was ever looked at."""
    snapshot = store.snapshot()
    return {**snapshot, "collections": [each for each in snapshot["collections"] if each["items"]]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_every_change_is_there_after_a_restart(path: Path) -> None:
    with attached(path) as store:
        store.create(PODS, pod("a"))
        store.create(PODS, pod("b"))
        store.update(PODS, pod("a", spec={"n": 1}))
        store.delete(PODS, ObjectKey("default", "b"))
        before = state(store)
    assert contents(path) == before
    assert int(before["resourceVersion"]) == store.revision


def test_a_change_is_in_the_file_before_anybody_sees_it(path: Path) -> None:
    seen = []
    with attached(path) as store:
        store.listen(lambda change: seen.append(change.record.raw() in path.read_bytes()))
        store.create(PODS, pod("a"))
    assert seen == [True]


def test_half_a_change_at_the_end_is_forgotten(path: Path) -> None:
    with attached(path) as store:
        store.create(PODS, pod("a"))
        before = state(store)
        store.create(PODS, pod("b"))
    data = path.read_bytes()
    path.write_bytes(data[:-7])
    assert contents(path) == before


@pytest.mark.parametrize(
    "damage", [b"[]\n", b"{}\n", b"nonsense\n", b'{"format":99,"snapshot":{}}\n', b"\xff\n", b"torn"]
)
def test_a_damaged_file_is_named_and_left_alone(path: Path, damage: bytes) -> None:
    path.write_bytes(damage)
    with pytest.raises(DataFileError, match=f"{path} is damaged"), attached(path):
        pass
    assert path.read_bytes() == damage


def test_damage_in_the_middle_is_named_by_its_line(path: Path) -> None:
    with attached(path) as store:
        store.create(PODS, pod("a"))
    path.write_bytes(path.read_bytes() + b"}{\n" + b"{}\n")
    with pytest.raises(DataFileError, match="line 3"), attached(path):
        pass


def test_one_server_at_a_time(path: Path) -> None:
    with attached(path), pytest.raises(DataFileError, match="in use by another server"), attached(path):
        pass
    with attached(path):
        pass


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="No such file or directory"), attached(tmp_path / "no" / "data"):
        pass


def test_the_file_does_not_grow_with_changes_for_ever(path: Path) -> None:
    with attached(path, compact_from_bytes=2000) as store:
        store.create(PODS, pod("a"))
        for number in range(1000):
            store.update(PODS, pod("a", spec={"n": number}))
        before = state(store)
    assert path.stat().st_size < 5000
    assert contents(path) == before


def test_the_file_is_for_its_owner_only(path: Path) -> None:
    with attached(path):
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_change_that_cannot_be_written_did_not_happen(path: Path) -> None:
    store = Store(FakeClock())
    file = DataFile(path)
    file.attach(store)
    store.create(PODS, pod("a"))
    before = state(store)
    journal = store.journal
    file.close()
    store.journal = journal
    with pytest.raises(OSError, match="descriptor"):
        store.create(PODS, pod("b"))
    assert state(store) == before
    assert contents(path) == before


def test_after_close_nothing_is_written(path: Path) -> None:
    with attached(path) as store:
        pass
    size = path.stat().st_size
    store.create(PODS, pod("a"))
    assert path.stat().st_size == size


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from(["set", "delete", "restart"])), max_size=40))
def test_whatever_happened_a_restart_changes_nothing(path: Path, steps: list[tuple[str, str]]) -> None:
    path.unlink(missing_ok=True)
    expected = contents(path)
    for name, step in steps:
        with attached(path, compact_from_bytes=300) as store:
            assert store.snapshot()["resourceVersion"] == expected["resourceVersion"]
            present = store.get(PODS, ObjectKey("default", name)) is not None
            if step == "delete" and present:
                store.delete(PODS, ObjectKey("default", name))
            elif step == "set":
                (store.update if present else store.create)(PODS, pod(name))
            expected = state(store)
    assert contents(path) == expected
