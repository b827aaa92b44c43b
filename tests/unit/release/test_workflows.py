"""The workflow files run what there is."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
VERBS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def steps(path: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_verb_and_script_is_there(path: Path) -> None:
    text = "\n".join(step.get("run", "") for step in steps(path))
    assert set(re.findall(r"&& make ([a-z-]+)", text)) <= VERBS
    assert all((ROOT / script).exists() for script in re.findall(r"bash (\S+)", text))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_job_has_a_limit_and_no_more_rights_than_it_needs(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())
    assert set(workflow["permissions"]) == {"contents"}


def test_who_downloads_a_release_can_check_it(tmp_path: Path) -> None:
    (run,) = [step["run"] for step in steps(ROOT / ".github/workflows/release.yml") if step.get("name") == "publish"]
    sums = tmp_path / "dist/SHA256SUMS"
    sums.parent.mkdir()
    sums.write_text("00  btcctl.tar\n11  chart/btcctl-0.2.0.tgz\n")
    (tmp_path / "gh").write_text("#!/bin/sh\n")
    (tmp_path / "gh").chmod(0o755)
    environ = {"PATH": f"{tmp_path}:{os.defpath}", "TAG": "v1"}
    subprocess.run(["sh", "-ec", run], cwd=tmp_path, env=environ, check=True, timeout=60)
    assert sums.read_text() == "00  btcctl.tar\n11  btcctl-0.2.0.tgz\n"
