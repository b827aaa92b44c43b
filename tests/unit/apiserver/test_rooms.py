"""docs/apiserver.md leads a stranger to the line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from benchmarks.apiserver import trails

import btcctl.apiserver

SERVER = Path(btcctl.apiserver.__file__).parent
PAGE = (Path(__file__).parents[3] / "docs" / "apiserver.md").read_text()
PLACES = re.findall(r"^\| .* \| `(\S+\.py)` \| `(.+)` \|$", PAGE, re.MULTILINE)
ROOMS = re.findall(r"^\| `(\w+)/` \|", PAGE, re.MULTILINE)
PACKAGES = [SERVER, *(path for path in SERVER.rglob("*") if (path / "__init__.py").exists())]


@pytest.mark.parametrize(("file", "text"), PLACES)
def test_what_the_page_looks_for_is_there(file: str, text: str) -> None:
    assert text in (SERVER / file).read_text()


def test_the_page_has_ten_places_and_every_room() -> None:
    assert len(PLACES) == 10
    assert sorted(ROOMS) == sorted(path.parent.name for path in SERVER.glob("*/__init__.py"))


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_a_room_has_ten_modules_at_most(package: Path) -> None:
    modules = {path.name for path in package.glob("*.py")} - {"__init__.py"}
    assert len(modules) <= 10


def test_a_request_changes_rooms_two_hundred_times_at_most() -> None:
    found = dict(trails())
    assert set(found) == {"POST of a pod", "PUT of a ConfigMap", "GET of a ConfigMap"}
    assert all(0 < each.jumps <= 200 and each.moves <= 200 for each in found.values())
