"""The pytest plugin, as docs/control-plane.md shows it to a project that is not ours."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from btcctl.testing.control_plane.ports import free_ports

DOCS = Path(__file__).parents[3] / "docs" / "control-plane.md"


@pytest.mark.real_server
def test_the_example_of_the_docs_passes(tmp_path: Path):
    blocks = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    conftest, test = blocks[:2]
    assert "pytest_plugins" in conftest
    (tmp_path / "conftest.py").write_text(conftest)
    (tmp_path / "test_alice.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=250, check=False)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_a_kind_may_be_called_as_tests_are(tmp_path: Path):
    (tmp_path / "test_runs.py").write_text(
        "import msgspec\nfrom btcctl import CustomResource\nclass TestRunSpec(msgspec.Struct):\n    script: str\n"
        'class TestRun(CustomResource[TestRunSpec, None], group="x.org", version="v1", plural="testruns"):\n    pass\n'
        'def test_it():\n    assert TestRun.named("a", TestRunSpec("b")).spec.script == "b"\n'
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_no_two_free_ports_are_the_same_and_none_is_ephemeral():
    found = free_ports(20)
    assert len(set(found)) == 20
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(found) < lowest
