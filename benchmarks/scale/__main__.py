"""`python -m benchmarks.scale`, or `make bench-scale`: the operator with 1,000 networks, under ten minutes.

What is compared with the goals is the operator's own processor time and memory, read from outside: the API server, and
the nodes' hosts, are processes of their own.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.__main__ import hardware, progress, show
from benchmarks.report import table
from benchmarks.scale.fleet import Fleet, Operator, fleet, percentile

NODES = 3
POLL = 30.0  # the default
READS_PER_SECOND = 100.0  # 3,000 nodes at the default poll; smaller fleets are asked as often, by a shorter one
FASTER = 5.0  # looks and resyncs of the phase that counts writes
CONTROLLER_SECONDS = 600.0
CPU_SECONDS = 60.0
CHANGES_PER_SECOND = 4.0
QUIET_SECONDS = 2.0

Figures = dict[str, float]


@dataclass(frozen=True)
class Goal:
    figure: str
    title: str
    most: float
    digits: int = 0


GOALS = (
    Goal("settled_writes", "writes in 10 min of the controller's time, settled", 0),
    Goal("settled_rpc_writes", "calls meanwhile that change a node", 0),
    Goal("cpu_percent", "CPU, % of one core, at the default poll", 25, 1),
    Goal("rss_mib", "RSS, MiB", 150, 1),
    Goal("p99_ms", "a change acted on, p99, ms", 1000),
    Goal("restart_s", "restart to settled, s", 60, 1),
    Goal("restart_writes", "writes of a restart", 0),
    Goal("networks_exponent", "growth with networks, exponent", 1.1, 2),
    Goal("nodes_exponent", "growth with nodes per network, exponent", 1.1, 2),
)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--networks", type=int, default=1000, help="a power of ten, 100 at least")
    parser.add_argument("--changes", type=int, default=200, help="networks that are scaled, one after the other")
    parser.add_argument("--parts", nargs="+", choices=("large", "growth"), default=("large", "growth"))
    parser.add_argument("--quick", action="store_true", help="100 networks, and 30 nodes at most in each")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    args = parser.parse_args()
    if args.quick:
        args.networks, args.changes = 100, 50
    return args


def large(networks: int, changes: int) -> Figures:
    """Everything about one large fleet."""
    progress(f"{networks} networks × {NODES} nodes")
    with fleet(networks, NODES) as one:
        return {**_cold(one), **_restart(one, changes)}


def _cold(one: Fleet) -> Figures:
    """From nothing to settled, then the looks and resyncs of ten minutes, five times as often."""
    with one.operator(POLL, FASTER) as operator:
        _wait(one, operator, one.are_ready, "all networks ready")
        figures = {"cold_s": time.monotonic() - operator.started_at, "cold_cpu_s": operator.cpu()}
        settle(one, operator, POLL / FASTER)
        progress(f"settled; {CONTROLLER_SECONDS:.0f} s of the controller's time")
        _, reads, rpc_writes = one.asked()
        writes, version = operator.writes(), one.version()
        time.sleep(CONTROLLER_SECONDS / FASTER)
        operator.require_alive()
        _, reads_after, rpc_writes_after = one.asked()
        changed = version != one.version()
        more = operator.writes() - writes
        progress("\n".join(["writes:", *operator.written(more)]) if more else "no writes")
        figures |= {
            "settled_writes": max(operator.writes() - writes, int(changed)),
            "settled_rpc_writes": rpc_writes_after - rpc_writes,
            "settled_looks": (reads_after - reads) / (one.networks * one.nodes),
        }
    return figures


def _restart(one: Fleet, changes: int) -> Figures:
    progress("restart")
    one.forget_asked()
    with one.operator(POLL) as operator:
        _wait(one, operator, lambda: one.asked()[0] == one.networks * one.nodes, "all nodes asked")
        figures = {"restart_s": time.monotonic() - operator.started_at, "restart_cpu_s": operator.cpu()}
        figures["restart_writes"] = operator.writes()
        settle(one, operator, POLL)
        progress(f"CPU of {CPU_SECONDS:.0f} s")
        figures |= measure(one, operator, CPU_SECONDS)
        progress(f"{changes} changes")
        return {**figures, **_change(one, changes)}


def settle(one: Fleet, operator: Operator, poll: float) -> None:
    """Until nothing is written any more, and every network is asked as seldom as can be: 2, 4, 8, 16, `poll` s."""
    writes = -1
    while writes != (writes := operator.writes()):
        time.sleep(QUIET_SECONDS)
    time.sleep(2.1 * poll)


def measure(one: Fleet, operator: Operator, seconds: float) -> Figures:
    """What the operator costs when nothing happens."""
    _, reads, _ = one.asked()
    cpu, began = operator.cpu(), time.monotonic()
    time.sleep(seconds)
    spent, elapsed = operator.cpu() - cpu, time.monotonic() - began
    asked = one.asked()[1] - reads
    return {
        "cpu_percent": 100 * spent / elapsed,
        "rss_mib": operator.rss_mib(),
        "reads_per_s": asked / elapsed,
        "cpu_us_per_read": 1e6 * spent / max(1, asked),
    }


def _change(one: Fleet, changes: int) -> Figures:
    """Scale networks up, one after the other, and see when their StatefulSets are."""
    asked: dict[tuple[str, int], float] = {}
    began = time.monotonic()
    for number, name in enumerate(one.names[:changes]):
        time.sleep(max(0.0, began + number / CHANGES_PER_SECOND - time.monotonic()))
        asked[name, one.nodes + 1] = one.scale(name, one.nodes + 1)
    one.wait_until(lambda: asked.keys() <= one.scaled.keys(), "all changes")
    waited = [1000 * (one.scaled[each] - at) for each, at in asked.items()]
    return {"p50_ms": percentile(waited, 0.5), "p99_ms": percentile(waited, 0.99), "longest_ms": max(waited)}


def growth(networks: int, nodes: int) -> Figures:
    """A fleet whose nodes are asked as often as those of any other."""
    poll = networks * nodes / READS_PER_SECOND
    progress(f"growth: {networks} networks × {nodes} nodes, poll {poll:g} s")
    with fleet(networks, nodes) as one, one.operator(poll) as operator:
        _wait(one, operator, one.are_ready, "all networks ready")
        settle(one, operator, poll)
        return measure(one, operator, max(15.0, poll))


def exponent(fleets: Sequence[Figures]) -> float:
    """Of the cost as a power of the size, which grows tenfold each time: 1 is linear. Least squares over all sizes.

    All fleets were asked as often in all, so what the process costs by itself is the same.
    """
    costs = [math.log10(each["cpu_us_per_read"]) for each in fleets]
    return 1 + statistics.linear_regression(range(len(costs)), costs).slope


def _wait(one: Fleet, operator: Operator, condition: Callable[[], bool], what: str) -> None:
    def is_so() -> bool:
        operator.require_alive()
        return condition()

    one.wait_until(is_so, what)


def main() -> int:
    args = options()
    print(hardware())
    figures: Figures = {}
    rows: dict[str, Figures] = {}
    if "large" in args.parts:
        figures |= large(args.networks, args.changes)
        rows[f"{args.networks} × {NODES}"] = figures
    if "growth" in args.parts:
        figures |= _growth(args, rows)
    show(
        f"{args.networks} networks of {NODES} nodes",
        table(["", "measured", "goal", "met"], [_judged(goal, figures) for goal in GOALS if goal.figure in figures]),
    )
    if args.json:
        args.json.write_text(json.dumps({"figures": figures, "rows": rows}, indent=1))
    return int(any(figures[goal.figure] > goal.most for goal in GOALS if goal.figure in figures))


def _growth(args: argparse.Namespace, rows: dict[str, Figures]) -> Figures:
    sizes = [10, 100] if args.quick else [10, 100, 1000]
    for size in sizes:
        if f"{size} × {NODES}" not in rows:
            rows[f"{size} × {NODES}"] = growth(size, NODES)
    for nodes in (30,) if args.quick else (30, 300):
        rows[f"10 × {nodes}"] = growth(10, nodes)
    line = "CPU µs per node that is asked; all fleets are asked as often"
    names = ["cpu_us_per_read", "reads_per_s", "cpu_percent", "rss_mib"]
    show(line, table(["", *names], [[row, *(f"{each[name]:.1f}" for name in names)] for row, each in rows.items()]))
    return {
        "networks_exponent": exponent([rows[f"{size} × {NODES}"] for size in sizes]),
        "nodes_exponent": exponent([each for row, each in rows.items() if row.startswith("10 ×")]),
    }


def _judged(goal: Goal, figures: Figures) -> list[str]:
    value = figures[goal.figure]
    met = "yes" if value <= goal.most else "**no**"
    return [goal.title, f"{value:.{goal.digits}f}", f"≤ {goal.most:g}" if goal.most else "0", met]


if __name__ == "__main__":
    sys.exit(main())
