"""What a node's programs are given."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
import yaml

from btcctl.testing.node import Node, NodeOptions, NodePrograms, configs
from btcctl.testing.node.networks import families
from btcctl.testing.node.pause import PAUSE_IMAGE, write_pause_image

P = Path("/usr/bin/p")
PROGRAMS = NodePrograms(P, P, P, P, P, P, P, P, Path("/opt/cni/bin"))


@pytest.fixture
def place(tmp_path: Path) -> configs.Place:
    both = families(["IPv6", "IPv4"])
    return configs.Place("n", tmp_path / "files", tmp_path / "data", "/group", tmp_path / "ca.crt", both)


def test_what_a_user_says_of_the_kubelet_wins(place: configs.Place):
    configs.kubelet_command(PROGRAMS, place, P, {"maxPods": 5, "failSwapOn": True}, dns=False)
    written = yaml.safe_load((place.files / "kubelet.yaml").read_text())
    assert (written["maxPods"], written["failSwapOn"], written["cgroupRoot"]) == (5, True, "/group")
    assert written["clusterDNS"] == []


def test_the_kubelet_only_compares_what_belongs_to_the_whole_machine(place: configs.Place):
    configs.kubelet_command(PROGRAMS, place, P, {}, dns=True)
    written = yaml.safe_load((place.files / "kubelet.yaml").read_text())
    assert written["protectKernelDefaults"] is True
    assert written["clusterDNS"] == ["fd00:99::1"]


def test_addresses_of_nodes_come_in_the_order_of_the_families(place: configs.Place):
    command = configs.kubelet_command(PROGRAMS, place, P, {}, dns=True)
    assert "--node-ip=fd00:99::1,10.99.0.1" in command


def test_pods_get_an_address_of_each_family_and_of_the_first_in_a_range(place: configs.Place):
    configs.write_network(place, {"rangeStart": "fd00:244::5", "rangeEnd": "fd00:244::9"})
    written = json.loads((place.files / "cni" / "10-pods.conflist").read_text())
    first, second = written["plugins"][0]["ipam"]["ranges"]
    assert first == [{"subnet": "fd00:244::/64", "rangeStart": "fd00:244::5", "rangeEnd": "fd00:244::9"}]
    assert second == [{"subnet": "10.244.0.0/24"}]


@pytest.mark.parametrize("names", [(), ("IPv4", "IPv4"), ("IPv5",)])
def test_impossible_ip_families_are_refused_before_anything_starts(names: tuple[str, ...]):
    with pytest.raises(ValueError, match="must be IPv4, IPv6 or both, each once"):
        Node(NodeOptions(ip_families=names))


def test_the_pause_image_is_one_program_that_waits(tmp_path: Path):
    program = tmp_path / "catatonit"
    program.write_bytes(b"a program")
    write_pause_image(program, tmp_path / "pause.tar")
    with tarfile.open(tmp_path / "pause.tar") as archive:
        manifest = json.load(archive.extractfile("manifest.json"))[0]
        config = json.load(archive.extractfile(manifest["Config"]))
        with tarfile.open(fileobj=io.BytesIO(archive.extractfile(manifest["Layers"][0]).read())) as layer:
            assert layer.extractfile("pause").read() == b"a program"
            assert layer.getmember("pause").mode == 0o755
    assert manifest["RepoTags"] == [PAUSE_IMAGE]
    assert config["config"]["Entrypoint"] == ["/pause", "-P"]
