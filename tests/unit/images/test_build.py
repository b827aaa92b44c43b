"""How images are kept and named; that they work is tested where they are built."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.images.build import Storage, chosen_bases, images


@pytest.mark.parametrize("base", ["PYTHON_IMAGE", "RUNTIME_IMAGE", "BASE_IMAGE"])
def test_what_is_built_on_another_base_is_another_image(base: str, tmp_path: Path) -> None:
    usual = images({}, tmp_path)
    assert images({base: "mine:1"}, tmp_path).folder != usual.folder
    assert images({base: ""}, tmp_path).folder == usual.folder


def test_what_podman_builds_is_saved_under_the_name_that_a_kubelet_makes_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tmp_path / "said"
    (tmp_path / "podman").write_text(f'#!/bin/sh\necho "$@" >>{said}\n')
    (tmp_path / "podman").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    Storage("podman", tmp_path).save("btcctl:1", tmp_path / "btcctl.tar")
    full = "docker.io/library/btcctl:1"
    lines = said.read_text().splitlines()
    assert lines[0].endswith(f"tag localhost/btcctl:1 {full}")
    assert lines[1].endswith(f"save -o {tmp_path}/btcctl.tar {full}")


MADE = {"build": "localhost/build", "runtime": "localhost/runtime", "node": "localhost/node"}


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        ({}, ("localhost/build", "localhost/runtime", "localhost/node")),
        ({"PYTHON_IMAGE": "python:1"}, ("python:1", "python:1", "localhost/node")),
        ({"PYTHON_IMAGE": "python:1", "RUNTIME_IMAGE": "slim:1"}, ("python:1", "slim:1", "localhost/node")),
        ({"BASE_IMAGE": "bitcoin:1"}, ("localhost/build", "localhost/runtime", "bitcoin:1")),
    ],
    ids=["none", "a Python", "a Python and what is shipped", "a bitcoind"],
)
def test_a_python_that_is_named_is_shipped_unless_another_is(given: dict[str, str], chosen: tuple[str, ...]) -> None:
    assert chosen_bases(given, MADE) == chosen
