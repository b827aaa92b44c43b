from __future__ import annotations

from pathlib import Path

import pytest

import btcctl.testing
from btcctl.testing.control_plane import BinariesMissing, find_binaries
from btcctl.testing.control_plane.binaries import cache_dir, find_binary, variable_for

SERVERS = ("etcd", "kube-apiserver")


def programs(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch(mode=0o755)
    return folder


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path / "home"), "PATH": str(tmp_path / "path")}


def test_what_tests_stand_on_is_in_one_place():
    assert [getattr(btcctl.testing, name).__name__ for name in btcctl.testing.__all__] == btcctl.testing.__all__


def test_a_variable_is_named_as_in_controller_runtime():
    assert variable_for("kube-apiserver") == "TEST_ASSET_KUBE_APISERVER"


def test_a_folder_of_assets_has_them_all(tmp_path, environ):
    folder = programs(tmp_path / "assets", *SERVERS, "kube-controller-manager", "kubectl")
    found = find_binaries({**environ, "KUBEBUILDER_ASSETS": str(folder)})
    assert found.etcd == folder / "etcd"
    assert found.api_server == folder / "kube-apiserver"
    assert found.controller_manager == folder / "kube-controller-manager"
    assert found.kubectl == folder / "kubectl"


def test_a_variable_for_one_program_wins(tmp_path, environ):
    folder = programs(tmp_path / "assets", *SERVERS)
    other = programs(tmp_path / "other", "etcd") / "etcd"
    found = find_binaries({**environ, "KUBEBUILDER_ASSETS": str(folder), "TEST_ASSET_ETCD": str(other)})
    assert found.etcd == other
    assert found.api_server.parent == folder


def test_what_make_controlplane_built_comes_before_the_path(tmp_path, environ):
    built = programs(cache_dir(environ) / "bin", *SERVERS)
    programs(tmp_path / "path", *SERVERS)
    assert find_binaries(environ).etcd.parent == built


def test_the_path_is_searched_last(tmp_path, environ):
    folder = programs(tmp_path / "path", *SERVERS)
    assert find_binaries(environ).etcd.parent == folder


def test_a_controller_manager_from_elsewhere_is_not_mixed_in(tmp_path, environ):
    folder = programs(tmp_path / "assets", *SERVERS)
    programs(tmp_path / "path", "kube-controller-manager")
    assert find_binaries({**environ, "KUBEBUILDER_ASSETS": str(folder)}).controller_manager is None


def test_a_named_controller_manager_may_be_anywhere(tmp_path, environ):
    programs(tmp_path / "path", *SERVERS)
    manager = programs(tmp_path / "other", "kube-controller-manager") / "kube-controller-manager"
    environ["TEST_ASSET_KUBE_CONTROLLER_MANAGER"] = str(manager)
    assert find_binaries(environ).controller_manager == manager


def test_what_is_missing_is_told_with_every_place_and_the_way_out(tmp_path, environ):
    assets = tmp_path / "assets"
    with pytest.raises(BinariesMissing) as caught:
        find_binaries({**environ, "KUBEBUILDER_ASSETS": str(assets)})
    message = str(caught.value)
    places = (str(assets), str(cache_dir(environ)), "/usr/local/kubebuilder/bin", "PATH")
    assert [each for each in places if each not in message] == []
    assert [each for each in ("TEST_ASSET_KUBE_APISERVER", "make controlplane") if each not in message] == []


def test_a_variable_that_names_nothing_is_no_reason_to_look_elsewhere(tmp_path, environ):
    programs(tmp_path / "path", *SERVERS)
    with pytest.raises(BinariesMissing, match="typo"):
        find_binaries({**environ, "TEST_ASSET_ETCD": str(tmp_path / "typo" / "etcd")})


def test_a_file_that_cannot_be_run_is_not_the_program(tmp_path, environ):
    folder = programs(tmp_path / "path", "kubectl")
    (folder / "kubectl").chmod(0o644)
    assert find_binary("kubectl", environ) is None


@pytest.mark.parametrize(
    ("given", "expected"), [("/var/cache", "/var/cache"), ("relative", "/home/me/.cache"), ("", "/home/me/.cache")]
)
def test_the_cache_is_where_xdg_says(given, expected):
    assert cache_dir({"HOME": "/home/me", "XDG_CACHE_HOME": given}).is_relative_to(Path(expected) / "btcctl")
