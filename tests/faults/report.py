"""What runs have shown: whether it is good enough, and as a table."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable, Sequence

from btcctl.rest.limits import ReadLimits
from btcctl.testing.faults import FAULTS
from tests.faults import outage
from tests.faults.run import Outcome
from tests.faults.writer import NAMES

# A client that finds out, waits and asks again makes three requests, of which a list may take several pages.
MOST_REQUESTS_AT_ONCE = 10
_LATE_SECONDS = 0.25
LATE_BY = 0.2  # of the silence that a client bears
MOST_GROWTH_BYTES = 100 << 20  # in a process that has run everything else before: interpreter, server and client


def complaints(outcome: Outcome) -> list[str]:
    """What is wrong with the outcome of a run."""
    relists = 0 if FAULTS[outcome.fault].needs_list else outcome.relists.total()
    if outcome.late > LATE_BY * ReadLimits().idle_seconds * outcome.setting.scale:
        relists -= outcome.relists["silent"]  # it was we who heard nothing
    judged = (
        (outcome.lost, 0, "lost"),
        (outcome.repeated, 0, "repeated"),
        (outcome.contradictions, 0, "contradictions"),
        (relists, 0, "needless lists"),
        (outcome.busiest, MOST_REQUESTS_AT_ONCE, "requests in a second"),
        (outcome.pending, NAMES + 20, "keys pending"),
        (outcome.grown_bytes, MOST_GROWTH_BYTES, "bytes of memory"),
    )
    return [f"{value} {what}" for value, most, what in judged if value > most]


def line(outcome: Outcome) -> str:
    """One run, for a person who watches."""
    setting = outcome.setting
    wrong = ", ".join(complaints(outcome))
    how = "streamed" if setting.streaming else "pages"
    late = f" (machine late by {outcome.late:.2f} s)" if outcome.late > _LATE_SECONDS else ""
    return (
        f"{outcome.fault:20} seed {setting.seed:<11} {how:8} {outcome.seconds:6.1f} s  {outcome.requests:3} requests  "
        f"lists {dict(outcome.relists) or '-'}  {wrong or 'ok'}{late}"
    )


def table(outcomes: Sequence[Outcome]) -> str:
    """One line per fault, in Markdown."""
    header = "| fault | what a client sees | runs | lost | duplicated | requests/s | at most | lists, by reason |"
    lines = [header, "|---|---|---|---|---|---|---|---|"]
    for name, fault in FAULTS.items():
        of_it = [each for each in outcomes if each.fault == name]
        if of_it:
            lines.append(f"| {name} | {fault.about} | {len(of_it)} | {_cells(of_it)} |")
    return "\n".join(lines)


def _cells(outcomes: Sequence[Outcome]) -> str:
    reasons: Counter[str] = Counter()
    for each in outcomes:
        reasons.update(each.relists)
    own_seconds = sum(each.seconds / each.setting.scale for each in outcomes)
    cells = (
        sum(each.lost for each in outcomes),
        sum(each.repeated + each.contradictions for each in outcomes),
        f"{sum(each.requests for each in outcomes) / own_seconds:.3f}",
        max(each.busiest for each in outcomes),
        ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items())) or "none",
    )
    return " | ".join(map(str, cells))


def page(
    commit: str,
    scaled: Sequence[Outcome],
    real: Sequence[Outcome],
    broken: Iterable[Outcome],
    returns: Sequence[outage.Return] = (),
) -> str:
    """The whole of docs/reliability.md."""
    changes, injections = scaled[0].setting.changes, scaled[0].setting.injections
    lost = ", ".join(f"{each.fault}: {each.lost}" for each in broken)
    python = f"CPython {platform.python_version()}"
    return f"""# How informers bear what goes wrong

Written by `make reliability` ({python}, seeds from commit {commit}). [faults.md](faults.md) says what each fault is.

Each run makes {changes:,} changes to {NAMES} objects on an API server, and brings the fault about {injections} times at
random points of them, changes going on meanwhile. Two threads read the cache, three handlers follow it: a quick
one, a slow one, and one that raises now and then. After each fault everything must come to rest: **lost** counts the
objects about which the cache or a handler is wrong then, deletions that were missed included; **duplicated** the calls
that told a handler nothing new or what cannot be, and reads of the cache that contradict each other. Half of the runs
read lists in pages, half as the beginning of a watch.

All deadlines are 1/50 of the real ones, and all durations of faults. **requests/s** are of the client's own time, so
as many as there would be with the real deadlines; **at most** is the worst second. An event's age, a watch's end and
the first list are part of it. **Lists** are those after the first, by the reason that the informer counts.

{table(scaled)}

## With the real deadlines

Each fault of which a client hears nothing, once.

{table(real)}

{outage.section(returns)}## The test of the test

With a bug built in, which resumes a watch 25 versions too late, objects are lost: {lost}.
"""
