"""The build of `make controlplane`, without Go."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import namedtuple
from pathlib import Path

import pytest

from btcctl.testing.control_plane.binaries import VERSIONS, cache_dir
from tests.integration.controlplane import build

Usage = namedtuple("Usage", "total used free")


def complete(home: Path) -> Path:
    (home / "bin").mkdir(parents=True)
    for each in build.targets():
        (home / "bin" / each.name).touch(mode=0o755)
    return home


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path)}


def test_the_pinned_modules_are_of_the_versions_the_cache_is_named_after():
    kubernetes = (build.HERE / "kubernetes" / "go.mod").read_text()
    helm = (build.HERE / "helm" / "go.mod").read_text()
    assert f"k8s.io/kubernetes v{VERSIONS['kubernetes']} " in kubernetes
    assert f"go.etcd.io/etcd/server/v3 v{VERSIONS['etcd']} " in kubernetes
    assert f"helm.sh/helm/v3 v{VERSIONS['helm']} " in helm


def test_every_staging_module_is_replaced_by_its_release():
    text = (build.HERE / "kubernetes" / "go.mod").read_text()
    replaced = re.findall(r"^\t(k8s\.io/\S+) => \1 v0(\.\d+\.\d+)$", text, re.MULTILINE)
    assert len(replaced) == 33
    assert {version for _, version in replaced} == {VERSIONS["kubernetes"][1:]}


def test_a_second_run_starts_nothing(environ, monkeypatch, capsys):
    home = complete(cache_dir(environ))
    monkeypatch.setattr(subprocess, "run", None)
    build.build(environ)
    assert capsys.readouterr().out == f"the control plane is built: {home / 'bin'}\n"


@pytest.mark.parametrize(
    "given", [{"KUBEBUILDER_ASSETS": "/opt"}, {"TEST_ASSET_ETCD": "/opt/e", "TEST_ASSET_KUBE_APISERVER": "/opt/k"}]
)
def test_programs_of_ones_own_need_no_build(given, environ, monkeypatch, capsys):
    monkeypatch.setattr(subprocess, "run", None)
    build.build({**environ, **given})
    assert "nothing to build" in capsys.readouterr().out


def test_half_a_cache_is_not_complete(tmp_path):
    home = complete(tmp_path / "home")
    (home / "bin" / "helm").unlink()
    assert not build.is_complete(home)


def test_too_little_room_is_said_before_anything_is_downloaded(environ, monkeypatch, capsys):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100 << 30, 97 << 30, 3 << 30))
    monkeypatch.setattr(subprocess, "run", None)
    with pytest.raises(build.Failure, match="too little room"):
        build.build(environ)
    assert "needs about 6 GB for a while, 3 GB free" in capsys.readouterr().out


def test_a_failure_is_one_line_that_ends_with_the_reason():
    with pytest.raises(build.Failure, match=r"^cannot do it: no such host$"):
        build.run(["sh", "-c", "echo first >&2; echo no such host >&2; exit 1"], "cannot do it")


def test_a_program_that_is_new_joins_those_of_an_older_build(tmp_path):
    home = complete(tmp_path / "home")
    (home / "bin" / "kubelet").unlink()
    assert [each.name for each in build.missing(home)] == ["kubelet"]
    (tmp_path / "fresh").mkdir()
    (tmp_path / "fresh" / "kubelet").touch(mode=0o755)
    build.publish(tmp_path / "fresh", home)
    assert build.is_complete(home)


def test_the_programs_appear_all_at_once(tmp_path):
    fresh = complete(tmp_path / "fresh") / "bin"
    (tmp_path / "home" / "bin").mkdir(parents=True)  # what an older script may have left half done
    build.publish(fresh, tmp_path / "home")
    assert build.is_complete(tmp_path / "home")


def test_the_caches_of_another_go_are_used_where_they_are_named(tmp_path):
    assert build.go_environment(tmp_path, {"GOCACHE": "/c"})["GOCACHE"] == "/c"
    assert build.go_environment(tmp_path, {})["GOCACHE"] == str(tmp_path / "gocache")
