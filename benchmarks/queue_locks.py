"""`python -m benchmarks.queue_locks [PYTHON …]`: the queue without locks beside one with a plain lock, in one run.

For each interpreter, which must have btcctl (`make pythons`); rounds are interleaved, medians shown. Read the ratios.
"""

from __future__ import annotations

import argparse
import statistics
import sys

from benchmarks.__main__ import machine, progress, show
from benchmarks.queue import COLUMNS, Figures, run_program
from benchmarks.report import table

KINDS = ("without locks", "one lock")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.queue_locks", description=__doc__)
    parser.add_argument("pythons", nargs="*", default=[sys.executable], help="interpreters; by default this one")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keys", type=int, default=100_000)
    args = parser.parse_args()
    print(machine())
    runs: dict[tuple[str, str], list[Figures]] = {}
    for _ in range(args.rounds):
        for python in args.pythons:
            for kind in KINDS:
                progress(f"{args.keys} keys: {python}, {kind}")
                command = [python, "-m", "benchmarks.queue_program", str(args.keys)]
                figures = run_program([*command, *(["locked"] if kind == KINDS[1] else [])])
                runs.setdefault((python, kind), []).append(figures)
    workers = sorted(next(iter(runs.values()))[0])
    lines = [[*names, *(_cell(results, count) for count in workers)] for names, results in runs.items()]
    title = f"{args.keys} keys: CPU µs per key to add / to get and be done / for all three at once"
    show(title, table(["", "", *(f"{count} workers" for count in workers)], lines))


def _cell(results: list[Figures], workers: int) -> str:
    return " / ".join(f"{statistics.median(each[workers][name] for each in results):.2f}" for name in COLUMNS)


if __name__ == "__main__":
    main()
