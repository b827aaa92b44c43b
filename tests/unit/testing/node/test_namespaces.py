"""How a node is kept to itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from btcctl.testing.control_plane import ControlPlaneError
from btcctl.testing.node import namespace_process, volumes_process
from btcctl.testing.node.namespaces import Namespaces
from btcctl.testing.node.networks import families
from tests.unit.testing.node.recorded import RecordedServers


@pytest.fixture
def namespaces(tmp_path: Path) -> Namespaces:
    return Namespaces(tmp_path / "btcctl-run-1-2-x", "node-1", families(["IPv4"]))


def test_mounts_are_private_before_anything_is_mounted(namespaces: Namespaces):
    servers = RecordedServers(exit_code=1)
    with pytest.raises(ControlPlaneError, match="cannot set up the node's namespaces"):
        namespaces.enter(servers)
    commands = [line for line in servers.script.splitlines() if line.startswith("mount ")]
    assert commands[:2] == ["mount --make-rprivate /", "mount --make-rshared /"]
    checked = subprocess.run(["sh", "-n", "-c", servers.script], check=False, capture_output=True)
    assert checked.returncode == 0, checked.stderr


def test_the_api_servers_certificate_is_good_for_the_addresses_that_pods_and_programs_dial(namespaces: Namespaces):
    assert list(namespaces.addresses) == ["10.0.0.1", "10.99.0.1"]


def test_nothing_runs_on_a_node_that_was_not_started(namespaces: Namespaces):
    with pytest.raises(ControlPlaneError, match="not started"):
        assert namespaces.shell


def test_a_cgroup_is_made_in_every_hierarchy_and_goes_with_all_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for each in ("cpu", "cpuset"):
        (tmp_path / each).mkdir()
    (tmp_path / "cpuset" / "cpuset.cpus").write_text("0-1")
    monkeypatch.setattr(namespace_process, "CGROUPS", tmp_path)
    namespace_process.make_cgroups("n")
    assert (tmp_path / "cpuset" / "n" / "cpuset.cpus").read_text() == "0-1"
    (tmp_path / "cpuset" / "n" / "cpuset.cpus").unlink()  # the kernel's own files keep no cgroup
    (tmp_path / "cpu" / "n" / "pod" / "container").mkdir(parents=True)
    namespace_process.remove_cgroups("n")
    assert {each.name for each in tmp_path.glob("*/*")} == {"cpuset.cpus"}


def test_a_new_volume_is_open_to_every_user(tmp_path: Path):
    (tmp_path / "claim").mkdir(mode=0o750)
    known = volumes_process.open_new(str(tmp_path), set())
    assert (tmp_path / "claim").stat().st_mode & 0o777 == 0o777
    (tmp_path / "claim").chmod(0o700)  # what its owner does with it is the owner's business
    assert volumes_process.open_new(str(tmp_path), known) == known
    assert (tmp_path / "claim").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("hierarchy", ["", "memory"])
def test_a_node_that_ends_knows_whether_another_runs(hierarchy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(namespace_process, "CGROUPS", tmp_path)
    if not hierarchy:
        (tmp_path / "cgroup.controllers").touch()
    assert not namespace_process.others_run()
    (tmp_path / hierarchy / "btcctl-run-1-2-x").mkdir(parents=True)
    assert namespace_process.others_run()
