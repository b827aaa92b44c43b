from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from btcctl.errors import ConfigError
from btcctl.sandbox.demonstration import snapshot
from btcctl.sandbox.demonstration.snapshot import Snapshot
from btcctl.sandbox.kubelet.pods.env import translate_paths


def chain(directory: Path) -> Path:
    (directory / "blocks").mkdir(parents=True)
    (directory / "blocks" / "blocks.txt").write_text("of the snapshot")
    return directory


def packed(directory: Path, target: Path) -> Path:
    with tarfile.open(target, "w:gz") as archive:
        archive.add(directory, ".")
    return target


@pytest.mark.parametrize("kind", ["directory", "archive"])
def test_a_node_without_blocks_begins_with_those_of_the_snapshot(tmp_path: Path, kind: str) -> None:
    source = chain(tmp_path / "old")
    source = source if kind == "directory" else packed(source, tmp_path / "old.tar.gz")
    Snapshot(source, tmp_path / "regtest").unpack()
    assert (tmp_path / "regtest/blocks/blocks.txt").read_text() == "of the snapshot"
    assert not (tmp_path / ".snapshot").exists()


def test_so_it_does_by_older_pythons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "HAS_FILTERS", False)
    Snapshot(packed(chain(tmp_path / "old"), tmp_path / "old.tar.gz"), tmp_path / "regtest").unpack()
    assert (tmp_path / "regtest/blocks/blocks.txt").read_text() == "of the snapshot"


def test_blocks_that_are_there_are_not_touched(tmp_path: Path) -> None:
    (chain(tmp_path / "regtest") / "blocks/blocks.txt").write_text("its own")
    Snapshot(chain(tmp_path / "old"), tmp_path / "regtest").unpack()
    assert (tmp_path / "regtest/blocks/blocks.txt").read_text() == "its own"


def test_what_is_no_snapshot_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("no archive")
    for name in ("empty", "text", "missing"):
        with pytest.raises(ConfigError, match="the snapshot"):
            Snapshot(tmp_path / name, tmp_path / "regtest").unpack()
    assert not (tmp_path / "regtest").exists()


@pytest.mark.parametrize("has_filters", [True, False])
@pytest.mark.parametrize(("name", "kind"), [("../outside", tarfile.REGTYPE), ("blocks/link", tarfile.FIFOTYPE)])
def test_an_archive_writes_files_and_folders_of_its_own_only(
    name: str, kind: bytes, has_filters: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "HAS_FILTERS", has_filters and snapshot.HAS_FILTERS)
    source = packed(chain(tmp_path / "old"), tmp_path / "old.tar.gz")
    with tarfile.open(source, "w:gz") as archive:
        archive.add(tmp_path / "old", ".")
        member = tarfile.TarInfo(name)
        member.type = kind
        archive.addfile(member)
    with pytest.raises(ConfigError, match=r"the snapshot .* cannot be read"):
        Snapshot(source, tmp_path / "regtest").unpack()
    assert not list(tmp_path.glob("**/outside"))
    assert not (tmp_path / "regtest").exists()


def test_paths_below_a_mount_that_is_read_only_are_those_of_this_machine() -> None:
    mounts = [{"name": "s", "mountPath": "/snapshot", "readOnly": True}, {"name": "d", "mountPath": "/data"}]
    env = {"A": "/snapshot/x", "B": "/snapshot", "C": "/snapshots/x", "D": "/data/x"}
    found = translate_paths(env, {"volumeMounts": mounts}, {"s": Path("/v/s"), "d": Path("/v/d")})
    assert found == {"A": "/v/s/x", "B": "/v/s", "C": "/snapshots/x", "D": "/data/x"}
