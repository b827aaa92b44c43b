"""Pages of the docs that a person types along: every command runs, and answers as shown."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from btcctl.sandbox.session import SandboxOptions, Session
from tests.consoles import is_shown, shell, steps_of
from tests.integration.sandbox.nodes import real_bitcoind


@pytest.mark.kubectl
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("name", "nodes"), [("first-ten-minutes.md", 5), ("walkthrough.md", 3)])
@pytest.mark.parametrize("kind", ["simulated", pytest.param("real", marks=pytest.mark.real_bitcoind)])
def test_every_command_of_the_page_answers_as_shown(name: str, nodes: int, kind: str, tmp_path: Path) -> None:
    steps = list(steps_of(name, kind, "sandbox"))
    if any("| jq" in step.command for step in steps) and shutil.which("jq") is None:
        pytest.skip("no jq here")
    bitcoind = real_bitcoind() if kind == "real" else None
    kubeconfig = tmp_path / "kubeconfig"
    options = SandboxOptions(nodes=nodes, simulated=bitcoind is None, bitcoind=bitcoind, kubeconfig_out=kubeconfig)
    with Session(options, say=lambda _: None), shell(kubeconfig) as person:
        person.type_along(steps)


def test_a_block_that_no_test_would_run_is_a_mistake(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ one\n```\n```console real\n$ two\n```\n```console rael\n$ three\n```\n")
    steps = steps_of(str(page), "simulated", "sandbox")
    assert next(steps).command == "one"
    with pytest.raises(AssertionError, match="for rael"):
        next(steps)


def test_a_page_that_shows_something_else_fails() -> None:
    output = "NAME         NODES\nnet          3\n"
    assert is_shown(["NAME … NODES", "net … 3"], output)
    assert not is_shown(["net … 3", "NAME … NODES"], output)
    assert not is_shown(["net … 4"], output)
