"""What stands in volumes that have their content from elsewhere."""

from __future__ import annotations

import base64
import stat
from pathlib import Path
from typing import Any

import pytest

from btcctl.sandbox.kubelet.pods.env import EnvSources, MissingReferenceError
from btcctl.sandbox.kubelet.pods.volumes import VolumeSources, volume_files, write_files

POD: dict[str, Any] = {
    "metadata": {"name": "p", "namespace": "n", "uid": "u", "labels": {"b": "two", "a": 'o"ne'}},
    "spec": {"nodeName": "here"},
}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def sources() -> VolumeSources:
    config = {"data": {"a": "1", "b": "2"}, "binaryData": {"c": encoded("3")}}
    secret = {"data": {"user": encoded("u"), "password": encoded("p")}}
    objects = EnvSources({"s": secret}.get, {"c": config}.get)
    return VolumeSources(
        objects, lambda audience: f"token for {audience or 'the server'}", b"PEM", {"status.podIP": "i"}
    )


def files(**volume: Any) -> dict[str, bytes]:
    return volume_files({"name": "v", **volume}, POD, sources())


def test_all_keys_of_a_config_map_are_files():
    assert files(configMap={"name": "c"}) == {"a": b"1", "b": b"2", "c": b"3"}


def test_chosen_keys_of_a_secret_have_paths_of_their_own():
    items = [{"key": "user", "path": "deep/name"}]
    assert files(secret={"secretName": "s", "items": items}) == {"deep/name": b"u"}


def test_fields_of_the_pod_are_files():
    items = [
        {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
        {"path": "ip", "fieldRef": {"fieldPath": "status.podIP"}},
    ]
    assert files(downwardAPI={"items": items}) == {"labels": b'a="o\\"ne"\nb="two"', "ip": b"i"}


def test_a_projected_volume_has_all_of_its_sources():
    parts = [
        {"serviceAccountToken": {"path": "token"}},
        {"serviceAccountToken": {"path": "other", "audience": "vault"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"secret": {"name": "s", "items": [{"key": "user", "path": "user"}]}},
    ]
    assert files(projected={"sources": parts}) == {
        "token": b"token for the server",
        "other": b"token for vault",
        "ca.crt": b"PEM",
        "user": b"u",
    }


@pytest.mark.parametrize(
    ("volume", "why"),
    [
        ({"configMap": {"name": "x"}}, 'configmap "x" not found'),
        ({"secret": {"secretName": "x"}}, 'secret "x" not found'),
        ({"secret": {"secretName": "s", "items": [{"key": "x", "path": "x"}]}}, "non-existent key: x"),
        ({"configMap": {"name": "c", "items": [{"key": "a", "path": "../a"}]}}, "leads out of the volume"),
        ({"projected": {"sources": [{"clusterTrustBundle": {}}]}}, "clusterTrustBundle"),
    ],
)
def test_what_is_not_there_is_named(volume, why):
    with pytest.raises(MissingReferenceError, match=why):
        files(**volume)


def test_what_may_be_missing_is_left_out():
    assert files(configMap={"name": "x", "optional": True}) == {}
    items = [{"key": "x", "path": "x"}, {"key": "user", "path": "user"}]
    assert files(secret={"secretName": "s", "items": items, "optional": True}) == {"user": b"u"}


def test_an_empty_directory_has_nothing_in_it():
    assert files(emptyDir={}) == {}


def test_files_are_their_owner_s_and_replaced_in_one_step(tmp_path: Path):
    write_files(tmp_path / "v", {"deep/a": b"1"})
    write_files(tmp_path / "v", {"deep/a": b"2"})
    path = tmp_path / "v" / "deep" / "a"
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"2", 0o600)
    assert [each.name for each in path.parent.iterdir()] == ["a"]
