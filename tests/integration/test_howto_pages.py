"""The blocks of each page in docs/howto are a program and its tests: they pass, and have types."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import pages
from tests.types_of import mypy

HOWTO = pages.DOCS / "howto"
#: Its blocks are parts of an example.
OF_AN_EXAMPLE = "external-resources"


@pytest.fixture
def programs(tmp_path: Path) -> list[Path]:
    """A file of tests for each page that has a program."""
    made = []
    for page in sorted(HOWTO.glob("*.md")):
        if (blocks := pages.blocks(f"howto/{page.name}")) and page.stem != OF_AN_EXAMPLE:
            made.append(tmp_path / f"test_{page.stem.replace('-', '_')}.py")
            made[-1].write_text("\n".join(blocks))
    return made


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True, timeout=580, check=False
    )


@pytest.mark.timeout(600)
def test_the_tests_of_each_page_pass(programs: list[Path], tmp_path: Path):
    done = run("pytest", "-q", "-p", "no:cacheprovider", "-p", "btcctl.testing.pytest_plugin", ".", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(programs) == 9
    for each in programs:
        assert "def test_" in each.read_text(), each.name


@pytest.mark.timeout(600)
def test_the_programs_have_types(programs: list[Path], tmp_path: Path):
    options = ["--strict", "--config-file=", "--allow-untyped-defs", "--allow-untyped-calls", "--allow-incomplete-defs"]
    done = mypy(tmp_path, *options, *[each.name for each in programs])
    assert done.returncode == 0, done.stdout


def test_what_the_page_of_external_resources_shows_stands_in_the_example():
    example = (pages.DOCS.parent / "examples" / "dns_records.py").read_text()
    for block in pages.blocks(f"howto/{OF_AN_EXAMPLE}.md"):
        assert block in example


def test_what_the_page_of_deployment_shows_is_what_init_makes():
    template = (pages.DOCS.parent / "src/btcctl/cli/author/scaffold/Dockerfile.txt").read_text()
    [shown] = re.findall(r"```text\n(FROM.*?)```", (HOWTO / "deploy.md").read_text(), re.DOTALL)
    assert template.replace("${package}", "greeter") == shown
