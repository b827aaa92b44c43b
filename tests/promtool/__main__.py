"""Gets promtool, once, out of Debian's packages into the user's cache: `make promtool`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from btcctl.secret import ENVIRON
from btcctl.testing.control_plane.binaries import user_cache
from tests import debian

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

    def get(work: Path) -> None:
        home = program.parent / "root"
        debian.unpack([PACKAGE], RELEASE, home, work, environ)
        debian.launcher(home, "promtool", program)

    what = f"promtool from the packages of Debian's {RELEASE}"
    return debian.had(program, lambda: debian.says_its_version(program), what, get)


if __name__ == "__main__":
    sys.exit(debian.main("promtool", get_promtool))
