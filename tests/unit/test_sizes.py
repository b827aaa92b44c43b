"""What the README says of the size of each part."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "btcctl"
SAID = re.findall(r"^\| .+ \| (.*) \| ([\d,]+) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
ROOMS = [where.strip("`/") for where, _ in SAID if where.endswith("/`")]


def lines_of(folder: Path) -> int:
    return sum(len(path.read_text().splitlines()) for path in folder.rglob("*.py"))


@pytest.mark.parametrize(("where", "said"), SAID)
def test_the_readme_says_how_large_each_part_is(where: str, said: str) -> None:
    rooms = sum(lines_of(SOURCE / room) for room in ROOMS)
    found = lines_of(SOURCE / where.strip("`/")) if where.endswith("/`") else lines_of(SOURCE) - rooms
    assert found == pytest.approx(int(said.replace(",", "")), rel=0.03)


def test_all_parts_are_among_them() -> None:
    assert [*ROOMS] == ["bitcoin", "cli", "apiserver", "sandbox", "testing"]
    assert len(SAID) == len(ROOMS) + 1
