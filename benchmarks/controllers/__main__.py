"""`python -m benchmarks.controllers`, or `make bench-controllers`: one small operator in Go, with btcctl and with kopf.

A custom resource owns one ConfigMap and gets a status; on a real API server and etcd, in interleaved rounds, each
run with a control plane of its own. Read the ratios: seconds depend on the machine and on what else it does.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from benchmarks import environment
from benchmarks.__main__ import machine, progress, show
from benchmarks.controllers.cluster import GROUP, Cluster, cluster
from benchmarks.controllers.process import Program
from benchmarks.report import table

OURS, GO, KOPF = "btcctl", "controller-runtime", "kopf"
RATE = 50  # changes per second
SLOW_LIMIT = 1_000  # objects: kopf takes minutes for more, and is spared them

Figures = dict[str, float]

_HERE = Path(__file__).parent
COMMANDS = {
    GO: [str(environment.OPERATOR)],
    OURS: [str(environment.USER_PYTHON), str(_HERE / "widgets.py")],
    KOPF: [str(environment.RIVALS_PYTHON), str(_HERE / "handlers.py")],
}
#: figure: title, digits
COLUMNS = {
    "cold_cpu_s": ("cold start, CPU s", 2),
    "cold_wall_s": ("its wall s", 1),
    "cold_requests": ("requests per object", 2),
    "missing": ("404s", 0),
    "conflicts": ("409s", 0),
    "churn_cpu_ms": ("CPU ms per change", 2),
    "churn_requests": ("requests per change", 2),
    "p50_ms": ("p50 ms", 1),
    "p99_ms": ("p99 ms", 1),
    "repair_cpu_s": ("repair, CPU s", 2),
    "repair_requests": ("requests per child", 2),
    "restart_cpu_s": ("restart, CPU s", 2),
    "restart_writes": ("its writes", 0),
    "rss_mib": ("RSS MiB", 1),
    "peak_mib": ("peak MiB", 1),
}
RATIOS = {"cold_cpu_s", "churn_cpu_ms", "p50_ms", "p99_ms", "repair_cpu_s", "restart_cpu_s", "rss_mib", "peak_mib"}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.controllers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="contestants are interleaved; medians are shown")
    parser.add_argument("--objects", type=int, nargs="+", default=[1_000, 3_000], help="how many widgets")
    parser.add_argument("--changes", type=int, default=1_000, help=f"at {RATE} per second")
    parser.add_argument("--children", type=int, default=500, help="ConfigMaps that are deleted")
    parser.add_argument("--only", nargs="+", choices=COMMANDS, default=list(COMMANDS), help="contestants")
    parser.add_argument("--quick", action="store_true", help="one round of 200 widgets: about two minutes")
    parser.add_argument("--json", type=Path, help="also write every run's figures here")
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.objects, args.changes, args.children = 1, [200], 200, 100
    return args


class Run:
    """One contestant against one control plane, through all phases."""

    def __init__(self, name: str, one: Cluster, log: IO[bytes]) -> None:
        kubeconfig = one.control_plane.kubeconfig(name, ["system:masters", GROUP])
        self._argv = [*COMMANDS[name], str(kubeconfig)]
        self._cluster = one
        self._log = log
        self._program = self._start()
        self.figures: Figures = {}

    def all(self, changes: int, children: int) -> Figures:
        try:
            self._cold()
            self._churn(changes)
            self._repair(children)
            self._program.stop()
            self._program = self._start()
            self._restart()
        finally:
            self._program.stop()
        return self.figures

    def _start(self) -> Program:
        self._cluster.requests.since()
        self._began = time.monotonic()
        return Program(self._argv, self._log)

    def _cold(self) -> None:
        one, names = self._cluster, self._cluster.names
        one.wait_until(lambda: self._done(one.is_right(names, "first") and one.has_config_maps()), "cold start")
        wall = time.monotonic() - self._began
        cpu, counts = self._program.settle(), one.requests.since()
        rss, peak = self._program.memory_mib()
        self.figures.update(cold_cpu_s=cpu, cold_wall_s=wall, rss_mib=rss, peak_mib=peak)
        self.figures.update(
            cold_requests=counts["requests"] / len(names), missing=counts["missing"], conflicts=counts["conflicts"]
        )

    def _churn(self, changes: int) -> None:
        one, before = self._cluster, self._program.cpu_seconds()
        asked: dict[tuple[str, str], float] = {}
        began = time.monotonic()
        for number in range(changes):
            time.sleep(max(0.0, began + number / RATE - time.monotonic()))
            name, value = one.names[number % len(one.names)], f"change-{number}"
            asked[name, value] = one.change(name, value)
        one.wait_until(lambda: self._done(all(each in one.right_at for each in asked)), "churn")
        cpu, counts = self._program.settle() - before, one.requests.since()
        waited = sorted(1_000 * (one.right_at[each] - at) for each, at in asked.items())
        self.figures.update(churn_cpu_ms=1_000 * cpu / changes, churn_requests=counts["requests"] / changes)
        self.figures.update(p50_ms=statistics.median(waited), p99_ms=waited[int(0.99 * len(waited))])

    def _repair(self, children: int) -> None:
        one = self._cluster
        names = one.names[:children]
        before = self._program.cpu_seconds()
        gone = one.delete_config_maps(names)
        one.wait_until(lambda: self._done(one.are_remade(names, gone)), "repair")
        cpu, counts = self._program.settle() - before, one.requests.since()
        self.figures.update(repair_cpu_s=cpu, repair_requests=counts["requests"] / len(names))

    def _restart(self) -> None:
        self.figures["restart_cpu_s"] = self._program.settle()
        self.figures["restart_writes"] = self._cluster.requests.since()["writes"]

    def _done(self, is_done: bool) -> bool:
        self._program.require_alive()
        return is_done


def run(name: str, objects: int, args: argparse.Namespace, log: Path) -> Figures:
    progress(f"{objects} widgets: {name}")
    with cluster(objects) as one, log.open("ab") as file:
        time.sleep(3.0)  # what a fresh API server does after it is ready
        return Run(name, one, file).all(args.changes, min(args.children, objects))


def medians(runs: Sequence[Figures]) -> Figures:
    return {figure: statistics.median(each[figure] for each in runs) for figure in COLUMNS}


def rows(by_name: dict[str, list[Figures]]) -> list[str]:
    """One line per figure, one column per contestant; in brackets the ratio to Go's."""
    figures = {name: medians(runs) for name, runs in by_name.items() if runs}
    base = figures.get(GO)

    def cell(name: str, figure: str) -> str:
        text = f"{figures[name][figure]:.{COLUMNS[figure][1]}f}"
        if base and figure in RATIOS and base[figure]:
            text += f" ({figures[name][figure] / base[figure]:.2f})"
        return text

    lines = [[title, *(cell(name, figure) for name in figures)] for figure, (title, _) in COLUMNS.items()]
    return table(["", *figures], lines)


def main() -> None:
    args = options()
    environment.prepare_controllers()
    print(machine())
    log = Path(tempfile.mkdtemp(prefix="btcctl-bench-")) / "contestants.log"
    print(f"what the contestants say: {log}")
    results: dict[str, dict[str, list[Figures]]] = {}
    for objects in args.objects:
        chosen = [name for name in COMMANDS if name in args.only and (name != KOPF or objects <= SLOW_LIMIT)]
        by_name: dict[str, list[Figures]] = {name: [] for name in chosen}
        for _ in range(args.rounds):
            for name in chosen:
                by_name[name].append(run(name, objects, args, log))
        results[str(objects)] = by_name
        load = f"{args.changes} changes at {RATE}/s, {min(args.children, objects)} children deleted"
        show(f"{objects} widgets, {load}; in brackets the ratio to {GO}", rows(by_name))
        if args.json:
            args.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
