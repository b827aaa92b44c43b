"""`btcctl run` with a Lease, on both servers: who works, who waits, who is refused, what a dry run says."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from btcctl.apiserver.network.kubeconfig import kubeconfig
from btcctl.bitcoin.crd import load_crd
from btcctl.bitcoin.memory import SHOW_SECONDS
from btcctl.bitcoin.types import BITCOIN_NETWORKS, decode_status
from btcctl.cli import run
from btcctl.cli.main import main
from btcctl.clock import SYSTEM_CLOCK, rfc3339_micro
from btcctl.controller.manager import Manager
from btcctl.errors import NotFound
from btcctl.leaderelection.lease_lock import LeaseLock
from btcctl.leaderelection.record import LeaseRecord
from btcctl.objects import Object, ObjectKey
from btcctl.resources import EVENTS, STATEFUL_SETS
from btcctl.rest.client import ApiClient
from btcctl.sandbox.demonstration.manifests import Applier
from btcctl.sandbox.session import network_manifest
from btcctl.testing.control_plane import ControlPlane
from tests.integration.api_servers import ADMIN, ApiServer
from tests.integration.support import eventually

FAST = ("--leader-elect-lease-duration=6s", "--leader-elect-renew-deadline=5s", "--leader-elect-retry-period=500ms")
LEADING = "leading"
CALL_SECONDS = 30.0
BUSY_SECONDS = 60.0  # a machine that is busy takes its time to start a process


class Scene:
    """A server that knows networks, a Lease in the test's namespace, and operators."""

    def __init__(self, server: ApiServer, config: Path) -> None:
        self.server = server
        self.config = config
        self.client: ApiClient = server.client()
        self.lock = LeaseLock(self.client, ObjectKey(server.namespace, "bitcoin-controller"))
        self.started: list[subprocess.Popen[str]] = []
        Applier(self.client).apply(load_crd())
        eventually(self._knows_networks)

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        command = self._command(*args)
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=self._env(), check=False)

    def start(self, *args: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            self._command(*args), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self._env()
        )
        self.started.append(process)
        return process

    def hold(self, holder: str, seconds_ago: float, duration: int = 15) -> None:
        """As somebody whose clock says that this was so long ago."""
        then = rfc3339_micro(SYSTEM_CLOCK.wall_time() - timedelta(seconds=seconds_ago))
        record = LeaseRecord(holder, duration, then, then)

        def is_written() -> bool:
            if self.lock.get(CALL_SECONDS) is None:
                self.lock.create(record, CALL_SECONDS)
            else:
                self.lock.update(record, CALL_SECONDS)
            return True

        eventually(is_written)  # a leader may renew it between our look and our write

    @property
    def holder(self) -> str:
        record = self.lock.get(CALL_SECONDS)
        return "" if record is None else record.holder

    def add_network(self) -> None:
        body = network_manifest(3)
        body["metadata"]["namespace"] = self.server.namespace
        del body["spec"]["secret"]
        self.client.resource(BITCOIN_NETWORKS, self.server.namespace).create(body)

    def has_stateful_set(self) -> bool:
        try:
            self.client.resource(STATEFUL_SETS).get(ObjectKey(self.server.namespace, "my-network-sts"))
        except NotFound:
            return False
        return True

    @property
    def network(self) -> Object:
        return self.client.resource(BITCOIN_NETWORKS).get(ObjectKey(self.server.namespace, "my-network"))

    @property
    def works(self) -> str:
        """The name of the Lease of the installation that looks after the network."""
        return decode_status(self.network).controller.removeprefix(f"{self.server.namespace}/")

    def event_reasons(self) -> set[str]:
        return {each.body()["reason"] for each in self.client.resource(EVENTS, self.server.namespace).list()[0]}

    def is_quiet(self) -> bool:
        """Whether nobody writes to the network for longer than news are held back."""
        version = self.network.resource_version
        threading.Event().wait(SHOW_SECONDS + 2.0)
        return self.network.resource_version == version

    def _knows_networks(self) -> bool:
        with suppress(NotFound):
            self.client.resource(BITCOIN_NETWORKS).list()
            return True
        return False

    def _command(self, *args: str) -> list[str]:
        if "--nowhere" in args:
            rest = [each for each in args if each != "--nowhere"]
            return [sys.executable, "-m", "btcctl", "run", "--kubeconfig", str(self.config), *rest]
        place = ("--namespace", self.server.namespace, "--leader-elect-resource-namespace", self.server.namespace)
        common = ("run", "--kubeconfig", str(self.config), "--log-format", "console")
        return [sys.executable, "-m", "btcctl", *common, *place, *args]

    @staticmethod
    def _env() -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "PYTHONPATH": os.environ.get("PYTHONPATH", "")}


def now() -> float:
    return SYSTEM_CLOCK.wall_time().timestamp()


@pytest.fixture
def scene(api_server: ApiServer, real_one: ControlPlane | None, tmp_path: Path) -> Iterator[Scene]:
    config = tmp_path / "kubeconfig"
    if real_one is None:
        config.write_text(yaml.safe_dump(kubeconfig(api_server.config().host, token=ADMIN)))
    else:
        config.write_bytes(real_one.kubeconfig().read_bytes())
    scene = Scene(api_server, config)
    yield scene
    for process in scene.started:
        process.kill()
        process.communicate()


