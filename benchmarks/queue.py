"""`python -m benchmarks.queue`: the work queue beside client-go's, and how soon an event is reconciled.

Rounds are interleaved, medians shown. Read the ratios.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import environment
from benchmarks.__main__ import machine, progress, show
from benchmarks.bodies import Load
from benchmarks.contestants import Contestant
from benchmarks.objects import WIDGETS
from benchmarks.report import table
from benchmarks.runner import Result, Run, load_generator

OURS = "btcctl"
WITH_METRICS = "btcctl, with metrics"
CLIENT_GO = "client-go"
COLUMNS = ("add_us", "take_us", "stream_us")
LIMIT_SECONDS = 240

Figures = dict[int, dict[str, float]]  #: by number of workers

_ADAPTER = (sys.executable, str(Path(__file__).parent / "adapters" / "reconciler.py"))
RECONCILERS = (
    Contestant("alone", _ADAPTER),
    Contestant("beside a busy reconcile", _ADAPTER, ("busy",)),
    Contestant("beside one that computes in another process", _ADAPTER, ("elsewhere",)),
    Contestant("beside a busy one, handing over after 0.5 ms", _ADAPTER, ("busy", "0.5")),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.queue", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keys", type=int, default=200_000, help="keys that go through the queue")
    parser.add_argument("--events", type=int, default=2_000, help="events at 500/s whose reconcile is waited for")
    parser.add_argument("--objects", type=int, default=1_000, help="objects in the cache meanwhile")
    args = parser.parse_args()
    environment.prepare_queue()
    print(machine())
    compare_queues(args.rounds, args.keys)
    time_reconciles(args.rounds, Load(WIDGETS, args.objects, 100, args.events))


def compare_queues(rounds: int, keys: int) -> None:
    module = [sys.executable, "-m", "benchmarks.queue_program", str(keys)]
    commands = {
        OURS: module,
        WITH_METRICS: [*module, "metrics"],
        CLIENT_GO: [str(environment.CLIENT_GO_QUEUE), str(keys)],
    }
    runs: dict[str, list[Figures]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            progress(f"{keys} keys: {name}")
            runs[name].append(run_program(command))
    workers = sorted(runs[OURS][0])
    lines = [[name, *(cell(results, count, runs[OURS]) for count in workers)] for name, results in runs.items()]
    title = f"{keys} keys: CPU µs per key to add / to get and be done / for all three at once"
    heading = f"{title}; in brackets the ratio of that to one worker of {OURS}"
    show(heading, table(["", *(f"{count} workers" for count in workers)], lines))


def run_program(command: Sequence[str]) -> Figures:
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=LIMIT_SECONDS)
    figures = [json.loads(line) for line in done.stdout.splitlines()]
    return {each.pop("workers"): each for each in figures}


def cell(results: Sequence[Figures], workers: int, ours: Sequence[Figures]) -> str:
    add, take, stream = (statistics.median(each[workers][column] for each in results) for column in COLUMNS)
    one = statistics.median(each[1]["stream_us"] for each in ours)
    return f"{add:.2f} / {take:.2f} / {stream:.2f} ({stream / one:.2f})"


def time_reconciles(rounds: int, load: Load) -> None:
    runs: dict[str, list[Result]] = {each.name: [] for each in RECONCILERS}
    with load_generator(load) as (server, url):
        for _ in range(rounds):
            for each in RECONCILERS:
                progress(f"event to reconcile, {each.name}")
                runs[each.name].append(Run(each, load, server, url).all())
    lines = []
    for name, results in runs.items():
        figures = [each.figures for each in results if "p50_ms" in each.figures]
        lines.append([name, *(f"{statistics.median(f[key] for f in figures):.2f}" for key in ("p50_ms", "p99_ms"))])
    show(f"from an event to its reconcile, ms, at 500/s with {load.objects} objects", table(["", "p50", "p99"], lines))


if __name__ == "__main__":
    main()
