"""From results to tables, in Markdown, and to the list of goals with what was reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.contestants import DYNAMIC, OURS, PYTHON_RIVALS, TYPED_LIST
from benchmarks.runner import Figures, Result

_PHASE = {
    "sync_cpu_s": "sync",
    "rss_mib": "sync",
    "peak_ratio": "sync",
    "event_us": "burst",
    "calls_per_event": "burst",
    "p50_ms": "paced",
    "p99_ms": "paced",
    "longest_ms": "paced",
}
_COLUMNS = {
    "sync_cpu_s": ("sync CPU s", 3),
    "rss_mib": ("RSS MiB", 1),
    "peak_ratio": ("peak/RSS", 2),
    "event_us": ("CPU µs/event", 1),
    "calls_per_event": ("calls/event", 3),
    "p50_ms": ("p50 ms", 2),
    "p99_ms": ("p99 ms", 2),
    "longest_ms": ("longest ms", 1),
}
_WITH_RATIO = ("sync_cpu_s", "rss_mib", "event_us")


def medians(results: Sequence[Result]) -> Figures:
    """Of each figure, over the rounds in which it counts."""
    names = dict.fromkeys(name for result in results for name in result.figures)
    counted = {
        name: [each.figures[name] for each in results if name in each.figures and _PHASE.get(name) not in each.void]
        for name in names
    }
    return {name: median(values) for name, values in counted.items() if values}


def comparison(rows: Mapping[str, Sequence[Result]], *, base: str = DYNAMIC) -> list[str]:
    """One line per contestant; in brackets the ratio to `base`."""
    by_name = {name: medians(results) for name, results in rows.items()}
    reference = by_name.get(base, {})
    lines = table(
        ["", *(title for title, _ in _COLUMNS.values())],
        ([name, *(_cell(column, figures, reference) for column in _COLUMNS)] for name, figures in by_name.items()),
    )
    reasons = {
        f"void: {name}, {phase}: {why}": None
        for name, results in rows.items()
        for each in results
        for phase, why in each.void.items()
    }
    return [*lines, *reasons]


def _cell(column: str, figures: Figures, reference: Figures) -> str:
    if column not in figures:
        return "–"
    text = f"{figures[column]:.{_COLUMNS[column][1]}f}"
    if column in _WITH_RATIO and reference.get(column):
        text += f" ({figures[column] / reference[column]:.3f})"
    return text


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


@dataclass(frozen=True)
class Goal:
    """A figure that is to be at most, or with `least` at least, so much."""

    what: str
    measured: float | None
    limit: float
    least: bool = False

    def line(self) -> list[str]:
        sign = "≥" if self.least else "≤"
        if self.measured is None:
            return [self.what, "–", f"{sign} {self.limit:g}", "not measured"]
        met = self.measured >= self.limit if self.least else self.measured <= self.limit
        return [self.what, f"{self.measured:.3g}", f"{sign} {self.limit:g}", "yes" if met else "**no**"]


Rows = Mapping[str, Sequence[Result]]


def goals(widgets: Rows, pods: Rows, imports: Mapping[str, Figures]) -> list[Goal]:
    """The goals of the project's issue tracker, for custom resources (100,000) and pods (10,000)."""
    cr, pod = ({name: medians(results) for name, results in rows.items()} for rows in (widgets, pods))
    importing = imports.get("import btcctl", {})
    return [
        Goal("CR: sync CPU / client-go dynamic", _ratio(cr, "sync_cpu_s"), 0.08),
        Goal("pods: sync CPU / client-go dynamic", _ratio(pod, "sync_cpu_s"), 0.07),
        Goal("pods: sync CPU / client-go typed JSON list", _ratio(pod, "sync_cpu_s", TYPED_LIST), 0.25),
        Goal("CR: RSS settled / client-go dynamic", _ratio(cr, "rss_mib"), 0.30),
        Goal("CR: peak / settled RSS", cr.get(OURS, {}).get("peak_ratio"), 1.15),
        Goal("pods: peak / settled RSS", pod.get(OURS, {}).get("peak_ratio"), 1.15),
        Goal("CR: CPU per event / client-go dynamic", _ratio(cr, "event_us"), 0.14),
        Goal("pods: CPU per event / client-go dynamic", _ratio(pod, "event_us"), 0.10),
        Goal("CR: latency p50 / client-go dynamic", _ratio(cr, "p50_ms"), 1.0),
        Goal("CR: latency p99 / client-go dynamic", _ratio(cr, "p99_ms"), 2.0),
        Goal("CR: longest pause, ms", cr.get(OURS, {}).get("longest_ms"), 50.0),
        Goal("CR: full garbage collection, ms", cr.get(OURS, {}).get("gc_ms"), 10.0),
        Goal("CR: lister get + full decode, µs", cr.get(OURS, {}).get("body_us"), 4.0),
        Goal("pods: lister get + full decode, µs", pod.get(OURS, {}).get("body_us"), 18.0),
        *_against_rivals("CR", cr, (6.0, 2.0, 2.0)),
        *_against_rivals("pods", pod, (8.0, 2.5, 2.5)),
        Goal("import btcctl: CPU s", importing.get("cpu_s"), 0.10),
        Goal("import btcctl: peak RSS, MiB", importing.get("peak_mib"), 34.0),
    ]


def _against_rivals(what: str, rows: Mapping[str, Figures], limits: tuple[float, float, float]) -> Iterable[Goal]:
    """Times less than the best Python rival in each figure."""
    for (figure, title), limit in zip(
        {"sync_cpu_s": "sync CPU", "event_us": "event CPU", "rss_mib": "RSS"}.items(), limits, strict=True
    ):
        best = min((rows[name][figure] for name in PYTHON_RIVALS if figure in rows.get(name, {})), default=None)
        ours = rows.get(OURS, {}).get(figure)
        yield Goal(
            f"{what}: best Python rival / ours, {title}", best / ours if best and ours else None, limit, least=True
        )


def _ratio(rows: Mapping[str, Figures], figure: str, base: str = DYNAMIC) -> float | None:
    ours, theirs = (rows.get(name, {}).get(figure) for name in (OURS, base))
    return ours / theirs if ours is not None and theirs else None
