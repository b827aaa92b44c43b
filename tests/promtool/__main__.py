"""Gets promtool, once, out of Debian's packages into the user's cache: `make promtool`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from btcctl.secret import ENVIRON
from btcctl.testing.control_plane.binaries import user_cache
from tests import debian
from tests.integration.controlplane.build import Failure, locked, say

PACKAGE, RELEASE = "prometheus", "trixie"


def cached_promtool(environ: Mapping[str, str] = ENVIRON) -> Path:
    """Where it is put, whether it has been or not."""
    return user_cache(environ) / "promtool" / "promtool"


def get_promtool(environ: Mapping[str, str]) -> Path:
    """The program in the cache; unpacked there first if it is missing, or does not run.

    Raises:
        Failure: It cannot be had here; says why.
    """
    program = cached_promtool(environ)
    root = program.parent
    root.mkdir(parents=True, exist_ok=True)
    with locked(root / ".lock"):
        if not _runs(program):
            say(f"getting promtool from the packages of Debian's {RELEASE} …")
            _unpack(root, program, environ)
        if not _runs(program):
            raise Failure(f"{program} does not run here")
    return program


def _runs(program: Path) -> bool:
    if not program.exists():
        return False
    return subprocess.run([program, "--version"], capture_output=True, check=False, timeout=60).returncode == 0


def _unpack(root: Path, program: Path, environ: Mapping[str, str]) -> None:
    work, home = root / "work", root / "root"
    try:
        debian.unpack([PACKAGE], RELEASE, home, work, environ)
        debian.launcher(home, "promtool", program)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def main() -> int:
    try:
        say(f"promtool: {get_promtool(os.environ)}")
    except Failure as failure:
        sys.stderr.write(f"make promtool: {failure}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
