"""The build of `make controlplane`, without Go."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import namedtuple
from pathlib import Path

import pytest

from btcctl.testing.control_plane.binaries import VERSIONS
from tests.integration.controlplane import build

Usage = namedtuple("Usage", "total used free")


def complete(edition: build.Edition) -> build.Edition:
    (edition.home / "bin").mkdir(parents=True)
    for each in edition.targets:
        (edition.home / "bin" / each.name).touch(mode=0o755)
    return edition


def edition(home: Path) -> build.Edition:
    return build.Edition(home, build.targets())


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path)}


def test_the_pinned_modules_are_of_the_versions_the_cache_is_named_after():
    kubernetes = (build.HERE / "kubernetes" / "go.mod").read_text()
    helm = (build.HERE / "helm" / "go.mod").read_text()
    assert f"k8s.io/kubernetes v{VERSIONS['kubernetes']} " in kubernetes
    assert f"go.etcd.io/etcd/server/v3 v{VERSIONS['etcd']} " in kubernetes
    assert f"helm.sh/helm/v3 v{VERSIONS['helm']} " in helm


def test_the_oldest_is_the_one_that_is_pinned_and_the_first_that_is_supported():
    assert f"k8s.io/kubernetes v{build.OLDEST} " in (build.HERE / "kubernetes-oldest" / "go.mod").read_text()
    support = (build.HERE.parents[2] / "docs" / "support.md").read_text()
    assert f"| Kubernetes | {build.OLDEST.rpartition('.')[0]} to " in support


@pytest.mark.parametrize(
    ("module", "version", "count"),
    [("kubernetes", VERSIONS["kubernetes"], 33), ("kubernetes-oldest", build.OLDEST, 31)],
)
def test_every_staging_module_is_replaced_by_its_release(module, version, count):
    text = (build.HERE / module / "go.mod").read_text()
    replaced = re.findall(r"^\t(k8s\.io/\S+) => \1 v0(\.\d+\.\d+)$", text, re.MULTILINE)
    assert len(replaced) == count
    assert {release for _, release in replaced} == {version[1:]}


def required(text: str) -> set[tuple[str, str]]:
    return set(re.findall(r"^\t(\S+) (v\S+)(?: // indirect)?$", text, re.MULTILINE))


@pytest.mark.parametrize("module", ["helm", "coredns"])
def test_what_is_pinned_to_kubernetes_modules_is_of_their_versions(module):
    text = (build.HERE / module / "go.mod").read_text()
    kubernetes = (build.HERE / "kubernetes" / "go.mod").read_text()
    replaced = set(re.findall(r"^\t(\S+) => \1 (v\S+)$", text, re.MULTILINE))
    theirs = required(kubernetes) | set(re.findall(r"^\t(\S+) => \1 (v\S+)$", kubernetes, re.MULTILINE))
    assert len(replaced) > 15
    assert replaced <= theirs


@pytest.mark.parametrize("which", [build.newest, build.oldest])
def test_a_second_run_starts_nothing(which, environ, monkeypatch, capsys):
    built = complete(which(environ))
    monkeypatch.setattr(subprocess, "run", None)
    build.build(built, environ)
    assert capsys.readouterr().out == f"the control plane is built: {built.home / 'bin'}\n"


def test_the_oldest_ones_folder_is_said_without_building_it(environ, monkeypatch, capsys):
    monkeypatch.setattr(os, "environ", environ)
    assert build.main(["oldest", "where"]) == 0
    assert capsys.readouterr().out == f"{build.oldest(environ).home / 'bin'}\n"


@pytest.mark.parametrize(
    "given", [{"KUBEBUILDER_ASSETS": "/opt"}, {"TEST_ASSET_ETCD": "/opt/e", "TEST_ASSET_KUBE_APISERVER": "/opt/k"}]
)
def test_programs_of_ones_own_need_no_build(given, environ, monkeypatch, capsys):
    monkeypatch.setattr(os, "environ", {**environ, **given})
    monkeypatch.setattr(subprocess, "run", None)
    assert build.main([]) == 0
    assert "nothing to build" in capsys.readouterr().out


def test_half_a_cache_is_not_complete(tmp_path):
    half = complete(edition(tmp_path / "home"))
    (half.home / "bin" / "helm").unlink()
    assert not half.is_complete()


def test_too_little_room_is_said_before_anything_is_downloaded(environ, monkeypatch, capsys):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100 << 30, 97 << 30, 3 << 30))
    monkeypatch.setattr(subprocess, "run", None)
    with pytest.raises(build.Failure, match="too little room"):
        build.build(build.newest(environ), environ)
    assert "needs about 6 GB for a while, 3 GB free" in capsys.readouterr().out


def test_a_failure_is_one_line_that_ends_with_the_reason():
    with pytest.raises(build.Failure, match=r"^cannot do it: no such host$"):
        build.run(["sh", "-c", "echo first >&2; echo no such host >&2; exit 1"], "cannot do it")


def test_a_program_that_is_new_joins_those_of_an_older_build(tmp_path):
    older = complete(edition(tmp_path / "home"))
    (older.home / "bin" / "kubelet").unlink()
    assert [each.name for each in older.missing()] == ["kubelet"]
    (tmp_path / "fresh").mkdir()
    (tmp_path / "fresh" / "kubelet").touch(mode=0o755)
    build.publish(tmp_path / "fresh", older.home)
    assert older.is_complete()


def test_the_programs_appear_all_at_once(tmp_path):
    fresh = complete(edition(tmp_path / "fresh")).home / "bin"
    (tmp_path / "home" / "bin").mkdir(parents=True)  # what an older script may have left half done
    build.publish(fresh, tmp_path / "home")
    assert edition(tmp_path / "home").is_complete()


def test_the_caches_of_another_go_are_used_where_they_are_named(tmp_path):
    assert build.go_environment(tmp_path, {"GOCACHE": "/c"})["GOCACHE"] == "/c"
    assert build.go_environment(tmp_path, {})["GOCACHE"] == str(tmp_path / "gocache")
