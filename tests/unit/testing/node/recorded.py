"""Stands in for a control plane's servers: starts nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class RecordedServers:
    """Every program ends at once.

    Args:
        exit_code: Of each.
    """

    def __init__(self, exit_code: int) -> None:
        self._exit_code = exit_code
        self.script = ""

    def program(self, _name: str, argv: Sequence[str]) -> Any:
        self.script = argv[-1]
        return self

    def start(self) -> None:
        pass

    def wait(self, _timeout: float) -> int:
        return self._exit_code

    def log_tail(self) -> str:
        return "no"
