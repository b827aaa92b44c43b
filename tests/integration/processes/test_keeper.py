"""The keeper with real processes."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from btcctl.processes.keeper import Keeper, KeeperError
from btcctl.processes.run_directory import new_run_directory, sweep
from tests.integration.support import eventually

STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\nsignal.pause()"
ENV = {"PATH": os.environ["PATH"], "WHO": "a node"}


class Exits:
    def __init__(self) -> None:
        self.codes: dict[int, int] = {}

    def __call__(self, pid: int, code: int) -> None:
        self.codes[pid] = code


@pytest.fixture
def exits() -> Exits:
    return Exits()


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    path = tmp_path / "run"
    path.mkdir()
    return path


@pytest.fixture
def keeper(run_dir: Path, exits: Exits) -> Iterator[Keeper]:
    keeper = Keeper(run_dir, exits, grace_seconds=20.0)
    keeper.start()
    yield keeper
    keeper.stop(60.0)


def spawn(keeper: Keeper, *argv: str) -> int:
    return keeper.spawn(argv, ENV, keeper.run_dir, keeper.run_dir / "log").pid


def is_alive(pid: int) -> bool:
    """Gone, or a zombie that nobody has reaped, is not alive."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_output_of_a_process_is_appended_to_its_log(keeper: Keeper, exits: Exits, run_dir: Path) -> None:
    (run_dir / "log").write_text("before\n")
    pid = spawn(keeper, "sh", "-c", "echo $WHO; pwd; echo wrong >&2")
    eventually(lambda: pid in exits.codes)
    assert (run_dir / "log").read_text() == f"before\na node\n{run_dir}\nwrong\n"


def test_exit_statuses_and_signals_are_reported(keeper: Keeper, exits: Exits) -> None:
    failing, killed = spawn(keeper, "sh", "-c", "exit 3"), spawn(keeper, "sleep", "60")
    keeper.signal(killed, signal.SIGTERM)
    eventually(lambda: exits.codes == {failing: 3, killed: -signal.SIGTERM})


def test_a_program_that_does_not_exist_ends_with_127_and_a_line_in_the_log(keeper: Keeper, exits: Exits) -> None:
    pid = spawn(keeper, "/no/such/bitcoind")
    eventually(lambda: exits.codes.get(pid) == 127)
    assert "cannot start /no/such/bitcoind" in (keeper.run_dir / "log").read_text()


def test_signalling_a_process_that_has_ended_is_no_error(keeper: Keeper, exits: Exits) -> None:
    pid = spawn(keeper, "true")
    eventually(lambda: pid in exits.codes)
    keeper.signal(pid, signal.SIGTERM)
    assert is_alive(spawn(keeper, "sleep", "60"))


def test_a_process_has_its_default_signals_and_a_session_of_its_own(keeper: Keeper, exits: Exits) -> None:
    pid = spawn(keeper, "sh", "-c", "kill -INT $$; echo survived")
    eventually(lambda: exits.codes.get(pid) == -signal.SIGINT)
    sleeper = spawn(keeper, "sleep", "60")
    eventually(lambda: os.getsid(sleeper) == sleeper)


def test_stop_ends_every_process_and_removes_the_directory(keeper: Keeper, exits: Exits, run_dir: Path) -> None:
    pids = [spawn(keeper, "sleep", "60") for _ in range(3)]
    keeper.stop(60.0)
    assert exits.codes == dict.fromkeys(pids, -signal.SIGTERM)
    assert not run_dir.exists()


def test_a_process_deaf_to_sigterm_is_killed_after_the_grace(run_dir: Path, exits: Exits) -> None:
    keeper = Keeper(run_dir, exits, grace_seconds=0.5)
    keeper.start()
    pid = spawn(keeper, sys.executable, "-c", STUBBORN)
    eventually(lambda: "deaf" in (run_dir / "log").read_text())
    keeper.stop(60.0)
    assert exits.codes == {pid: -signal.SIGKILL}


