"""The table of `docs/conformance.md`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.integration.conformance.comparison import Outcome

PAGE = Path(__file__).parents[3] / "docs" / "conformance.md"
_VERDICTS = ("agree", "differ", "unsupported")

_HEAD = """\
# The embedded server beside a real one

Each case sends the same requests to a real kube-apiserver (with etcd and, for garbage collection,
kube-controller-manager) and to btcctl's embedded server, and compares the answers: status, the
headers that matter, bodies, watch events and how watches end. Not compared: uids (but which are
equal to which), times of today (but their precision), resourceVersion values, and the order of
causes, which is random on the real server. `make test-real` runs it; this page is written by
`python -m tests.integration.conformance`.

"""


def table(outcomes: Sequence[Outcome]) -> str:
    """Cases, errors among them, and verdicts by family, as Markdown."""
    rows = [["family", "cases", "of errors", *_VERDICTS], ["---", *["---:"] * 5]]
    for family in [*sorted({each.case.family for each in outcomes}), ""]:
        chosen = [each for each in outcomes if not family or each.case.family == family]
        counts = [sum(each.verdict == verdict for each in chosen) for verdict in _VERDICTS]
        errors = sum(each.case.is_error for each in chosen)
        rows.append([family or "**all**", *(str(count) for count in (len(chosen), errors, *counts))])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def page(outcomes: Sequence[Outcome]) -> str:
    """The whole of `docs/conformance.md`."""
    sections = [_HEAD, table(outcomes)]
    for verdict, heading in (("differ", "Differ"), ("unsupported", "Unsupported")):
        found = [each for each in outcomes if each.verdict == verdict]
        if found:
            lines = [f"- {each.case.id}" + (f": {each.why}" if verdict != "differ" else "") for each in found]
            sections.append(f"\n## {heading}\n\n" + "\n".join(lines) + "\n")
    return "".join(sections)
