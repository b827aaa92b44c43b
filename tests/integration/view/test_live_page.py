"""The sandbox's page, without a browser: a network is watched, parted, mined on, healed, hung and rotated."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import pytest

from btcctl.objects import ObjectKey
from btcctl.resources import SECRETS
from btcctl.rest.client import ApiClient
from btcctl.rest.loading import load_config
from btcctl.sandbox.session import CREDENTIALS, KEY, SECRET
from tests.integration.sandbox.nodes import real_bitcoind
from tests.integration.support import eventually
from tests.integration.view.pages import LIMIT_SECONDS, Page

State = dict[str, Any]
NODES = 3


class Sandbox:
    """A running `btcctl sandbox`; Ctrl-C ends it, and the page with it."""

    def __init__(self, home: Path, bitcoind: Path | None) -> None:
        self.kubeconfig = home / "kubeconfig"
        nodes = "--simulated" if bitcoind is None else f"--bitcoind={bitcoind}"
        command = [sys.executable, "-m", "btcctl", "sandbox", nodes, f"--kubeconfig-out={self.kubeconfig}"]
        self._output = home / "output"
        with self._output.open("w") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)

    def __enter__(self) -> Self:
        self.address = eventually(self._said_address, LIMIT_SECONDS)
        return self

    def __exit__(self, *raised: object) -> None:
        self._process.send_signal(signal.SIGINT)
        # 130 where it has not noticed yet that all is ready, which the page may see before.
        assert self._process.wait(LIMIT_SECONDS) in {0, 130}, self._output.read_text()

    def _said_address(self) -> str:
        found = re.search(r"live page +(\S+)", self._output.read_text())
        assert found, self._output.read_text()
        return found[1]


@pytest.fixture(scope="module", params=["simulated", pytest.param("real", marks=pytest.mark.real_bitcoind)])
def sandbox(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    bitcoind = real_bitcoind() if request.param == "real" else None
    with Sandbox(tmp_path_factory.mktemp("sandbox"), bitcoind) as sandbox:
        yield sandbox


@pytest.fixture
def page(sandbox: Sandbox) -> Iterator[Page]:
    with Page(sandbox.address, str(KEY)) as page:
        page.until(is_whole)
        yield page


def nodes(state: State) -> list[State]:
    return sorted((state["network"] or {"nodes": []})["nodes"], key=lambda each: int(each["ordinal"]))


def tips(state: State) -> list[tuple[int, list[int]]]:
    return [(tip["height"], tip["nodes"]) for tip in state["network"]["tree"]["tips"] if tip["nodes"]]


def is_whole(state: State) -> bool:
    """Every node answers, has the one tip, and is linked with every other."""
    found = nodes(state)
    return (
        len(found) == NODES
        and all(each["state"] == "synced" for each in found)
        and len(tips(state)) == 1
        and sum(link["greeted"] for link in state["network"]["links"]) == NODES * (NODES - 1)
    )


def done(page: Page, action: str, **order: Any) -> str:
    status, outcome = page.act(action, **order)
    assert (status, outcome["isDone"]) == (200, True), outcome
    return str(outcome["command"])


def test_a_page_sees_the_network_its_nodes_its_events_and_what_can_be_done(page: Page) -> None:
    state = page.until(lambda state: state if state["controller"]["isVisible"] else None)
    (summary,) = state["networks"]
    assert (summary["name"], summary["nodesWanted"]) == (KEY.name, NODES)
    assert {each["name"] for each in state["actions"]} >= {"mine", "partition", "hang", "rotate"}
    assert state["server"]["isSandbox"]
    page.until(lambda state: {"NodeJoined", "Scheduled"} <= {each["reason"] for each in state["network"]["events"]})
    assert all(each["version"] and each["restarts"] == 0 for each in nodes(state))
    assert state["controller"]["isLeading"]
    assert [each["name"] for each in state["controller"]["queues"]] == ["bitcoin-networks"]
    assert all(each["isSynced"] for each in state["controller"]["caches"])


def test_blocks_appear_as_they_are_mined(page: Page) -> None:
    before = tips(page.state)[0][0]
    command = done(page, "mine", count=2, node=0)
    assert command == f"btcctl mine {KEY.name} 2 --on 0 -n {KEY.namespace}"
    page.until(lambda state: tips(state) == [(before + 2, [0, 1, 2])])
    assert max(block["height"] for block in page.state["network"]["tree"]["blocks"]) == before + 2


def test_a_partition_has_two_tips_and_its_healing_one(page: Page) -> None:
    before = tips(page.state)[0][0]
    done(page, "partition", groups=[[0]])
    page.until(lambda state: [each["group"] for each in nodes(state)] == [0, 1, 1])
    page.until(lambda state: not any(0 in (link["from"], link["to"]) for link in state["network"]["links"]))
    done(page, "mine", count=2, node=0)
    done(page, "mine", count=1, node=1)
    page.until(lambda state: tips(state) == [(before + 2, [0]), (before + 1, [1, 2])])
    page.until(lambda state: [each["reason"] for each in nodes(state)] == ["", "OtherBranch", "OtherBranch"])
    done(page, "heal")
    page.until(is_whole)
    assert tips(page.state) == [(before + 2, [0, 1, 2])]
    stale = [tip for tip in page.state["network"]["tree"]["tips"] if not tip["nodes"]]
    assert [(tip["height"], tip["forkHeight"]) for tip in stale][:1] == [(before + 1, before)]


def test_a_node_that_hangs_is_unreachable_until_it_is_released(page: Page) -> None:
    assert done(page, "hang", node=2).startswith("kill -STOP ")
    page.until(lambda state: (nodes(state)[2]["state"], nodes(state)[2]["isHung"]) == ("unreachable", True))
    assert {each["state"] for each in nodes(page.state)[:2]} == {"synced"}
    done(page, "release", node=2)
    page.until(is_whole)
    assert not nodes(page.state)[2]["isHung"]


def test_a_change_is_seen_travelling_through_the_operator(page: Page) -> None:
    last = page.until(lambda state: state["controller"]["steps"])[-1]["number"]
    done(page, "partition", groups=[[0, 1, 2]])

    def of_the_change(state: State) -> list[State]:
        """The steps of the first change of the network, and of the reconcile that it led to."""
        new = [each for each in state["controller"]["steps"] if each["number"] > last]
        first = next((each for each in new if each["of"].startswith("bitcoinnetworks")), {"version": "none yet"})
        path = [each for each in new if each["version"] == first["version"]]
        ids = {each["reconcile"] for each in path if each["reconcile"]}
        return [*path, *(each for each in new if each["reconcile"] in ids and each not in path)]

    def stages(state: State) -> list[str]:
        return list(dict.fromkeys(each["stage"] for each in of_the_change(state)))

    page.until(lambda state: "done" in stages(state))
    assert stages(page.state) == ["reflector", "fifo", "cache", "handler", "queue", "reconcile", "done"]
    done(page, "heal")


def test_what_cannot_be_done_is_said_and_the_log_is_shown(page: Page) -> None:
    status, outcome = page.act("restart", node=17)
    assert (status, outcome["isDone"]) == (422, False)
    assert "there is: 0, 1, 2" in outcome["said"]
    lines = page.get(f"log?network={KEY}&node=0&lines=5")["lines"]
    assert 0 < len(lines) <= 5
    assert "no node 9" in page.get(f"log?network={KEY}&node=9&lines=5")["problem"]


def test_two_pages_see_the_same(page: Page, sandbox: Sandbox) -> None:
    expected = [(tips(page.state)[0][0] + 1, [0, 1, 2])]
    with Page(sandbox.address, str(KEY)) as other:
        done(page, "mine", count=1, node=1)
        for each in (page, other):  # both, or the next test begins in the middle
            each.until(lambda state: state["network"] and tips(state) == expected and is_whole(state))


def test_a_network_that_is_not_there_is_no_network(sandbox: Sandbox) -> None:
    with Page(sandbox.address, "default/nobody") as page:
        assert page.until(lambda state: state["networks"])
        assert page.state["network"] is None


def test_a_rotated_secret_is_taken_up_and_never_sent(page: Page, sandbox: Sandbox) -> None:
    key = ObjectKey(KEY.namespace, SECRET)
    command = done(page, "rotate")
    assert "NEW" in command
    page.until(lambda state: "CredentialsRotating" in {each["reason"] for each in state["network"]["events"]})
    page.until(lambda state: not is_whole(state))
    page.until(is_whole)
    with closing(ApiClient.from_config(load_config(sandbox.kubeconfig), field_manager="test")) as client:
        secret = client.resource(SECRETS).get(key).body()["data"]
    for node in range(NODES):
        page.get(f"log?network={KEY}&node={node}&lines=1000")
    known = [CREDENTIALS.user.encode(), CREDENTIALS.password.encode()] + [b64decode(each) for each in secret.values()]
    for each in known:  # as it is, and as a Secret has it
        assert each not in page.received
        assert b64encode(each) not in page.received
