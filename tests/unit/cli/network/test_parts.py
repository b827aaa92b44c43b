"""A page on a terminal of any size: what has no room is counted."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest

from btcctl.cli.network.parts import Page, Part


def part(what: str, count: int, **how: Any) -> Part:
    return Part(what, [f"{what} {number}" for number in range(count)], lambda rows: (f"{what}s:", *rows), **how)


PAGE = Page(
    "net: 15 of 15 nodes answer",
    [
        part("node", 15),
        part("link", 15, rank=4),
        part("tip", 1, rank=3),
        part("condition", 8, rank=1),
        part("event", 8, rank=2, keeps_last=True),
    ],
)


def shown(page: Page, room: int, width: int = 80) -> list[str]:
    """The lines on a terminal of that size."""
    from rich.console import Console  # noqa: PLC0415  late, as in `screen`

    paper = StringIO()
    console = Console(file=paper, width=width)
    console.print(page.fitted(room, lambda what: len(console.render_lines(what, pad=False))))
    return paper.getvalue().splitlines()


def test_a_page_that_fits_is_whole() -> None:
    lines = shown(PAGE, 58)
    assert len(lines) == 1 + 5 * 2 + 15 + 15 + 1 + 8 + 8
    assert not any("…" in line for line in lines)


@pytest.mark.parametrize("width", [15, 80])
@pytest.mark.parametrize("room", range(6, 60, 5))
def test_a_page_never_takes_more_lines_than_there_are(room: int, width: int) -> None:
    assert len(shown(PAGE, room, width)) <= room


def test_what_is_left_out_is_counted_part_by_part() -> None:
    lines = shown(PAGE, 40)
    seen = sum(line.startswith("node ") for line in lines)
    assert f"… {15 - seen} more nodes" in lines
    assert [line for line in lines if line.startswith("event ")][-1] == "event 7"
    assert any(line.endswith(" earlier events") for line in lines)
    assert "tip 0" in lines


def test_what_matters_most_has_the_room_that_is_left_over() -> None:
    nodes, links = (sum(line.startswith(name) for line in shown(PAGE, 50)) for name in ("node ", "link "))
    assert 15 >= nodes > links > 0


def test_parts_for_which_there_is_no_line_at_all_are_named_in_one() -> None:
    assert shown(PAGE, 3)[-1] == "… 15 nodes, 15 links, 1 tip, 8 conditions, 8 events"
    assert shown(PAGE, 1)[0] == PAGE.head


def test_one_more_is_no_plural() -> None:
    assert part("node", 5).shown(4)[-1] == "… 1 more node"
    assert part("event", 5, keeps_last=True).shown(4)[-1] == "… 1 earlier event"
