"""Where a process and its children keep their files while they run, and how the leftovers of dead ones are found."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from pathlib import Path

from btcctl.errors import ConfigError
from btcctl.logging import get_logger
from btcctl.processes.keeper_process import LOCK_FILE

logger = get_logger(__name__)

_PREFIX = "btcctl-run-"


def new_run_directory(root: Path | None = None) -> Path:
    """Make a directory that only we can read, and remove ours whose process and keeper are gone.

    Its name carries this process' id and start time; the keeper holds a lock in it.

    Args:
        root: Where; the system's temporary directory if None.

    Raises:
        ConfigError: It cannot be made.
    """
    try:
        root = root or Path(tempfile.gettempdir())
        sweep(root)
        return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{process_name(os.getpid())}-", dir=root))
    except OSError as error:
        raise ConfigError(f"cannot make a run directory: {error}") from error


def sweep(root: Path) -> list[Path]:
    """Remove the run directories under `root` that no process uses; returns them."""
    stale = [path for path in sorted(root.glob(f"{_PREFIX}*-*-*")) if _is_ours(path) and _is_stale(path)]
    for path in stale:
        logger.info("removing what a dead process left", directory=str(path))
        shutil.rmtree(path, ignore_errors=True)
    return stale


def _is_ours(path: Path) -> bool:
    status = path.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()


def is_orphaned(name: str) -> bool:
    """Whether it is the name of a run directory, and the process that made that is gone."""
    match name.removeprefix(_PREFIX).split("-", 2):
        case [pid, started, _] if name.startswith(_PREFIX) and pid.isdecimal():
            return process_name(int(pid)) != f"{pid}-{started}"
    return False


def _is_stale(path: Path) -> bool:
    if not is_orphaned(path.name):
        return False
    return not _is_locked(path / LOCK_FILE)  # a keeper may still be clearing up after its process


def _is_locked(path: Path) -> bool:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def process_name(pid: int) -> str:
    """`<pid>-<start time>`, which no other process has had since the machine started."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return f"{pid}-{fields[19]}"  # in clock ticks since the machine started, proc(5)
    return f"{pid}-gone"