def test_a_lock_that_the_keeper_inherits_is_held_until_it_has_ended_and_not_by_its_processes(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        keeper = Keeper(tmp_path / "run", grace_seconds=0.5, inherits=[lock.fileno()])
        keeper.start()
        sleeper = spawn(keeper, "sleep", "60")
        number = lock.fileno()
    with (tmp_path / "lock").open("w") as again:
        with pytest.raises(BlockingIOError):
            fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
        eventually(lambda: not Path(f"/proc/{sleeper}/fd/{number}").exists())  # it has it until it is the program
        keeper.stop()
        fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_keeper_whose_directory_is_gone_already_ends_without_a_word(run_dir: Path, exits: Exits, capfd):
    run_dir.rmdir()  # as by a sandbox that was interrupted meanwhile
    keeper = Keeper(run_dir, exits)
    keeper.start()
    eventually(lambda: not keeper.is_alive)
    keeper.stop()
    assert capfd.readouterr().err == ""


def test_nothing_can_be_started_before_start_or_after_stop(run_dir: Path) -> None:
    keeper = Keeper(run_dir)
    with pytest.raises(KeeperError):
        spawn(keeper, "true")
    keeper.start()
    keeper.stop()
    keeper.stop()
    with pytest.raises(KeeperError):
        spawn(keeper, "true")
    keeper.signal(1, signal.SIGTERM)


def test_processes_die_with_a_killed_keeper_and_are_reported(keeper: Keeper, exits: Exits) -> None:
    pid = spawn(keeper, "sleep", "60")
    keeper_pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(keeper_pid, signal.SIGKILL)
    eventually(lambda: exits.codes == {pid: -signal.SIGKILL})
    eventually(lambda: not is_alive(pid))
    keeper.stop()
    assert not keeper.run_dir.exists()


SANDBOX = """
import os, signal, sys
from pathlib import Path
from btcctl.processes.keeper import Keeper
keeper = Keeper(Path(sys.argv[1]))
keeper.start()
for _ in range(2):
    print(keeper.spawn(["sleep", "60"], dict(os.environ), Path("/"), Path(sys.argv[1]) / "log").pid, flush=True)
signal.pause()
"""


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_a_sandbox_that_is_killed(run_dir: Path, signum: int) -> None:
    sandbox = subprocess.Popen([sys.executable, "-c", SANDBOX, str(run_dir)], stdout=subprocess.PIPE, text=True)
    assert sandbox.stdout is not None
    pids = [int(sandbox.stdout.readline()) for _ in range(2)]
    sandbox.send_signal(signum)
    sandbox.wait()
    sandbox.stdout.close()
    eventually(lambda: not any(map(is_alive, pids)))
    eventually(lambda: not run_dir.exists())


def test_the_leftovers_of_a_dead_sandbox_are_swept_and_those_of_a_live_one_kept(tmp_path: Path) -> None:
    mine = new_run_directory(tmp_path)
    dead = tmp_path / "btcctl-run-4194000-123-abc"
    clearing_up = tmp_path / "btcctl-run-4194001-123-abc"
    for path in (dead, clearing_up):
        path.mkdir()
    keeper = Keeper(clearing_up)
    keeper.start()
    pid = keeper.spawn(["true"], ENV, tmp_path, clearing_up / "log").pid  # by its answer, it holds the lock
    assert pid
    assert sweep(tmp_path) == [dead]
    assert mine.is_dir()
    assert mine.stat().st_mode & 0o777 == 0o700
    keeper.stop()


def test_a_wrapper_hands_everything_on_and_ends_last(run_dir: Path, exits: Exits, tmp_path: Path):
    script = '"$@"; code=$?; echo $code > "$0"; exit $code'
    keeper = Keeper(run_dir, exits, grace_seconds=0.5, wrapper=["sh", "-c", script, str(tmp_path / "ended")])
    keeper.start()
    pid = spawn(keeper, "sh", "-c", "exit 3")
    eventually(lambda: exits.codes.get(pid) == 3)
    keeper.stop()
    assert (tmp_path / "ended").read_text() == "0\n"
    assert not run_dir.exists()
