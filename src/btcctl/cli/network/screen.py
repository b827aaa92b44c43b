"""What people see: tables, colours on a terminal, progress. Drawn by rich, which is loaded when it is needed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from btcctl.bitcoin.wording import printable
from btcctl.cli.network.parts import Page
from btcctl.clock import SYSTEM_CLOCK, sleep

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_LEAST_FOLDED = 20  # characters of a line
_RESIZE_SECONDS = 0.2  # until a terminal that was made smaller or larger is looked at again
_UNLIMITED = 10_000  # columns of what is no terminal: nothing is wrapped or cut that a program reads


def console(*, stderr: bool = False) -> Console:
    """The terminal, or what our output goes to instead; without colours then, and if NO_COLOR is set."""
    from rich.console import Console  # noqa: PLC0415  late: other commands have no use for it

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _UNLIMITED
    return Console(stderr=stderr, width=width, highlight=False, soft_wrap=False, markup=False, emoji=False)


def table(
    header: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    folded: str = "",
    spare: Sequence[str] = (),
    room: int | None = None,
) -> Table:
    """Columns as kubectl prints them. A cell is text, of whomever, or a Text of rich's.

    Nothing is cut where a terminal is narrow: the columns move together, one is folded, some are left out.

    Args:
        folded: The column that takes several lines where it has to; the last one without.
        spare: Those that can be done without, the first to go first.
        room: How many columns the terminal has; looked up without.
    """
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    cells = [[Text(plain(each)) if isinstance(each, str) else each for each in row] for row in rows]
    widths = {name: max(map(_width, (name, *(row[at] for row in cells)))) for at, name in enumerate(header)}
    folded = folded or header[-1]
    gap, names = fitting(widths, folded, spare, console().width if room is None else room)
    drawn = Table(box=None, show_edge=False, pad_edge=False, padding=(0, gap, 0, 0), header_style="bold")
    for name in names:
        is_folded = name == folded
        drawn.add_column(name, no_wrap=not is_folded, overflow="fold", min_width=None if is_folded else widths[name])
    kept = [at for at, name in enumerate(header) if name in names]
    for row in cells:
        drawn.add_row(*(row[at] for at in kept))
    return drawn


def fitting(widths: Mapping[str, int], folded: str, spare: Sequence[str], room: int) -> tuple[int, list[str]]:
    """How far apart columns stand, and which there is room for. Pure."""
    left = list(spare)
    while True:
        names = [name for name in widths if name not in spare or name in left]
        solid = sum(widths[name] for name in names if name != folded)
        for gap, least in ((3, widths[folded]), (2, _LEAST_FOLDED), (1, _LEAST_FOLDED)):
            if solid + gap * (len(names) - 1) + min(least, widths[folded]) <= room:
                return gap, names
        if not left:
            return 1, names
        del left[0]


def _width(cell: Any) -> int:
    from rich.cells import cell_len  # noqa: PLC0415  late, as above

    return cell_len(cell if isinstance(cell, str) else cell.plain)


def plain(text: str) -> str:
    """On one line, and without what a terminal would take for orders: others may have written it."""
    return printable(" ".join(text.expandtabs(1).splitlines()))


def good(text: str, *, is_good: bool) -> Any:
    """Green or red, on a terminal."""
    from rich.text import Text  # noqa: PLC0415

    return Text(plain(text), style="green" if is_good else "red")


def can_move() -> bool:
    """Whether there is a terminal on which a page can take the place of another."""
    return sys.stdout.isatty() and not console().is_dumb_terminal


def draw_again_and_again(page: Callable[[], Page], interval: float) -> NoReturn:
    """Fill the terminal, which may change its size, until an exception ends it: then the last page is left, whole.

    Args:
        page: What there is to see now.
        interval: From one of them to the next, seconds.
    """
    from rich.live import Live  # noqa: PLC0415  late, as above

    paper, shown = console(), None
    try:
        with Live(console=paper, screen=True, auto_refresh=False) as live:
            while True:
                shown, due = page(), SYSTEM_CLOCK.now() + interval
                while True:
                    size = paper.size
                    live.update(shown.fitted(size.height, partial(_lines, paper)), refresh=True)
                    if not _changes(paper, size, due):
                        break
    finally:
        if shown is not None:
            paper.print(shown.whole())


def _changes(paper: Console, size: object, due: float) -> bool:
    """Whether the terminal gets another size before the next page is due."""
    while (left := due - SYSTEM_CLOCK.now()) > 0:
        sleep(min(left, _RESIZE_SECONDS))
        if paper.size != size:
            return True
    return False


def _lines(paper: Console, what: Any) -> int:
    return len(paper.render_lines(what, pad=False))


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[int, str], None]]:
    """A bar on the terminal's error output, nothing elsewhere. Yields what is told how far it is, and a word on it."""
    if not sys.stderr.isatty():
        yield lambda done, word: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[word]}"), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total, word="")
        yield lambda done, word: bar.update(task, completed=done, word=word)
