"""`python -m tests.chains`, or `make test-chains`: what becomes of chains that no volume keeps.

Networks of 2 and 3 nodes with 101 and 20,000 blocks go through everything that Kubernetes does in good order, one
change after the other; after each every node must have the whole chain. Exit status: 0 nothing was lost, 1 something
was.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from btcctl import logging
from btcctl.clock import SYSTEM_CLOCK
from btcctl.sandbox.demonstration.commands import AUTO, find_bitcoind
from tests.chains.changes import CHANGES
from tests.chains.network import Network, Shape, running

HEADING = "## Chains without volumes"
Row = tuple[str, int, int, str]  #: kind of node, nodes, blocks, change


@dataclass
class Record:
    """Of all runs."""

    runs: Counter[Row] = field(default_factory=Counter)
    lost: Counter[Row] = field(default_factory=Counter)
    seconds: defaultdict[Row, float] = field(default_factory=lambda: defaultdict(float))
    failures: list[str] = field(default_factory=list)

    def add(self, row: Row, seconds: float, losses: list[str]) -> None:
        self.runs[row] += 1
        self.lost[row] += bool(losses)
        self.seconds[row] += seconds
        if losses:
            self.failures.append(f"{row}: {'; '.join(losses)}")

    def table(self) -> list[str]:
        head = [
            "| nodes | of them | blocks | change | runs | chains lost | seconds, mean |",
            "|---|---|---|---|---|---|---|",
        ]
        return head + [self._line(row) for row in self.runs]

    def _line(self, row: Row) -> str:
        count = self.runs[row]
        cells = [*map(str, row), str(count), str(self.lost[row]), f"{self.seconds[row] / count:.1f}"]
        return f"| {' | '.join(cells)} |"


def main(arguments: list[str] | None = None) -> int:
    args = build_parser().parse_args(arguments)
    logging.configure("critical")
    record = Record()
    bitcoind = find_bitcoind(AUTO) if args.real else None
    end = SYSTEM_CLOCK.now() + args.minutes * 60
    try:
        for run, shape in product(range(args.runs), shapes(args, bitcoind)):
            if SYSTEM_CLOCK.now() > end:
                print(f"{args.minutes:g} minutes are over in run {run + 1} of {args.runs}")
                break
            go_through(shape, args.changes, record)
    except KeyboardInterrupt:  # an hour's figures are worth as much as two hours'
        print("interrupted; until then:")
    print("\n".join(record.table()), *record.failures, sep="\n")
    if args.write:
        write(args.write, record.table())
    return 1 if record.failures else 0


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chains", description=__doc__)
    parser.add_argument("--runs", type=int, default=1, metavar="N", help="of each network and change (default: 1)")
    parser.add_argument("--nodes", type=int, nargs="+", default=[2, 3], metavar="N")
    parser.add_argument("--blocks", type=int, nargs="+", default=[101, 20_000], metavar="N")
    parser.add_argument("--changes", nargs="+", choices=CHANGES, default=list(CHANGES))
    parser.add_argument("--real", action="store_true", help="nodes are those of `make bitcoind`: minutes for 20,000")
    parser.add_argument("--minutes", type=float, default=10_000.0, metavar="N", help="begin no network after so many")
    parser.add_argument("--write", type=Path, metavar="FILE", help=f'put the table there, under "{HEADING[3:]}"')
    return parser


def shapes(args: argparse.Namespace, bitcoind: Path | None) -> Iterator[Shape]:
    return (Shape(nodes, blocks, bitcoind) for nodes, blocks in product(args.nodes, args.blocks))


def go_through(shape: Shape, changes: list[str], record: Record) -> None:
    """One network through all changes; what it lacks after one counts, and ends it."""
    kind = "real" if shape.bitcoind else "simulated"
    try:
        with running(shape) as network:
            for change in changes:
                row = (kind, shape.nodes, shape.blocks, change)
                began = SYSTEM_CLOCK.now()
                losses = _after(network, change)
                record.add(row, SYSTEM_CLOCK.now() - began, losses)
                print(f"{row} {SYSTEM_CLOCK.now() - began:.1f} s {losses or 'kept'}", flush=True)
                if losses:
                    return
    except TimeoutError as error:
        record.failures.append(f"{shape}: {error}")
        print(record.failures[-1], flush=True)


def _after(network: Network, change: str) -> list[str]:
    try:
        CHANGES[change](network)
    except TimeoutError as error:
        return [str(error)]
    return [*network.losses(), *([] if network.is_intact() else ["the status says that blocks were lost"])]


def write(path: Path, table: list[str]) -> None:
    """Replace the table of the section; all else on the page stays."""
    before, heading, after = path.read_text().partition(f"{HEADING}\n")
    if not heading:
        raise SystemExit(f"{path} has no section {HEADING}")
    words = after.split("\n| nodes |")[0].rstrip("\n")
    rest = after.partition("\n## ")
    path.write_text(f"{before}{heading}{words}\n\n" + "\n".join(table) + "\n" + (f"\n## {rest[2]}" if rest[1] else ""))


if __name__ == "__main__":
    sys.exit(main())
