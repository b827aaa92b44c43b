"""mypy at programs of documentation and of projects that `btcctl init` makes."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

_CACHE = Path(__file__).parents[1] / ".mypy_cache"


def mypy(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it in a folder, with a cache that knows our own modules from earlier runs.

    One run at a time: the cache is a database, to which another run may not write meanwhile, nor always read it.
    """
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(_CACHE / "blocks"), *arguments]
    _CACHE.mkdir(exist_ok=True)
    with (_CACHE / "blocks.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=500, check=False)
