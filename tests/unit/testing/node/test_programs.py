"""What a node needs, and what is said where it is not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from btcctl.testing.control_plane import BinariesMissing
from btcctl.testing.node import find_node_programs, programs, why_no_node
from btcctl.testing.node.programs import BUILT, INSTALLED, PLUGINS


def put(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for each in names:
        (folder / each).touch(mode=0o755)
    return folder


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A machine that has everything."""
    monkeypatch.setattr(programs, "_PLUGIN_FOLDERS", (str(put(tmp_path / "cni", *PLUGINS)),))
    monkeypatch.setattr(programs, "_SYSTEM_PATH", ())
    assets, path = put(tmp_path / "assets", *BUILT), put(tmp_path / "bin", *INSTALLED)
    return {"HOME": str(tmp_path), "KUBEBUILDER_ASSETS": str(assets), "PATH": str(path)}


def test_programs_are_found_where_they_are(environ: dict[str, str], tmp_path: Path):
    found = find_node_programs(environ)
    assert found.kubelet == tmp_path / "assets" / "kubelet"
    assert found.containerd == tmp_path / "bin" / "containerd"
    assert found.plugins == tmp_path / "cni"


def test_names_of_services_do_not_resolve_where_there_is_no_dns_server(environ: dict[str, str]):
    assert find_node_programs(environ).dns is None


def test_all_that_is_missing_is_said_at_once_with_what_brings_it(environ: dict[str, str], tmp_path: Path):
    for gone in ("assets/kubelet", "bin/ctr", "bin/nft", "cni/bridge"):
        (tmp_path / gone).unlink()
    with pytest.raises(BinariesMissing) as caught:
        find_node_programs(environ)
    assert "no kubelet: build them once with `make controlplane`" in str(caught.value)
    assert "apt-get install containerd containernetworking-plugins nftables" in str(caught.value)


def test_who_is_not_root_is_told(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert why_no_node(environ) == "a node needs root"


def test_where_a_node_can_be_started_nothing_is_said(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert why_no_node(environ) == ""
