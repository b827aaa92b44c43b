"""`python -m tests.faults`: every fault, several times, in several processes."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from btcctl.clock import SYSTEM_CLOCK
from btcctl.testing.faults import FAULTS
from tests.faults import outage, report
from tests.faults.run import Outcome, Setting, be_quiet, run

ROOT = Path(__file__).parents[2]
DOCUMENTED = re.compile(r"^\| `([a-z0-9-]+)` \|", re.MULTILINE)
CHAINS = "## Chains without volumes\n"  # of `make test-chains`, at the page's end
BROKEN = ("clean-end", "reset")
Task = tuple[str, Setting]


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 all is well, 1 it is not."""
    args = build_parser().parse_args(arguments)
    undone = without_row()
    if undone:
        print(f"docs/faults.md and the catalogue differ: {undone}")
        return 1
    commit = args.commit or head()
    print(f"seeds from commit {commit}: {seed_of(commit, 0)} and the next {args.runs - 1}")
    started_at = SYSTEM_CLOCK.now()
    scaled = list(outcomes(tasks(args.fault, args.runs, commit), args.workers))
    broken = list(outcomes([(name, Setting(seed=seed_of(commit, 0), broken=True)) for name in BROKEN], args.workers))
    real = list(outcomes(real_tasks(commit), args.workers)) if args.real else []
    returns = list(outage.measure_all(args.outages)) if args.outages else []
    if args.write:
        written_by_others = "".join(args.write.read_text().partition(CHAINS)[1:]) if args.write.exists() else ""
        page = report.page(commit, scaled, real, broken, returns)
        args.write.write_text(f"{page.rstrip()}\n\n{written_by_others}" if written_by_others else page)
    seconds = SYSTEM_CLOCK.now() - started_at
    return verdict([*scaled, *real], broken, seconds)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--runs", type=int, default=2, metavar="N", help="of each fault (default: 2)")
    parser.add_argument("--fault", action="append", choices=FAULTS, default=None, help="this one only; may be repeated")
    parser.add_argument("--commit", default="", help="what seeds are derived from, instead of HEAD")
    parser.add_argument("--real", action="store_true", help="also silent faults with the real deadlines: minutes each")
    parser.add_argument(
        "--outages", type=int, default=0, metavar="N", help="outages of each server and length: minutes"
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table there")
    parser.add_argument("--workers", type=int, default=2 * (os.cpu_count() or 1), metavar="N", help="processes")
    return parser


def without_row() -> list[str]:
    """Faults that are in the table of docs/faults.md and have no row here, and the other way round."""
    documented = set(DOCUMENTED.findall((ROOT / "docs" / "faults.md").read_text()))
    return sorted(documented ^ FAULTS.keys())


def head() -> str:
    """The commit that is checked out, shortened."""
    command = ["git", "-C", str(ROOT), "rev-parse", "--short=8", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def seed_of(commit: str, number: int) -> int:
    return int(commit[:8], 16) + number


def tasks(names: Iterable[str] | None, runs: int, commit: str) -> list[Task]:
    """The long ones first, so that no worker is left with one at the end."""
    chosen = sorted(names or FAULTS, key=lambda name: not FAULTS[name].is_silent)
    numbers = range(runs)
    return [
        (name, Setting(seed=seed_of(commit, each), streaming=bool(each % 2))) for name in chosen for each in numbers
    ]


def real_tasks(commit: str) -> list[Task]:
    setting = Setting(scale=1.0, seed=seed_of(commit, 0), injections=1)
    return [(name, setting) for name, fault in FAULTS.items() if fault.is_silent]


def outcomes(todo: list[Task], workers: int) -> Iterator[Outcome]:
    """Run all of it, printing a line for each."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=be_quiet) as pool:
        for future in as_completed([pool.submit(run, name, setting) for name, setting in todo]):
            outcome = future.result()
            print(report.line(outcome) + (" (broken on purpose)" if outcome.setting.broken else ""), flush=True)
            yield outcome


def verdict(judged: list[Outcome], broken: list[Outcome], seconds: float) -> int:
    failed = [each for each in judged if report.complaints(each)]
    blind = not any(each.lost for each in broken)
    print(
        f"{len(judged)} runs of {len({each.fault for each in judged})} faults in {seconds:.0f} s: {len(failed)} failed"
    )
    for each in failed:
        print(f"  {report.line(each)}")
    if blind:
        print("a build that is broken on purpose loses nothing: these runs show nothing")
    return 1 if failed or blind else 0


if __name__ == "__main__":
    sys.exit(main())
