"""Pages of the docs that a person types along: every command runs, and answers as shown."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from btcctl.sandbox.session import SandboxOptions, Session
from tests.integration.programs import find_program
from tests.integration.sandbox.nodes import real_bitcoind

DOCS = Path(__file__).parents[2] / "docs"
MARK = "exit status of the command before:"


class Step(NamedTuple):
    """A command, and lines that its output has, in this order; `…` stands for anything."""

    command: str
    expected: list[str]


def steps_of(page: Path, kind: str) -> Iterator[Step]:
    """Those of a page; a block may be for one kind of nodes alone."""
    for block in re.findall(rf"```console(?: {kind})?\n(.*?)```", page.read_text(), re.DOTALL):
        lines = block.splitlines()
        while lines:
            command = lines.pop(0).removeprefix("$ ")
            while not is_complete(command):
                command += f"\n{lines.pop(0)}"
            expected = []
            while lines and not lines[0].startswith("$ "):
                expected.append(lines.pop(0))
            yield Step(command, expected)


def is_complete(command: str) -> bool:
    return subprocess.run(["bash", "-n", "-c", command], capture_output=True, check=False).returncode == 0


def is_shown(expected: list[str], output: str) -> bool:
    pattern = "".join(rf"^{as_pattern(line)}$(?:.|\n)*" for line in expected)
    return re.search(pattern, "\n".join(line.rstrip() for line in output.splitlines()), re.MULTILINE) is not None


def as_pattern(line: str) -> str:
    """Blanks count, and how many does not."""
    words = [re.escape(word).replace("…", ".*") for word in line.split()]
    return r"\s*" + r"\s+".join(words).replace(r"\s+.*\s+", r"\s.*").replace(r"\s+.*", r"\s*.*")


class Shell:
    """One bash for all of a page."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, command: str) -> tuple[int, str]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{{ {command}\n}} </dev/null 2>&1; status=$?; echo; echo '{MARK}' $status\n")
        self._process.stdin.flush()
        output = ""
        for line in self._process.stdout:
            if line.startswith(MARK):
                return int(line.rpartition(" ")[2]), output.removesuffix("\n")
            output += line
        raise AssertionError(f"the shell has ended: {output}")


@contextmanager
def shell(kubeconfig: Path) -> Iterator[Shell]:
    kubectl = find_program("kubectl")
    assert kubectl is not None
    path = ":".join(map(str, [Path(sys.executable).parent, Path(kubectl).parent, "/usr/local/bin", "/usr/bin", "/bin"]))
    env = {"PATH": path, "KUBECONFIG": str(kubeconfig), "HOME": str(kubeconfig.parent), "LANG": "C.UTF-8"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(["bash", "--norc"], text=True, env=env, **pipes) as process:
        try:
            yield Shell(process)
        finally:
            process.kill()


@pytest.mark.kubectl
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("name", "nodes"), [("first-ten-minutes.md", 5), ("walkthrough.md", 3)])
@pytest.mark.parametrize("kind", ["simulated", pytest.param("real", marks=pytest.mark.real_bitcoind)])
def test_every_command_of_the_page_answers_as_shown(name: str, nodes: int, kind: str, tmp_path: Path) -> None:
    steps = list(steps_of(DOCS / name, kind))
    if any("| jq" in step.command for step in steps) and shutil.which("jq") is None:
        pytest.skip("no jq here")
    bitcoind = real_bitcoind() if kind == "real" else None
    kubeconfig = tmp_path / "kubeconfig"
    options = SandboxOptions(nodes=nodes, simulated=bitcoind is None, bitcoind=bitcoind, kubeconfig_out=kubeconfig)
    with Session(options, say=lambda _: None), shell(kubeconfig) as person:
        for step in steps:
            status, output = person.run(step.command)
            shown = f"$ {step.command}\n{output}"
            assert status == 0, shown
            assert is_shown(step.expected, output), f"{shown}\n--- the page shows:\n" + "\n".join(step.expected)


def test_a_page_that_shows_something_else_fails() -> None:
    output = "NAME         NODES\nnet          3\n"
    assert is_shown(["NAME … NODES", "net … 3"], output)
    assert not is_shown(["net … 3", "NAME … NODES"], output)
    assert not is_shown(["net … 4"], output)
