"""mypy --strict and pyright find each mistake in a program that is full of them, and none in one without."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import pages

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
FILES = [HERE / "right.py", HERE / "wrong.py"]


def run(*command: str, cwd: Path) -> str:
    return subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, cwd=cwd, check=False).stdout


def by_mypy(folder: Path) -> set[tuple[str, int]]:
    options = ("--strict", "--config-file=", "--warn-unreachable", f"--cache-dir={folder}", "--no-error-summary")
    found = run(
        "mypy", *options, "-m", "tests.integration.typed.right", "-m", "tests.integration.typed.wrong", cwd=ROOT
    )
    return {(Path(name).name, int(line)) for name, line in re.findall(r"^(\S+?):(\d+): error", found, re.MULTILINE)}


def by_pyright(_: Path) -> set[tuple[str, int]]:
    pytest.importorskip("pyright")
    files = [str(each) for each in FILES]
    found = json.loads(run("pyright", "--outputjson", "--pythonpath", sys.executable, *files, cwd=ROOT))
    assert found["summary"]["filesAnalyzed"] == 2
    wrong = [each for each in found["generalDiagnostics"] if each["severity"] == "error"]
    return {(Path(each["file"]).name, each["range"]["start"]["line"] + 1) for each in wrong}


@pytest.mark.parametrize("checker", [by_mypy, by_pyright])
def test_a_type_checker_finds_each_mistake_and_nothing_else(checker: Callable[[Path], set[tuple[str, int]]], tmp_path):
    lines = FILES[1].read_text().splitlines()
    mistakes = {("wrong.py", number) for number, line in enumerate(lines, start=1) if line.endswith("# wrong")}
    assert len(mistakes) == 13
    assert checker(tmp_path) == mistakes


def test_pyright_finds_nothing_in_the_examples():
    pytest.importorskip("pyright")
    found = json.loads(run("pyright", "--outputjson", "--pythonpath", sys.executable, "examples", cwd=ROOT))
    assert found["summary"]["filesAnalyzed"] >= 5
    assert [each["message"] for each in found["generalDiagnostics"] if each["severity"] == "error"] == []


def test_pyright_at_its_strictest_knows_the_type_of_all_that_the_pages_declare(tmp_path: Path):
    pytest.importorskip("pyright")
    for page in ("types.md", "testing.md", "from-kopf.md", "operator.md", "howto/several-clusters.md"):
        program = "\n".join(pages.blocks(page))
        (tmp_path / f"{Path(page).stem.replace('-', '_')}.py").write_text(f"# pyright: strict\n{program}")
    found = json.loads(run("pyright", "--outputjson", "--pythonpath", sys.executable, str(tmp_path), cwd=ROOT))
    assert found["summary"]["filesAnalyzed"] == 5
    said = [(Path(each["file"]).name, each["message"]) for each in found["generalDiagnostics"]]
    assert [each for each in said if "partially unknown" in each[1]] == []  # `field(default_factory=dict)` is
