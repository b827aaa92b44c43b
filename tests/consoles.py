"""Pages of the docs that a person types along: their console blocks, and a bash that runs them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.integration.programs import find_program

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
#: Of nodes and of places: what a block may be for alone.
KINDS = frozenset({"simulated", "real", "sandbox", "cluster"})
MARK = "exit status of the command before:"


class Step(NamedTuple):
    """A command, and lines that its output has, in this order; `…` stands for anything."""

    command: str
    expected: list[str]


def steps_of(page: str, *kinds: str) -> Iterator[Step]:
    """Those of a page for nodes and a place of these kinds."""
    for kind, block in re.findall(r"```console(?: (\w+))?\n(.*?)```", (DOCS / page).read_text(), re.DOTALL):
        assert not kind or kind in KINDS, f"{page}: a block for {kind}, which no test is"
        if kind and kind not in kinds:
            continue
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

    def type_along(self, steps: Iterable[Step]) -> None:
        """Run every command.

        Raises:
            AssertionError: One failed, or did not answer as the page shows.
        """
        for step in steps:
            status, output = self.run(step.command)
            shown = f"$ {step.command}\n{output}"
            assert status == 0, shown
            assert is_shown(step.expected, output), f"{shown}\n--- the page shows:\n" + "\n".join(step.expected)

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
    """In the project's folder, as the pages have it, with a home of its own."""
    kubectl = find_program("kubectl")
    assert kubectl is not None
    path = ":".join(map(str, [Path(sys.executable).parent, Path(kubectl).parent, "/usr/local/bin", "/usr/bin", "/bin"]))
    env = {"PATH": path, "KUBECONFIG": str(kubeconfig), "HOME": str(kubeconfig.parent), "LANG": "C.UTF-8"}
    env |= {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}  # the sources under test
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(["bash", "--norc"], text=True, env=env, cwd=ROOT, **pipes) as process:
        try:
            yield Shell(process)
        finally:
            process.kill()
