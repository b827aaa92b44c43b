from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from btcctl.errors import ConfigError
from btcctl.processes.keeper_process import LOCK_FILE
from btcctl.processes.run_directory import new_run_directory, sweep

NOBODY = 2**22 + 1  # beyond any process id


def left_behind(root: Path, name: str = f"btcctl-run-{NOBODY}-7-x") -> Path:
    path = root / name
    path.mkdir()
    (path / LOCK_FILE).touch()
    (path / "regtest").mkdir()
    return path


def test_a_new_directory_is_ours_alone_and_named_after_this_process(tmp_path: Path) -> None:
    path = new_run_directory(tmp_path)
    assert path.name.startswith(f"btcctl-run-{os.getpid()}-")
    assert path.stat().st_mode & 0o777 == 0o700
    assert new_run_directory(tmp_path) != path
    assert path.is_dir()


def test_what_a_dead_sandbox_left_goes_when_the_next_one_starts(tmp_path: Path) -> None:
    path = left_behind(tmp_path)
    new_run_directory(tmp_path)
    assert not path.exists()


def test_a_process_of_the_same_number_but_another_start_is_another(tmp_path: Path) -> None:
    path = left_behind(tmp_path, f"btcctl-run-{os.getpid()}-1-x")
    assert sweep(tmp_path) == [path]


def test_what_a_keeper_still_holds_stays(tmp_path: Path) -> None:
    path = left_behind(tmp_path)
    with (path / LOCK_FILE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert sweep(tmp_path) == []
    assert sweep(tmp_path) == [path]


@pytest.mark.parametrize("name", ["btcctl-run-x-1-y", "btcctl-run-7", "something-7-7-7"])
def test_what_is_not_named_by_us_stays(tmp_path: Path, name: str) -> None:
    left_behind(tmp_path, name)
    assert sweep(tmp_path) == []


def test_a_link_to_elsewhere_stays(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"btcctl-run-{NOBODY}-7-x").symlink_to(tmp_path / "elsewhere")
    assert sweep(tmp_path) == []
    assert (tmp_path / "elsewhere").is_dir()


def test_a_place_that_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot make a run directory"):
        new_run_directory(tmp_path / "missing")
