"""`python -m benchmarks`, or `make bench`: this library beside its rivals, in interleaved rounds.

Read the ratios: seconds depend on the machine and on what else it does.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks import environment, imports, report
from benchmarks.bodies import Load
from benchmarks.contestants import CONTESTANTS, DYNAMIC, OURS, Contestant
from benchmarks.objects import PODS, WIDGETS
from benchmarks.runner import Result, Run, load_generator

PARTS = ("widgets", "pods", "small", "growth", "handlers", "imports")
Rows = dict[str, list[Result]]


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="contestants are interleaved; medians are shown")
    parser.add_argument("--widgets", type=int, default=100_000, help="custom resources that are cached")
    parser.add_argument("--pods", type=int, default=10_000, help="pods that are cached")
    parser.add_argument("--events", type=int, default=50_000, help="of a burst; two fifths of it for pods")
    parser.add_argument("--paced", type=int, default=2_000, help="events at 500/s whose latency is measured")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="which tables")
    parser.add_argument("--only", nargs="+", metavar="WORD", help="contestants whose name contains a WORD; and ours")
    parser.add_argument("--quick", action="store_true", help="one round of small collections: about two minutes")
    parser.add_argument("--json", type=Path, help="also write every run's figures here")
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.widgets, args.pods, args.events, args.paced = 1, 10_000, 2_000, 10_000, 500
    return args


class Bench:
    """Runs the parts that were asked for and prints each as it is done."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._tables: dict[str, dict[str, list[Result]]] = {}
        self._imports: dict[str, dict[str, float]] = {}

    def run(self) -> None:
        args = self._args
        print(machine())
        if "widgets" in args.parts:
            load = Load(WIDGETS, args.widgets, args.events, args.paced)
            self._compare(f"{args.widgets} custom resources of 1.1 KB", "widgets", load)
        if "pods" in args.parts:
            load = Load(PODS, args.pods, args.events * 2 // 5, args.paced)
            self._compare(f"{args.pods} pods of 6 KB", "pods", load)
        if "small" in args.parts:
            load = Load(WIDGETS, min(10_000, args.widgets), 5_000, args.paced)
            self._compare(f"{load.objects} custom resources, with those that are spared more", "small", load)
        if "growth" in args.parts:
            self._growth()
        if "handlers" in args.parts:
            self._handlers()
        if "imports" in args.parts:
            self._import()
        self._goals()
        if args.json:
            args.json.write_text(json.dumps(self._raw(), indent=1))

    def _chosen(self, load: Load) -> list[Contestant]:
        return [
            each
            for each in CONTESTANTS
            if load.kind.name in each.kinds and load.objects <= each.most_objects and self._wanted(each.name)
        ]

    def _wanted(self, name: str) -> bool:
        words = self._args.only
        return words is None or name == OURS or any(word in name for word in words)

    def _compare(self, title: str, name: str, load: Load) -> None:
        rows = self._rounds(load, self._chosen(load))
        self._tables[name] = rows
        heading = f"{title}, a burst of {load.burst} events, {load.paced} events at 500/s"
        show(f"{heading}; in brackets the ratio to {DYNAMIC}", report.comparison(rows))

    def _rounds(
        self, load: Load, contestants: Iterable[Contestant], *, handlers: int = 1, paced: bool = True
    ) -> dict[str, list[Result]]:
        rows: Rows = {each.name: [] for each in contestants}
        with load_generator(load) as (server, url):
            for _ in range(self._args.rounds):
                for each in CONTESTANTS:
                    if each.name in rows:
                        progress(f"{load.objects} {load.kind.name}: {each.name}")
                        rows[each.name].append(Run(each, load, server, url, handlers=handlers).all(paced=paced))
        return rows

    def _growth(self) -> None:
        """Only ours, client-go's and the best rival's: the others grow as these do."""
        chosen = [each for each in CONTESTANTS if each.name in {OURS, DYNAMIC, "lightkube"} and self._wanted(each.name)]
        lines: dict[str, list[str]] = {each.name: [] for each in chosen}
        sizes = [size for size in (1_000, 10_000, 100_000) if size <= self._args.widgets]
        for size in sizes:
            rows = self._rounds(Load(WIDGETS, size, min(size, 20_000), 0), chosen, paced=False)
            self._tables[f"growth {size}"] = rows
            for name, results in rows.items():
                figures = report.medians(results)
                each, event = figures["sync_cpu_s"] / size * 1e6, figures.get("event_us", float("nan"))
                lines[name].append(f"{each:.1f} µs, {figures['rss_mib']:.0f} MiB, {event:.1f} µs")
        head = ["", *(f"{size} objects" for size in sizes)]
        show("growth: sync CPU per object, RSS, CPU per event", report.table(head, ([n, *c] for n, c in lines.items())))

    def _handlers(self) -> None:
        chosen = [each for each in CONTESTANTS if each.name in {OURS, DYNAMIC} and self._wanted(each.name)]
        lines: dict[str, list[str]] = {each.name: [] for each in chosen}
        counts = (1, 3, 10)
        load = Load(WIDGETS, min(10_000, self._args.widgets), 10_000, 0)
        for count in counts:
            rows = self._rounds(load, chosen, handlers=count, paced=False)
            self._tables[f"handlers {count}"] = rows
            for name, results in rows.items():
                figures = report.medians(results)
                event = figures.get("event_us", float("nan"))
                lines[name].append(f"{figures['sync_cpu_s']:.3f} s, {figures['rss_mib']:.0f} MiB, {event:.1f} µs")
        head = ["", *(f"{count} handlers" for count in counts)]
        show(
            f"{load.objects} objects: sync CPU, RSS, CPU per event",
            report.table(head, ([n, *c] for n, c in lines.items())),
        )

    def _import(self) -> None:
        self._imports = imports.measure(max(5, self._args.rounds))
        rows = [[name, f"{each['cpu_s']:.3f}", f"{each['peak_mib']:.1f}"] for name, each in self._imports.items()]
        show("imports, a whole process", report.table(["", "CPU s", "peak RSS MiB"], rows))
        print(f"`import btcctl` loads of {', '.join(imports.HEAVY)}: {', '.join(imports.loaded()) or 'none'}")

    def _goals(self) -> None:
        goals = report.goals(self._tables.get("widgets", {}), self._tables.get("pods", {}), self._imports)
        show("goals", report.table(["", "measured", "goal", "met"], (each.line() for each in goals)))
        print(f"\nload average at the end: {os.getloadavg()[0]:.1f}")

    def _raw(self) -> dict[str, object]:
        runs = {
            name: {who: [vars(each) for each in results] for who, results in rows.items()}
            for name, rows in self._tables.items()
        }
        return {"machine": machine(), "runs": runs, "imports": self._imports}


def hardware() -> str:
    """What runs all this, and how busy it is."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    return (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} × {model}, Linux {platform.release()}, "
        f"load average at the start {os.getloadavg()[0]:.1f}, Python {platform.python_version()}"
    )


def machine() -> str:
    return (
        f"{hardware()}\n"
        f"{environment.go_version()}, client-go {environment.client_go_version()}, "
        f"{', '.join(environment.rival_versions())}"
    )


def show(title: str, lines: Iterable[str]) -> None:
    print(f"\n### {title}\n")
    print("\n".join(lines), flush=True)


def progress(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    arguments = options()
    environment.prepare()
    Bench(arguments).run()
