"""Ctrl-C while a program is loaded. Loads nothing itself."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def end_at_once() -> Iterator[None]:
    """SIGINT ends the process in this block, without a word, if it would raise KeyboardInterrupt otherwise.

    C code that imports makes an ImportError or a SystemError of a KeyboardInterrupt, which nobody can tell from a
    broken installation. For blocks in which nothing has begun that would have to be cleared away; main thread only.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:  # ignored, or a program's own
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
