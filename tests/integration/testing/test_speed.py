"""How long the tests of an author's operator take: processor time of the whole process, beside that of an empty run.

Whoever else uses the processors makes both dearer. So the two are taken in turns, and their ratio counts, the best of
a few.
"""

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
#: Two seconds where pytest with one test that does nothing takes 0.2, as on two Xeon cores with nothing else to do.
LIMIT = 10.0
RUNS = 5
#: What an author has; plugins that are here for other tests are not counted.
COMMAND = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
PLUGIN = ("-p", "btcctl.testing.pytest_plugin")


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
    """How many times as much as the empty run."""
    empty = project / "empty"
    empty.mkdir()
    (empty / "test_nothing.py").write_text("def test_nothing(): pass\n")
    found: list[float] = []
    while len(found) < RUNS and min(found, default=LIMIT) >= LIMIT:
        found.append(seconds_of(project, *options) / seconds_of(empty))
    return min(found)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("like", ["", "kopf", "sample-controller"])
def test_the_tests_of_a_new_project_take_less_than_two_seconds(tmp_path, monkeypatch, like):
    monkeypatch.chdir(tmp_path)
    assert (
        main(["init", "my-db", "--kind", "Database", "--group", "x.org", *(["--like", like] if like else [])], {}) == 0
    )
    assert best_of_runs(tmp_path / "my-db", *PLUGIN) < LIMIT


@pytest.mark.timeout(600)
def test_fifty_tests_of_a_whole_operator_take_less_than_two_seconds(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["init", "my-db", "--kind", "Database", "--group", "x.org"], {}) == 0
    file = tmp_path / "my-db" / "tests" / "test_operator.py"
    head, _, _ = file.read_text().partition("\n\ndef test_")
    (tmp_path / "my-db" / "tests" / "test_fifty.py").write_text(head + TESTS)
    assert best_of_runs(tmp_path / "my-db", *PLUGIN, "tests/test_fifty.py") < LIMIT
