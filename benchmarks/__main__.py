"""`python -m benchmarks`: every contestant in turn, several rounds, one table with ratios."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys

from benchmarks.clients import CLIENTS

COLUMNS = ("sync_cpu_s", "rss_mib", "burst_cpu_s")
LIMIT_SECONDS = 300


def measure(name: str, objects: int, events: int) -> dict[str, float]:
    """One run of one contestant against a server of its own."""
    sizes = [str(objects), str(events)]
    server = subprocess.Popen([sys.executable, "-m", "benchmarks.server", *sizes], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        command = [sys.executable, "-m", "benchmarks.clients", name, port, *sizes]
        answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=LIMIT_SECONDS)
    finally:
        server.kill()
        server.communicate()
    result: dict[str, float] = json.loads(answer.stdout)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3, help="contestants are interleaved; medians are shown")
    args = parser.parse_args()
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in CLIENTS}
    for _ in range(args.rounds):
        for name, results in runs.items():
            results.append(measure(name, args.objects, args.events))
    medians = {
        name: {column: statistics.median(each[column] for each in results) for column in COLUMNS}
        for name, results in runs.items()
    }
    first = next(iter(medians.values()))
    print(f"informer: {args.objects} custom resources, {args.events} events, medians of {args.rounds} rounds")
    print(f"{'':12}" + "".join(f"{column:>20}" for column in COLUMNS))
    for name, row in medians.items():
        cells = (f"{row[column]:.3f} ({row[column] / first[column]:.1f}x)" for column in COLUMNS)
        print(f"{name:12}" + "".join(f"{cell:>20}" for cell in cells))


if __name__ == "__main__":
    main()
