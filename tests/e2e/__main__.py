"""`make e2e`: the scenes of tests/cluster on a node of our own, installed by manifests and then by the chart.

Where a node cannot be started it says why, in one line, and ends well; with "node" in BTCCTL_TEST_REQUIRES it fails.
E2E_DUMP names the folder for what a failure leaves.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from btcctl.clock import SYSTEM_CLOCK
from btcctl.errors import BtcctlError
from btcctl.testing.control_plane import ControlPlaneOptions
from btcctl.testing.node import Node, NodeOptions, why_no_node
from tests.e2e.installing import ROOT, SYSTEM, helm_for, install_manifests, kubectl_for
from tests.images.build import Images, build
from tests.integration.controlplane.build import Failure, say
from tests.integration.programs import HELM, KUBECTL, required

#: Of which the scenes that disturb others get their pods' addresses, so that they soon come again.
FEW = ("10.244.0.200", "10.244.0.214")
#: A kubelet that stands still is noticed within 20 s, not 50; it shows itself every 2 s.
_LEASE = {"nodeLeaseDurationSeconds": 8}
_MANAGER = ("--node-monitor-grace-period=20s", "--node-monitor-period=1s")
_AT_ONCE = 3
_PYTEST = ("-q", "-p", "no:randomly", "-p", "no:cacheprovider", "--durations=40", "--durations-min=1")


def main() -> int:
    missing = why_no_node() or ("" if KUBECTL and HELM else "no kubectl or helm: `make controlplane` builds them")
    if missing:
        say(f"make e2e: {missing}; left out")
        return 1 if "node" in required() else 0
    try:
        return _run(build(), Path(os.environ.get("E2E_DUMP", ROOT / "build" / "e2e")))
    except (Failure, BtcctlError) as failure:
        sys.stderr.write(f"make e2e: {failure}\n")
        return 1


def _run(images: Images, dump: Path) -> int:
    started = SYSTEM_CLOCK.now()
    plane = ControlPlaneOptions(controllers=("*",), controller_manager_flags=_MANAGER)
    options = NodeOptions(images=[images.controller, images.node], kubelet=_LEASE, control_plane=plane)
    with Node(options) as node:
        say(f"the node is Ready after {SYSTEM_CLOCK.now() - started:.0f} s; its files: {node.control_plane.directory}")
        codes = [_scenes(node), _by_chart(node)]
        if any(codes):
            node.dump(dump)
            say(f"make e2e: what the cluster looked like at the end: {dump}")
    codes.append(_run_pytest({"BTCCTL_TEST_E2E": "true"}, "tests/e2e"))
    say(f"make e2e: {SYSTEM_CLOCK.now() - started:.0f} s")
    return max(codes)


def _scenes(node: Node) -> int:
    install_manifests(kubectl_for(node))
    many = _pytest(node, "tests/cluster", "-m", "not alone", "-n", str(_AT_ONCE), "--dist", "worksteal")
    node.limit_addresses(*FEW)
    return many or _pytest(node, "tests/cluster", "-m", "alone", few=True)


def _by_chart(node: Node) -> int:
    kubectl_for(node)("delete", "-f", str(ROOT / "manifests"), "--timeout=110s")
    helm = helm_for(node)
    helm("install", "btcctl", str(ROOT / "helm/btcctl"), "-n", SYSTEM, "--create-namespace", "--wait", "--timeout=3m")
    helm("test", "btcctl", "-n", SYSTEM, "--timeout=3m")
    code = _pytest(node, "tests/cluster/test_story.py")
    helm("uninstall", "btcctl", "-n", SYSTEM, "--wait", "--timeout=3m")
    return code


def _pytest(node: Node, *arguments: str, few: bool = False) -> int:
    about = {
        "BTCCTL_TEST_CLUSTER": str(node.control_plane.kubeconfig()),
        "BTCCTL_TEST_MACHINE": shlex.join(node.shell),
        "BTCCTL_TEST_FEW_ADDRESSES": "true" if few else "",
    }
    return _run_pytest(about, *arguments)


def _run_pytest(about: Mapping[str, str], *arguments: str) -> int:
    command = [sys.executable, "-m", "pytest", *_PYTEST, *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **about}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