def wait_for(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if text in line:
            return line
    raise AssertionError(f"ended with {process.wait()} before it said {text!r}: {said}")


def test_who_leads_works_and_gives_the_lease_back_when_asked_to_stop(scene: Scene) -> None:
    first = scene.start("--leader-elect", *FAST)
    wait_for(first, LEADING)
    scene.add_network()
    eventually(scene.has_stateful_set, BUSY_SECONDS)
    first.send_signal(signal.SIGTERM)
    assert first.wait(BUSY_SECONDS) == 0
    assert scene.holder == ""


def test_beside_a_cluster_somebody_at_work_is_named_and_not_disturbed(scene: Scene) -> None:
    for args in ((), ("--leader-elect",)):
        scene.hold("pod-7", seconds_ago=2.0, duration=600)
        done = scene.run(*args)
        assert done.returncode == 1
        assert re.search(r"pod-7 is at work on this cluster: it holds lease \S+, renewed \d+ s ago", done.stderr)
        assert "--take-over" in done.stderr
    assert scene.holder == "pod-7"


def test_a_lease_is_found_wherever_a_release_has_put_it(scene: Scene) -> None:
    scene.hold("pod-in-cluster", seconds_ago=1.0, duration=600)
    done = scene.run("--nowhere")  # not told where the Lease is
    assert done.returncode == 1
    assert f"pod-in-cluster is at work on this cluster: it holds lease {scene.lock.key}" in done.stderr
    assert "--take-over" in done.stderr


def test_taking_over_waits_until_the_others_time_is_over(scene: Scene) -> None:
    scene.hold("pod-7", seconds_ago=0.0, duration=6)
    process = scene.start("--take-over", *FAST)
    eventually(lambda: scene.holder not in {"", "pod-7"}, BUSY_SECONDS)
    taken_at = now()
    wait_for(process, LEADING)
    assert now() - taken_at > 3.0


def test_two_installations_see_each_other_and_say_so_and_the_one_that_came_last_works(scene: Scene) -> None:
    scene.add_network()
    first = scene.start("--leader-elect", "--leader-elect-resource-name=first", *FAST)
    eventually(lambda: scene.works == "first", BUSY_SECONDS)
    second = scene.start("--leader-elect", "--leader-elect-resource-name=second", *FAST)
    assert f"{scene.server.namespace}/second" in wait_for(first, "another installation looks after this network, too")
    assert f"{scene.server.namespace}/first" in wait_for(second, "taken over from another installation")
    eventually(lambda: scene.event_reasons() >= {"AnotherController", "TakenOver"}, BUSY_SECONDS)
    eventually(scene.is_quiet, BUSY_SECONDS)
    assert scene.works == "second"
    assert (first.poll(), second.poll()) == (None, None)


def test_a_holder_that_has_not_renewed_for_long_is_taken_for_dead_after_a_look(scene: Scene) -> None:
    scene.hold("pod-7", seconds_ago=3600.0, duration=3)
    wait_for(scene.start(), "making sure")
    scene.started[0].kill()


def test_a_holder_with_a_wrong_clock_that_does_renew_is_noticed(scene: Scene) -> None:
    scene.hold("pod-7", seconds_ago=3600.0, duration=30)
    process = scene.start()
    wait_for(process, "making sure")
    scene.hold("pod-7", seconds_ago=3598.0, duration=30)
    assert "pod-7 is at work" in wait_for(process, "is at work")
    assert process.wait(BUSY_SECONDS) == 1


def test_who_loses_the_lease_ends_with_a_status_that_is_not_zero(scene: Scene) -> None:
    process = scene.start("--leader-elect", *FAST)
    wait_for(process, LEADING)
    scene.hold("pod-7", seconds_ago=0.0)
    wait_for(process, "taken by pod-7")
    assert process.wait(BUSY_SECONDS) == 1
    assert scene.holder == "pod-7"


def test_whatever_works_without_the_lease_cannot_write(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    errors: list[str] = []

    def work_anyway(manager: Manager, grace_seconds: float) -> None:
        [controller] = manager.controllers
        key = ObjectKey(scene.server.namespace, "my-network")
        for part in (manager.factory, controller):
            part.start()
        errors.append(eventually(lambda: controller.journal.last(key)).error)
        for part in (controller, manager.factory):
            part.stop()

    monkeypatch.setattr(run, "run_until_signal", work_anyway)
    scene.add_network()
    assert main(["run", "--kubeconfig", str(scene.config), "-n", scene.server.namespace, "--take-over"], {}) == 0
    assert errors == ["NotLeading: we do not lead: nothing was sent"]
    assert not scene.has_stateful_set()


def test_a_dry_run_shows_what_would_be_written_and_writes_nothing(scene: Scene) -> None:
    scene.hold("pod-7", seconds_ago=2.0)
    scene.add_network()
    done = scene.run("--dry-run", "--log-level", "error")
    assert done.returncode == 0, done.stderr
    assert re.search(r"POST /apis/apps/v1/namespaces/\S+/statefulsets\n  \+", done.stdout)
    assert "  +  replicas: 3" in done.stdout
    assert re.search(r"PUT /apis/bitcoincontroller\S+/my-network/status", done.stdout)
    assert not scene.has_stateful_set()
    network = scene.client.resource(BITCOIN_NETWORKS).get(ObjectKey(scene.server.namespace, "my-network"))
    assert network.body()["status"]["conditions"][0]["reason"] == "Pending"  # the definition's default
