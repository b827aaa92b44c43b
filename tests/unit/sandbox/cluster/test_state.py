"""What a sandbox keeps: opened by one at a time, refused in one line when it cannot be read, and then left alone."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from btcctl.apiserver.storage.store import Store
from btcctl.errors import ConfigError
from btcctl.processes.run_directory import process_name
from btcctl.sandbox.cluster import state as state_module
from btcctl.sandbox.cluster.state import State, StateDamaged

PODS = ("", "pods")
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "default"}}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "kept"


def used_once(directory: Path) -> dict[Path, bytes]:
    """A directory that a sandbox has used and left; returns its files."""
    with State(directory) as state:
        store = Store()
        state.attach(store)
        state.remember_port(4711)
        state.remember_furnished("simulated nodes")
        store.create(PODS, POD)
    return files(directory)


def files(directory: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file() and path.name != "lock"}


def change(directory: Path, **values: Any) -> None:
    path = directory / "state.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@contextmanager
def locked_by(directory: Path, name: str) -> Iterator[int]:
    with (directory / "lock").open("w") as file:
        file.write(name)
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def test_what_was_kept_is_there_the_next_time(directory: Path) -> None:
    with State(directory) as first:
        assert (first.port, first.nodes) == (0, "")
    used_once(directory)
    with State(directory) as second:
        assert (second.id, second.keys) == (first.id, first.keys)
        assert (second.port, second.nodes) == (4711, "simulated nodes")
        store = Store()
        second.attach(store)
        assert [each.body["metadata"]["name"] for each in store.list(PODS)[0]] == ["a"]


def test_only_its_owner_can_read_it(directory: Path) -> None:
    directory.mkdir(mode=0o755)
    used_once(directory)
    assert directory.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()} == {
        "lock": 0o600,
        "objects": 0o600,
        "state.json": 0o600,
    }


def test_keys_are_in_no_repr(directory: Path) -> None:
    with State(directory) as state:
        shown = repr(state.keys)
    assert state.keys.token not in shown
    assert "PRIVATE KEY" not in shown


def test_two_do_not_use_it_at_once(directory: Path) -> None:
    with (
        State(directory),
        pytest.raises(ConfigError, match=rf"{directory} is in use by another sandbox, process {os.getpid()}$"),
    ):
        State(directory)


def test_the_keeper_of_a_sandbox_that_was_killed_is_waited_for(directory: Path, monkeypatch) -> None:
    used_once(directory)
    with locked_by(directory, "1-gone") as file:
        monkeypatch.setattr(state_module, "sleep", lambda _: fcntl.flock(file, fcntl.LOCK_UN))
        with State(directory) as state:
            assert state.port == 4711
    assert (directory / "lock").read_text() == process_name(os.getpid())


def test_nobody_waits_for_ever(directory: Path, monkeypatch) -> None:
    used_once(directory)
    monkeypatch.setattr(state_module, "HANDOVER_SECONDS", 0.0)
    with locked_by(directory, "1-gone"), pytest.raises(ConfigError, match="in use by another sandbox, process 1"):
        State(directory)


def test_a_directory_of_something_else_is_refused_and_left_alone(directory: Path) -> None:
    directory.mkdir()
    (directory / "thesis.tex").write_text("x")
    with pytest.raises(ConfigError, match="holds something that is not a sandbox's"):
        State(directory)
    assert [path.name for path in directory.iterdir()] == ["thesis.tex"]


def test_a_first_start_that_was_cut_short_is_begun_again(directory: Path) -> None:
    directory.mkdir()
    (directory / "lock").touch()
    (directory / "state.json.new").write_text('{"for')
    with State(directory) as state:
        assert state.port == 0
    assert not (directory / "state.json.new").exists()


def test_another_version_s_is_refused_and_left_alone(directory: Path) -> None:
    used_once(directory)
    change(directory, format=2, writtenBy="7.0.0")
    before = files(directory)
    with pytest.raises(ConfigError, match=r"was written by btcctl 7\.0\.0, in format 2; this is btcctl .* format 1"):
        State(directory)
    assert files(directory) == before


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"format": 1}', b"\xff\xfe", b"null"])
def test_a_damaged_file_is_named_and_left_alone(directory: Path, content: bytes) -> None:
    used_once(directory)
    (directory / "state.json").write_bytes(content)
    before = files(directory)
    with pytest.raises(StateDamaged, match=r"state\.json is damaged: .*Nothing was changed"):
        State(directory)
    assert files(directory) == before


def test_damaged_objects_are_named_and_left_alone(directory: Path) -> None:
    before = used_once(directory)
    objects = directory / "objects"
    objects.write_bytes(b"x" + before[objects])
    damaged = files(directory)
    with State(directory) as state, pytest.raises(StateDamaged, match=r"objects is damaged: .*Nothing was changed"):
        state.attach(Store())
    assert files(directory) == damaged


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(b"")])
def test_objects_that_are_gone_are_missed(directory: Path, spoil) -> None:
    used_once(directory)
    spoil(directory / "objects")
    with State(directory) as state, pytest.raises(StateDamaged, match="objects is gone, or empty"):
        state.attach(Store())


def test_half_a_change_at_the_end_is_nobody_s_loss(directory: Path) -> None:
    before = used_once(directory)[directory / "objects"]
    (directory / "objects").write_bytes(before + b'{"type":"DELETED","group":"","resou')
    with State(directory) as state:
        store = Store()
        state.attach(store)
        assert len(store.list(PODS)[0]) == 1


def test_a_file_in_its_place_is_said(directory: Path) -> None:
    directory.write_text("x")
    with pytest.raises(ConfigError, match=f"cannot use {directory}: File exists"):
        State(directory)


def test_what_cannot_be_written_is_said(directory: Path, mocker) -> None:
    with State(directory) as state:
        mocker.patch.object(os, "fsync", side_effect=OSError(28, "No space left on device"))
        with pytest.raises(ConfigError, match=r"cannot write .*state\.json\.new: No space left on device"):
            state.remember_port(1)
        assert state.port == 0
    with State(directory) as again:
        assert again.port == 0


def test_a_refusal_lets_go_of_the_directory(directory: Path) -> None:
    used_once(directory)
    change(directory, format=2)
    for _ in range(2):
        with pytest.raises(ConfigError, match="in format 2"):
            State(directory)
