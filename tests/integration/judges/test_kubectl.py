"""kubectl prints the same against a real API server and the embedded one."""

from __future__ import annotations

import difflib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.conformance.servers import Server
from tests.integration.judges.conftest import kubectl_at
from tests.integration.judges.scripts import SCRIPTS, Script
from tests.integration.judges.transcript import Transcript
from tests.integration.kubectl import Kubectl
from tests.integration.support import eventually

pytestmark = pytest.mark.real_server


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.__name__)
def test_kubectl_prints_the_same(script: Script, both: list[Server], kubectl_program: str, tmp_path: Path) -> None:
    def told(server: Server) -> list[str]:
        name = "judge-" + script.__name__.replace("_", "-")
        kubectl = kubectl_at(server, kubectl_program, tmp_path, name)
        kubectl("create", "namespace", name)
        kubectl("wait", "sa/default", "--for=create", "--timeout=30s")
        transcript = Transcript(kubectl, f"{name}.example.org")
        try:
            script(transcript)
        finally:
            forget_kinds(kubectl, transcript.group)
        return transcript.entries

    with ThreadPoolExecutor() as pool:
        real, embedded = pool.map(told, both)
    assert embedded == real, differences(real, embedded)


def forget_kinds(kubectl: Kubectl, group: str) -> None:
    """Delete the script's definition: the next one's kinds have the same names."""
    kubectl("delete", "crd", f"nets.{group}", "--ignore-not-found")
    eventually(lambda: kubectl.run("get", "--raw", f"/apis/{group}/v1").returncode != 0)
    eventually(lambda: group not in kubectl("get", "--raw", "/apis"))


def differences(real: list[str], embedded: list[str]) -> str:
    """The commands that differ, with what differs."""
    found: list[str] = []
    for wanted, had in zip(real, embedded, strict=False):
        if wanted != had:
            lines = difflib.unified_diff(wanted.splitlines(), had.splitlines(), "real", "embedded", lineterm="", n=2)
            found.append("\n".join([wanted.partition("\n")[0], *list(lines)[2:]]))
    if len(real) != len(embedded):
        found.append(f"{len(real)} and {len(embedded)} commands")
    return "\n" + "\n\n".join(found)
