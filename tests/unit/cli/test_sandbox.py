"""What the command `btcctl sandbox` makes of Ctrl-C, without a sandbox."""

from __future__ import annotations

import signal
from types import TracebackType
from typing import Self

import pytest

from btcctl.cli.main import main
from btcctl.sandbox import session


class Breaking:
    """A session whose start is interrupted while C code loads something."""

    is_interrupted = True

    def __init__(self, *args: object, **options: object) -> None:
        pass

    def __enter__(self) -> Self:
        try:
            if self.is_interrupted:
                signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            pass
        raise ImportError('PyCapsule_Import could not import module "_socket"')

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        raise AssertionError("it has not begun")


def test_what_loading_makes_of_ctrl_c_is_an_interrupt(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(session, "Session", Breaking)
    assert main(["sandbox", "--simulated"]) == 130
    assert capsys.readouterr() == ("\nInterrupted, and cleared away.\n", "")


def test_what_cannot_be_loaded_is_said(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(session, "Session", Breaking)
    monkeypatch.setattr(Breaking, "is_interrupted", False)
    assert main(["sandbox", "--simulated"]) == 1
    assert "unexpected ImportError: PyCapsule_Import" in capsys.readouterr().err
