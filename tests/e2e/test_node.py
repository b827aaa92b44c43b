"""Nodes of a test's own: what they leave, what else they can be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from btcctl.testing import Node, NodeOptions
from btcctl.testing.node.namespace_process import CGROUPS
from tests.cluster.network import Network, wait_for
from tests.e2e.installing import DUMP, ROOT, SYSTEM, about_cluster, helm_for, install_chart, kubectl_for
from tests.images.build import images

pytestmark = pytest.mark.timeout(1200)

SCRIPT = """\
import signal
from btcctl.testing import Node
with Node() as node:
    print(node.control_plane.directory, *node.shell, flush=True)
    signal.pause()
"""


def test_a_node_whose_test_was_killed_leaves_nothing(tmp_path: Path):
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout
        words = process.stdout.readline().split()
        first_process = Path("/proc") / words[words.index("-t") + 1]
        folders = [*tmp_path.iterdir()]
        cgroups = [each for folder in folders for each in CGROUPS.glob(f"*/{folder.name}")]
        assert first_process.exists()
        assert folders
        assert cgroups
        process.send_signal(signal.SIGKILL)
    wait_for(lambda: not any(each.exists() for each in (first_process, *folders, *cgroups)))


@pytest.fixture(scope="module")
def dual(request: pytest.FixtureRequest) -> Iterator[Node]:
    """IPv6 first, with the operator installed by its chart, which goes without a trace."""
    both = NodeOptions(images=[images().controller, images().node], ip_families=("IPv6", "IPv4"))
    with Node(both) as node:
        helm = helm_for(node)
        install_chart(helm)
        yield node
        if request.session.testsfailed:
            node.dump(DUMP / "dual-stack")
        helm("uninstall", "btcctl", "-n", SYSTEM, "--wait", "--timeout=280s")


@pytest.fixture
def net(dual: Node) -> Iterator[Network]:
    """With two nodes, Ready."""
    net = Network(kubectl_for(dual))
    net.create(2)
    net.wait_until_ready(2)
    yield net
    net.kubectl("delete", "bitcoinnetwork", "--all")


def test_a_network_lives_on_ipv6_in_a_dual_stack_cluster(net: Network):
    assert {":" in pod.ip for pod in net.pods().values()} == {True}
    net.mine(4)
    net.wait_for_height(4, 2)
    service = net.kubectl.json("get", "service", "net-svc")["spec"]
    assert service["ipFamilies"][0] == "IPv6"
    said = net.kubectl("-n", SYSTEM, "exec", "deployment/btcctl", "--", "btcctl", "doctor")
    assert "IPv6" in said


def test_the_story_of_a_network_is_told_by_the_chart_too(dual: Node):
    story = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/cluster/test_story.py"]
    done = subprocess.run(story, cwd=ROOT, env={**os.environ, **about_cluster(dual)}, check=False)
    assert done.returncode == 0


def test_the_controller_works_on_after_every_token_was_renewed(dual: Node, net: Network):
    before = {row[0] for row in net.kubectl.rows("pods", "-n", SYSTEM)}
    dual.control_plane.renew_token_key()
    dual.restart_kubelet()  # it would hand out tokens that it remembers for most of their hour
    net.scale(3)
    net.wait_until_ready(3)
    assert {row[0] for row in net.kubectl.rows("pods", "-n", SYSTEM)} == before
