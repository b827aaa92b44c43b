"""What wheel and source archive are built with, once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.integration.controlplane.build import Failure
from tests.release import python_packages
from tests.release.python_packages import builder


class Commands:
    """Stands for the processes; pip fails the first time."""

    def __init__(self) -> None:
        self.run: list[str] = []

    def __call__(self, command: list[str], what: str, **_: Any) -> None:
        self.run.append(what)
        if "venv" in what:
            folder = Path(command[-1]) / "bin"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "python").touch()
        elif self.run.count(what) == 1:
            raise Failure("no network")


def test_an_environment_that_was_left_half_made_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = Commands()
    monkeypatch.setattr(python_packages, "run", commands)
    with pytest.raises(Failure):
        builder({"XDG_CACHE_HOME": str(tmp_path)})
    python = builder({"XDG_CACHE_HOME": str(tmp_path)})
    assert python.exists()
    assert commands.run == ["cannot make a venv", "pip"] * 2
    assert builder({"XDG_CACHE_HOME": str(tmp_path)}) == python
    assert len(commands.run) == 4
