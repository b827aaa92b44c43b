"""`python -m tests.integration.conformance`: run every case, print the table, write it to docs/conformance.md.

Exit status: 0 all agree or are unsupported, 1 some differ.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.integration.conformance import servers
from tests.integration.conformance.comparison import Transcript, compare_all, load_cases
from tests.integration.conformance.report import PAGE, page, table


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.integration.conformance", description=__doc__)
    parser.add_argument("words", nargs="*", help="only cases whose id (FAMILY: NAME) has one of these in it")
    parser.add_argument("--diff", action="store_true", help="print how they differ")
    parser.add_argument("--slow", type=float, metavar="SECONDS", help="name the cases that take longer")
    parser.add_argument("--but", default="", help="fields to leave out, with commas between; nothing is written then")
    args = parser.parse_args()
    cases = [each for each in load_cases() if not args.words or any(word in each.id for word in args.words)]
    but = [each for each in args.but.split(",") if each]
    with tempfile.TemporaryDirectory() as folder, servers.real() as real, servers.embedded(Path(folder)) as embedded:
        outcomes = compare_all(cases, real, embedded, but=but, tell=lambda done: _tell(done, args.slow))
    for outcome in outcomes:
        if outcome.verdict != "agree":
            why = outcome.why if args.diff or outcome.verdict == "unsupported" else ""
            sys.stdout.write(f"{outcome.verdict}: {outcome.case.id}\n{why and why + chr(10)}")
    sys.stdout.write(table(outcomes))
    if not args.words and not but:
        PAGE.write_text(page(outcomes))
    return 1 if any(each.verdict == "differ" for each in outcomes) else 0


def _tell(done: Transcript, slow: float | None) -> None:
    if slow and done.seconds > slow:
        sys.stdout.write(f"{done.seconds:.1f} s on {done.server}: {done.case.id}\n")


if __name__ == "__main__":
    sys.exit(main())
