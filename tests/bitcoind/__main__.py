"""Gets a real bitcoind, once, out of Debian's packages into the user's cache: `make bitcoind`.

Debian's unstable release has Bitcoin Knots, which descends from Bitcoin Core and has its RPC, options and network
protocol; there is no package of Core itself. What is put there is found by `btcctl sandbox --bitcoind auto`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from btcctl.errors import ConfigError
from btcctl.sandbox.demonstration.commands import cached_bitcoind, find_bitcoind
from tests import debian
from tests.integration.controlplane.build import Failure

PACKAGE, RELEASE = "bitcoin-knots", "sid"
PROGRAMS = ("bitcoind", "bitcoin-cli")


def get_bitcoind(environ: Mapping[str, str]) -> Path:
    """The program in the cache; unpacked there first if it is missing, or does not run.

    Raises:
        Failure: It cannot be had here; says why.
    """
    program = cached_bitcoind(environ)

    def get(work: Path) -> None:
        home = program.parent / "root"
        try:
            debian.unpack([PACKAGE], RELEASE, home, work, environ)
            for name in PROGRAMS:
                debian.launcher(home, name, program.parent / name)
        except Failure as failure:
            hint = "put a bitcoind on PATH, or name one in BTCCTL_TEST_BITCOIND"
            raise Failure(f"cannot get a bitcoind from Debian's packages: {failure} ({hint})") from failure

    return debian.had(program, lambda: _runs(program), f"{PACKAGE} from the packages of Debian's {RELEASE}", get)


def _runs(program: Path) -> bool:
    try:
        return program.exists() and find_bitcoind(program) is not None
    except ConfigError:
        return False


if __name__ == "__main__":
    sys.exit(debian.main("bitcoind", get_bitcoind))
