"""Puts each fault of the list into a copy of the code, and runs the tests that shall catch it.

Always the same: hypothesis gets a fixed seed, and the tests their order in the file. Exits with 1 if a
fault survives, or if the tests fail without any.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from btcctl.clock import SYSTEM_CLOCK
from tests.mutations.fault import ROOT, Fault
from tests.mutations.faults import FAULTS

#: A test that hangs has noticed, too.
HANGS_AFTER_SECONDS = 60
_PYTEST = (
    *(sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--tb=line", "--hypothesis-seed=0"),
    "--hypothesis-profile=unshrunk",
    *("-p", "no:randomly", "-p", "no:cacheprovider", "-o", f"timeout={HANGS_AFTER_SECONDS}"),
)


class Copy:
    """A copy of the code and of its tests, which can be broken."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        for name in ("src", "tests"):
            shutil.copytree(ROOT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("setup.cfg", "pyproject.toml"):
            shutil.copy(ROOT / name, directory)

    @contextmanager
    def broken_by(self, fault: Fault) -> Iterator[None]:
        """Inside, the fault is there."""
        path = self._directory / "src" / "btcctl" / fault.file
        original = path.read_text()
        path.write_text(fault.applied_to(original))
        yield
        path.write_text(original)

    def passes(self, tests: Iterable[str]) -> tuple[bool, str]:
        """Run `tests`; return whether all passed, and the last line said."""
        files = [f"tests/unit/{each}" for each in tests]
        environ = {**os.environ, "PYTHONPATH": str(self._directory / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        result = subprocess.run(
            [*_PYTEST, *files], cwd=self._directory, env=environ, capture_output=True, text=True, check=False
        )
        lines = (result.stdout + result.stderr).strip().splitlines()
        if result.returncode not in {0, 1} and "Timeout" not in result.stdout + result.stderr:
            raise SystemExit("the tests did not run:\n" + "\n".join(lines[-20:]))
        return result.returncode == 0, lines[-1] if lines else ""


def run(faults: Sequence[Fault]) -> int:
    """Print a line for each fault; return how many survived."""
    survivors = 0
    with tempfile.TemporaryDirectory(prefix="btcctl-mutations-") as directory:
        copy = Copy(Path(directory))
        healthy, last = copy.passes(sorted({test for fault in faults for test in fault.tests}))
        if not healthy:
            raise SystemExit(f"the tests fail without a fault: {last}")
        print(f"without a fault: {last}")
        for number, fault in enumerate(faults, start=1):
            began = SYSTEM_CLOCK.now()
            with copy.broken_by(fault):
                survived, last = copy.passes(fault.tests)
            survivors += survived
            verdict = "SURVIVED" if survived else "caught"
            print(f"{number:3} {verdict:9} {SYSTEM_CLOCK.now() - began:5.1f} s  {fault.file}: {fault.what}", flush=True)
    print(f"{len(faults) - survivors} of {len(faults)} caught")
    return survivors


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("only", nargs="*", help="faults in files whose name contains one of these")
    only = parser.parse_args().only
    chosen = [fault for fault in FAULTS if not only or any(each in fault.file for each in only)]
    return 1 if run(chosen) else 0


if __name__ == "__main__":
    sys.exit(main())
