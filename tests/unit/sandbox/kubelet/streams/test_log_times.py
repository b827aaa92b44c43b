"""When lines of logs were written, as far as looking at the files tells."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from btcctl.sandbox.kubelet.streams import log_times
from btcctl.sandbox.kubelet.streams.log_times import LogTimes
from btcctl.testing.clock import FakeClock


def test_a_line_is_as_old_as_the_first_look_that_found_it(tmp_path: Path):
    path, clock = tmp_path / "log", FakeClock()
    times = LogTimes(lambda: [path], clock)
    times.look()
    path.write_bytes(b"one\n")
    times.look()
    first = clock.wall_time()
    clock.advance(5)
    times.look()
    path.write_bytes(b"one\ntwo\n")
    clock.advance(5)
    times.look()
    assert [times.instant_of(path, offset) for offset in (0, 3)] == [first, first]
    assert times.instant_of(path, 4) == first + timedelta(seconds=10)


def test_a_log_from_before_our_time_is_as_old_as_its_file(tmp_path: Path):
    path, clock = tmp_path / "log", FakeClock()
    path.write_bytes(b"one\n")
    written = clock.wall_time() - timedelta(days=3)
    os.utime(path, (written.timestamp(), written.timestamp()))
    times = LogTimes(lambda: [path], clock)
    times.look()
    assert times.instant_of(path, 0) == written


def test_what_nobody_has_looked_at_is_from_now(tmp_path: Path):
    clock = FakeClock()
    times = LogTimes(list, clock)
    assert times.instant_of(tmp_path / "log", 0) == clock.wall_time()


def test_a_log_that_grows_for_ever_is_known_more_coarsely(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(log_times, "MAX_ENTRIES", 4)
    path, clock = tmp_path / "log", FakeClock()
    times = LogTimes(lambda: [path], clock)
    begin = clock.wall_time()
    for number in range(1, 11):
        path.write_bytes(b"x" * number)
        times.look()
        clock.advance(1)
    assert times.instant_of(path, 9) == begin + timedelta(seconds=9)
    found = [times.instant_of(path, offset) for offset in range(10)]
    assert found == sorted(found)
    assert all(instant >= begin + timedelta(seconds=offset) for offset, instant in enumerate(found))


def test_a_log_that_is_gone_is_forgotten(tmp_path: Path):
    path, clock = tmp_path / "log", FakeClock()
    paths = [path]
    times = LogTimes(lambda: paths, clock)
    path.write_bytes(b"x")
    times.look()
    paths.clear()
    clock.advance(1)
    times.look()
    assert times.instant_of(path, 0) == clock.wall_time()
