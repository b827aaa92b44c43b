from __future__ import annotations

from pathlib import Path

import pytest

from btcctl.sandbox.kubelet.pods.programs import located


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    program = tmp_path / "bitcoin-cli"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    return {"PATH": f"{tmp_path}:/bin"}


def test_a_program_of_the_image_is_the_pod_s_of_that_name(env: dict[str, str], tmp_path: Path) -> None:
    assert located(["/usr/local/bin/bitcoin-cli", "-regtest"], env) == [str(tmp_path / "bitcoin-cli"), "-regtest"]


@pytest.mark.parametrize("command", [[], [""], ["bitcoin-cli"], ["/bin/bitcoin-cli"], ["/usr/local/bin/other", "x"]])
def test_every_other_command_stays_as_it_is(env: dict[str, str], command: list[str]) -> None:
    assert located(command, env) == command
