"""What Ctrl-C does while a program is loaded."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from btcctl.interrupts import end_at_once


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_it_ends_the_process_by_itself_in_the_block_and_raises_after_it():
    with end_at_once():
        assert signal.getsignal(signal.SIGINT) == signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_it_raises_again_where_the_block_fails():
    with pytest.raises(ImportError), end_at_once():
        raise ImportError("no such module")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("own", [signal.SIG_IGN, lambda number, frame: None], ids=["ignored", "a handler"])
def test_who_ignores_it_or_handles_it_goes_on_to(own):
    signal.signal(signal.SIGINT, own)
    with end_at_once():
        assert signal.getsignal(signal.SIGINT) == own
    assert signal.getsignal(signal.SIGINT) == own
