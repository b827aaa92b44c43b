"""What a fault is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Fault:
    """One line that is wrong.

    Attributes:
        what: What goes wrong then.
        file: Below src/btcctl.
        old: Text that is there once; lines around the one that changes make it unique.
        new: What stands there instead.
        tests: Files or folders below tests/unit.
    """

    what: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    @property
    def path(self) -> Path:
        return ROOT / "src" / "btcctl" / self.file

    def applied_to(self, text: str) -> str:
        """The file with the fault in it.

        Raises:
            ValueError: The text to replace is not there exactly once.
        """
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file}: {self.old!r} is there {text.count(self.old)} times, not once")
        return text.replace(self.old, self.new)


def faults_in(file: str, tests: tuple[str, ...], *faults: tuple[str, str, str]) -> list[Fault]:
    """Faults of one file, caught by the same tests; each is what goes wrong, the old text and the new."""
    return [Fault(what, file, old, new, tests) for what, old, new in faults]
