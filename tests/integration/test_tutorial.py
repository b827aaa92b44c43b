"""A fresh reader's way from the README by docs/tutorial.md to an operator of their own: all commands, in one shell."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.programs import KUBECTL

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"


def script() -> str:
    """The commands; one that is to fail ends with a comment that says so."""
    lines = []
    for block in re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL):
        for line in block.splitlines():
            command, fails, _ = line.removeprefix("$ ").partition("    # fails")
            lines.append(f"echo '+ {command.replace(chr(39), '')}'")
            lines.append(f"if {command}; then echo NOT REFUSED; exit 3; fi" if fails else command)
    return "\n".join(["set -e -m", *lines])


def test_the_readme_leads_to_the_tutorial_and_that_on_to_pages_that_are_there():
    readme = (PAGE.parents[1] / "README.md").read_text()
    assert "`btcctl init NAME` makes a project: [docs/tutorial.md](docs/tutorial.md)" in " ".join(readme.split())
    for name in re.findall(r"\]\(([\w/-]+\.md)\)", PAGE.read_text()):
        assert (PAGE.parent / name).is_file(), name


@pytest.mark.kubectl
@pytest.mark.timeout(1200)  # twenty programs start one after the other
def test_the_commands_of_the_tutorial_do_what_it_says(lasting_api_server: Any, tmp_path: Path):
    programs = tmp_path / "bin"
    programs.mkdir()
    assert KUBECTL
    (programs / "kubectl").symlink_to(KUBECTL)
    for name, arguments in (("python", ""), ("btcctl", "-m btcctl")):
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} {arguments} "$@"\n')
        (programs / name).chmod(0o755)
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text(yaml.safe_dump(lasting_api_server.access().kubeconfig))
    kubeconfig.chmod(0o600)
    environ = {
        **os.environ,
        "PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
    }
    environ |= {"KUBECONFIG": str(kubeconfig), "PYTEST_ADDOPTS": "-p btcctl.testing.pytest_plugin -p no:cacheprovider"}
    done = subprocess.run(
        ["bash", "-c", script()], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False, timeout=1100
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Greeting" in done.stdout or "greeting" in done.stdout
    assert "hello\nhello" in done.stdout
    assert "GOOD DAY\nGOOD DAY" in done.stdout
    assert done.stdout.count("8 passed") == 2
    assert "9 passed" in done.stdout
    assert "should be less than or equal to 5" in done.stderr
