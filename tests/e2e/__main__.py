"""`make e2e`: the scenes of tests/cluster on a node of our own, installed by manifests, and beside it tests/e2e.

Those tests have nodes of their own, and the operator by its chart. Most of it all is waiting, so they run meanwhile.
With arguments for pytest (`make e2e ARGS="-k walkthrough"`) only the scenes run that these choose, one at a time.
Where a node cannot be started it says why, in one line, and ends well; with "node" in BTCCTL_TEST_REQUIRES it fails.
E2E_DUMP names the folder for what a failure leaves.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from btcctl.clock import SYSTEM_CLOCK
from btcctl.errors import BtcctlError
from btcctl.testing.control_plane import ControlPlaneOptions
from btcctl.testing.node import Node, NodeOptions, why_no_node
from tests.e2e.installing import DUMP, ROOT, about_cluster, install_manifests, kubectl_for
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


def main(chosen: Sequence[str]) -> int:
    missing = why_no_node() or ("" if KUBECTL and HELM else "no kubectl or helm: `make controlplane` builds them")
    if missing:
        say(f"make e2e: {missing}; left out")
        return 1 if "node" in required() else 0
    try:
        return _run(build(), DUMP, chosen)
    except (Failure, BtcctlError) as failure:
        sys.stderr.write(f"make e2e: {failure}\n")
        return 1


def _run(images: Images, dump: Path, chosen: Sequence[str]) -> int:
    started = SYSTEM_CLOCK.now()
    plane = ControlPlaneOptions(controllers=("*",), controller_manager_flags=_MANAGER)
    options = NodeOptions(images=[images.controller, images.node], kubelet=_LEASE, control_plane=plane)
    with nullcontext() if chosen else _other_nodes() as others, Node(options) as node:
        say(f"the node is Ready after {SYSTEM_CLOCK.now() - started:.0f} s; its files: {node.control_plane.directory}")
        code = _scenes(node, chosen)
        if code:
            node.dump(dump)
            say(f"make e2e: what the cluster looked like at the end: {dump}")
        code = max(code, others.wait() if others else 0)
    say(f"make e2e: {SYSTEM_CLOCK.now() - started:.0f} s")
    return code


def _scenes(node: Node, chosen: Sequence[str]) -> int:
    install_manifests(kubectl_for(node))
    if chosen:
        node.limit_addresses(*FEW)
        return _pytest(node, "tests/cluster", *chosen, few=True)
    many = _pytest(node, "tests/cluster", "-m", "not alone", "-n", str(_AT_ONCE), "--dist", "worksteal")
    node.limit_addresses(*FEW)
    return many or _pytest(node, "tests/cluster", "-m", "alone", few=True)


@contextmanager
def _other_nodes() -> Iterator[subprocess.Popen[bytes]]:
    """What they say comes at the end, in one piece."""
    command = [sys.executable, "-m", "pytest", *_PYTEST, "tests/e2e"]
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(command, cwd=ROOT, env={**os.environ, "BTCCTL_TEST_E2E": "true"}, stdout=said) as process:
            try:
                yield process
            finally:
                process.terminate()
        said.seek(0)
        sys.stdout.write(said.read().decode())


def _pytest(node: Node, *arguments: str, few: bool = False) -> int:
    about = {**about_cluster(node), "BTCCTL_TEST_FEW_ADDRESSES": "true" if few else ""}
    command = [sys.executable, "-m", "pytest", *_PYTEST, *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **about}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
