"""Puts each fault of the list into a copy of the code, and runs the tests that shall catch it.

Always the same: hypothesis gets a fixed seed, and the tests their order in the file. Exits with 1 if a
fault survives, or if the tests fail without any. `--jobs` has several copies of the code broken at once.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple, Protocol

from btcctl.clock import SYSTEM_CLOCK
from tests.mutations.fault import ROOT, Fault
from tests.mutations.faults import FAULTS

#: A test that hangs has noticed, too. One that takes as long on a busy machine hangs only if it takes so many times
#: longer than without the fault.
HANGS_AFTER_SECONDS = 20.0
HANGS_AFTER_TIMES = 10
_NEVER_SECONDS = 3600.0
_PYTEST = (
    *(sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--tb=line", "--hypothesis-seed=0"),
    "--hypothesis-profile=unshrunk",
    *("-p", "no:randomly", "-p", "no:cacheprovider"),
)


class Outcome(NamedTuple):
    """How some tests went.

    Attributes:
        hung: One took longer than it might.
        last: The last line said; before it, which tests failed.
        seconds: For all of them.
    """

    passed: bool
    hung: bool
    last: str
    seconds: float


class Broken(Protocol):
    """A copy of the code that can be broken: `Copy` is one."""

    def broken_by(self, fault: Fault) -> AbstractContextManager[None]:
        """Inside, the fault is there."""

    def outcome(self, tests: Iterable[str], hangs_after: float) -> Outcome:
        """Run `tests`, each for so many seconds at most."""


class Copy:
    """A copy of the code, its tests and its pages, which can be broken."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._writes = itertools.count(1)
        for name in ("docs", "src", "tests"):  # some tests run the programs of a page
            shutil.copytree(ROOT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("setup.cfg", "pyproject.toml"):
            shutil.copy(ROOT / name, directory)

    @contextmanager
    def broken_by(self, fault: Fault) -> Iterator[None]:
        path = self._directory / "src" / "btcctl" / fault.file
        original = path.read_text()
        self._write(path, fault.applied_to(original))
        yield
        self._write(path, original)

    def _write(self, path: Path, text: str) -> None:
        """As of another second each time, or Python takes code that it compiled of another text as long for its own."""
        path.write_text(text)
        os.utime(path, (next(self._writes),) * 2)

    def outcome(self, tests: Iterable[str], hangs_after: float) -> Outcome:
        command = [*_PYTEST, "-o", f"timeout={hangs_after:.0f}", *(f"tests/unit/{each}" for each in tests)]
        environ = {**os.environ, "PYTHONPATH": str(self._directory / "src")}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        began = SYSTEM_CLOCK.now()
        result = subprocess.run(command, cwd=self._directory, env=environ, capture_output=True, text=True, check=False)
        said = result.stdout + result.stderr
        lines, hung = said.strip().splitlines(), "Timeout" in said
        if result.returncode not in {0, 1} and not hung:
            raise SystemExit("the tests did not run:\n" + "\n".join(lines[-20:]))
        last = "\n".join([each for each in lines if each.startswith(("FAILED ", "ERROR "))] + lines[-1:])
        return Outcome(result.returncode == 0, hung, last, SYSTEM_CLOCK.now() - began)


def survives(copy: Broken, fault: Fault) -> bool:
    """Whether the tests pass in spite of the fault."""
    with copy.broken_by(fault):
        found = copy.outcome(fault.tests, HANGS_AFTER_SECONDS)
    if found.hung:
        healthy = copy.outcome(fault.tests, _NEVER_SECONDS)
        with copy.broken_by(fault):
            found = copy.outcome(fault.tests, max(HANGS_AFTER_SECONDS, HANGS_AFTER_TIMES * healthy.seconds))
    return found.passed


def chosen(only: Sequence[str], faults: Sequence[Fault] = FAULTS) -> list[Fault]:
    """The faults in files whose name contains one of these; all, if none is named.

    Raises:
        ValueError: There are none for one of them.
    """
    for name in only:
        if not any(name in fault.file for fault in faults):
            known = sorted({fault.file.partition("/")[0] for fault in faults})
            raise ValueError(f"no fault is in a file called like {name!r}; there are some in {', '.join(known)}")
    return [fault for fault in faults if not only or any(each in fault.file for each in only)]


class Verdict(NamedTuple):
    fault: Fault
    survived: bool
    seconds: float


def run(faults: Sequence[Fault], jobs: int) -> int:
    """Print a line for each fault; return how many survived."""
    with tempfile.TemporaryDirectory(prefix="btcctl-mutations-") as directory:
        copies = [Copy(Path(directory, str(number))) for number in range(jobs)]
        healthy = copies[0].outcome(sorted({test for fault in faults for test in fault.tests}), _NEVER_SECONDS)
        if not healthy.passed:
            raise SystemExit(f"the tests fail without a fault: {healthy.last}")
        print(f"without a fault: {healthy.last}")
        survivors = 0
        for number, (fault, survived, seconds) in enumerate(verdicts(faults, copies), start=1):
            survivors += survived
            verdict = "SURVIVED" if survived else "caught"
            print(f"{number:3} {verdict:9} {seconds:5.1f} s  {fault.file}: {fault.what}", flush=True)
    print(f"{len(faults) - survivors} of {len(faults)} caught")
    return survivors


def verdicts(faults: Sequence[Fault], copies: Sequence[Broken]) -> Iterator[Verdict]:
    """Of each fault, in their order; each copy has one fault at a time."""
    free: SimpleQueue[Broken] = SimpleQueue()
    for each in copies:
        free.put(each)

    def judge(fault: Fault) -> Verdict:
        copy, began = free.get(), SYSTEM_CLOCK.now()
        try:
            return Verdict(fault, survives(copy, fault), SYSTEM_CLOCK.now() - began)
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as pool:
        try:
            yield from pool.map(judge, faults)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # the tests did not run: no use to go on


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("only", nargs="*", help="faults in files whose name contains one of these")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="faults tried at once (default: 1)")
    args = parser.parse_args()
    if args.jobs < 1:
        parser.error("--jobs must be at least 1")
    try:
        faults = chosen(args.only)
    except ValueError as error:
        parser.error(str(error))
    return 1 if run(faults, args.jobs) else 0


if __name__ == "__main__":
    sys.exit(main())
