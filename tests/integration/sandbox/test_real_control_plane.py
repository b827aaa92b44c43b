"""The main job on kube-apiserver and etcd: with the real controllers, with ours, and without programs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from btcctl.bitcoin.types import BITCOIN_NETWORKS
from btcctl.clock import SYSTEM_CLOCK
from btcctl.objects import ObjectKey
from btcctl.resources import CONTROLLER_REVISIONS, EVENTS, NODES, PODS, SERVICES, STATEFUL_SETS
from btcctl.sandbox.session import KEY, REAL, SandboxOptions, Session
from btcctl.testing.control_plane import find_binaries
from tests.integration.kubectl import Kubectl
from tests.integration.programs import BITCOIND
from tests.integration.sandbox.test_command import Sandbox
from tests.integration.sandbox.test_story import CountedRpc
from tests.integration.support import eventually

OPTIONS = SandboxOptions(nodes=3, simulated=True, control_plane=REAL)
HELD_BACK_SECONDS = 12.0  # a status has new heights every 10 s at most
LOOKED_AT = (BITCOIN_NETWORKS, STATEFUL_SETS, SERVICES, PODS, CONTROLLER_REVISIONS, EVENTS)


@pytest.fixture
def without_controller_manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the programs come from setup-envtest."""
    binaries = find_binaries()
    for program in (binaries.etcd, binaries.api_server):
        (tmp_path / program.name).symlink_to(program)
        monkeypatch.setenv("TEST_ASSET_" + program.name.upper().replace("-", "_"), str(tmp_path / program.name))
    monkeypatch.delenv("TEST_ASSET_KUBE_CONTROLLER_MANAGER", raising=False)


@pytest.fixture
def parts() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.real_server
def test_the_story_comes_true_with_the_real_controllers(parts: ExitStack) -> None:
    lines: list[str] = []
    parts.enter_context(Session(OPTIONS, say=lines.append)).check()
    assert "kube-controller-manager's controllers" in lines[0]


@pytest.mark.real_server
@pytest.mark.usefixtures("without_controller_manager")
def test_the_story_comes_true_with_our_controllers(parts: ExitStack) -> None:
    lines: list[str] = []
    parts.enter_context(Session(OPTIONS, say=lines.append)).check()
    assert "controllers of our own" in lines[0]


@pytest.mark.real_server
@pytest.mark.real_bitcoind
def test_the_story_comes_true_with_bitcoin_core(parts: ExitStack) -> None:
    assert BITCOIND
    lines: list[str] = []
    options = replace(OPTIONS, simulated=False, bitcoind=Path(BITCOIND))
    parts.enter_context(Session(options, say=lines.append)).check()
    assert any("Bitcoin Core" in line for line in lines)


@pytest.mark.real_server
def test_a_settled_network_is_looked_at_and_nothing_changes(parts: ExitStack) -> None:
    rpc = CountedRpc()
    parts.callback(rpc.close)
    session = parts.enter_context(Session(OPTIONS, say=lambda _: None, rpc_for=rpc))
    session.show_progress()
    client = session.cluster.client()

    def versions() -> dict[str, str]:
        found = [each for type_ in LOOKED_AT for each in client.resource(type_, KEY.namespace).list()[0]]
        return {f"{each.uid} {each.name}": each.resource_version for each in found}

    last: list[tuple[float, dict[str, str]]] = []

    def is_quiet() -> bool:
        found = versions()
        if not last or last[-1][1] != found:
            last.append((SYSTEM_CLOCK.now(), found))
        return SYSTEM_CLOCK.now() - last[-1][0] > HELD_BACK_SECONDS

    eventually(is_quiet, 90)
    calls, before = Counter(rpc.calls), versions()
    eventually(lambda: rpc.calls["batch"] >= calls["batch"] + 6)  # two more looks at three nodes
    assert (rpc.calls - calls).keys() == {"batch"}
    assert versions() == before
    node = client.resource(NODES).get(ObjectKey("", "sandbox")).body()
    assert "taints" not in node["spec"]


@pytest.mark.real_server
@pytest.mark.kubectl
def test_kubectl_works_with_its_kubeconfig_and_a_signal_leaves_nothing(tmp_path: Path, kubectl: Kubectl) -> None:
    sandbox = Sandbox(tmp_path, "--control-plane=real")
    try:
        sandbox.wait_until_up()
        kubectl.kubeconfig.write_text(sandbox.kubeconfig.read_text())
        kubectl("scale", "bitcoinnetwork", "my-network", "--replicas=4")
        eventually(lambda: [row[1] for row in kubectl.rows("pods")] == ["1/1"] * 4, 60)
        kubectl("wait", "--for=condition=Ready", "bitcoinnetwork/my-network", "--timeout=90s")
        assert "Scheduled" in kubectl("describe", "pod", "my-network-sts-3")
        assert sandbox.end(signal.SIGTERM)[0] == 0
        assert sandbox.left_over() == []
    finally:
        sandbox.process.kill()
        sandbox.process.wait()


def test_programs_that_are_nowhere_are_asked_for_in_one_line(tmp_path: Path) -> None:
    environ = {each: os.environ[each] for each in os.environ if not each.startswith(("TEST_ASSET", "KUBEBUILDER"))}
    environ |= {"TEST_ASSET_KUBE_APISERVER": str(tmp_path / "missing"), "BTCCTL_CONTROL_PLANE": "real"}
    done = subprocess.run(
        [sys.executable, "-m", "btcctl", "sandbox"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert f"no kube-apiserver: not in {tmp_path}" in done.stderr
    assert "make controlplane" in done.stderr
    assert done.stderr.count("\n") == 1
