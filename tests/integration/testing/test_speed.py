"""How long the tests of an author's operator take: seconds of processor time, of the whole process."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from btcctl.cli.main import main

TESTS = """

@pytest.mark.parametrize("number", range(50))
def test_one_of_fifty(env: OperatorEnv, number: int) -> None:
    env.create(example(copies=2))
    env.fail("patch", ConfigMap, ServiceUnavailable, retry_after=7)
    env.update(Database, "a", lambda body: body["spec"].update(text="bye"))
    env.advance(7.0)
    env.delete(ConfigMap, "a")
    assert env.get(ConfigMap, "a").data == {"text": "bye\\nbye"}
    env.assert_quiescent()
"""
LIMIT_SECONDS = 2.0
#: Whoever else uses the processors makes a run more expensive, so the cheapest of a few counts.
RUNS = 5
#: What an author has; plugins that are here for other tests are not counted.
COMMAND = (*(sys.executable, "-m", "pytest", "-q"), *("-p", "btcctl.testing.pytest_plugin", "-p", "no:cacheprovider"))


def seconds_of(project: Path, *options: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [*COMMAND, *options], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def best_of_runs(project: Path, *options: str) -> float:
    found = []
    while len(found) < RUNS and min(found, default=LIMIT_SECONDS) >= LIMIT_SECONDS:
        found.append(seconds_of(project, *options))
    return min(found)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("like", ["", "kopf", "sample-controller"])
def test_the_tests_of_a_new_project_take_less_than_two_seconds(tmp_path, monkeypatch, like):
    monkeypatch.chdir(tmp_path)
    assert (
        main(["init", "my-db", "--kind", "Database", "--group", "x.org", *(["--like", like] if like else [])], {}) == 0
    )
    assert best_of_runs(tmp_path / "my-db") < LIMIT_SECONDS


@pytest.mark.timeout(600)
def test_fifty_tests_of_a_whole_operator_take_less_than_two_seconds(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["init", "my-db", "--kind", "Database", "--group", "x.org"], {}) == 0
    file = tmp_path / "my-db" / "tests" / "test_operator.py"
    head, _, _ = file.read_text().partition("\n\ndef test_")
    (tmp_path / "my-db" / "tests" / "test_fifty.py").write_text(head + TESTS)
    assert best_of_runs(tmp_path / "my-db", "tests/test_fifty.py") < LIMIT_SECONDS
