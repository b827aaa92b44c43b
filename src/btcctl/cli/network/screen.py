"""What people see: tables, colours on a terminal, progress. Drawn by rich, which is loaded when it is needed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from btcctl.bitcoin.wording import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_UNLIMITED = 10_000  # columns of what is no terminal: nothing is wrapped or cut that a program reads


def console(*, stderr: bool = False) -> Console:
    """The terminal, or what our output goes to instead; without colours then, and if NO_COLOR is set."""
    from rich.console import Console  # noqa: PLC0415  late: other commands have no use for it

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _UNLIMITED
    return Console(stderr=stderr, width=width, highlight=False, soft_wrap=False, markup=False, emoji=False)


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """Columns as kubectl prints them. A cell is text, of whomever, or something of rich's."""
    from rich.table import Table  # noqa: PLC0415

    drawn = Table(box=None, show_edge=False, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for name in header:
        drawn.add_column(name, no_wrap=True)
    for row in rows:
        drawn.add_row(*(plain(each) if isinstance(each, str) else each for each in row))
    return drawn


def plain(text: str) -> str:
    """On one line, and without what a terminal would take for orders: others may have written it."""
    return printable(" ".join(text.expandtabs(1).splitlines()))


def good(text: str, *, is_good: bool) -> Any:
    """Green or red, on a terminal."""
    from rich.text import Text  # noqa: PLC0415

    return Text(plain(text), style="green" if is_good else "red")


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
