"""The files of volumes that hold no data of their own: ConfigMaps, Secrets, fields of the pod, tokens. Pure but for the
readers it is given.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from btcctl.sandbox.kubelet.pods.env import EnvSources, MissingReferenceError, field_of

#: What has files from elsewhere; an emptyDir is a directory, and a claim has its own.
FILLED = frozenset({"configMap", "secret", "downwardAPI", "projected"})
ROOT_AUTHORITY = "kube-root-ca.crt"  # in every namespace of a cluster that has a controller for it
_MODE = 0o600


@dataclass(frozen=True, slots=True)
class VolumeSources:
    """Where the content of files is read.

    Attributes:
        token: A token of the pod's ServiceAccount, for an audience ("": the API server).
        authority: Whom to trust at the API server, PEM.
        fields: Fields that are known before they are in the pod's body.
    """

    objects: EnvSources
    token: Callable[[str], str]
    authority: bytes
    fields: Mapping[str, str]


def volume_files(volume: Mapping[str, Any], pod: Mapping[str, Any], sources: VolumeSources) -> dict[str, bytes]:
    """What stands in a volume, by path; {} for an emptyDir.

    Raises:
        MissingReferenceError: Something is not there and not marked optional, or leads out of the volume.
    """
    files: dict[str, bytes] = {}
    for kind in FILLED & volume.keys():
        parts = volume[kind].get("sources") or [] if kind == "projected" else [{kind: volume[kind]}]
        for part in parts:
            files.update(_part_files(part, pod, sources))
    for path in files:
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise MissingReferenceError(f"{path} leads out of the volume {volume['name']}")
    return files


def write_files(directory: Path, files: Mapping[str, bytes]) -> None:
    """Write them for the owner's eyes only, each in one step.

    Raises:
        OSError: They cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "wb") as file:
            file.write(content)
        fresh.replace(path)


def _part_files(part: Mapping[str, Any], pod: Mapping[str, Any], sources: VolumeSources) -> dict[str, bytes]:
    if "configMap" in part:
        return _config_map_files(part["configMap"], sources)
    if "secret" in part:
        return _secret_files(part["secret"], sources)
    if "downwardAPI" in part:
        items = part["downwardAPI"].get("items") or []
        return {each["path"]: _field_text(each, pod, sources).encode() for each in items}
    if "serviceAccountToken" in part:
        wanted = part["serviceAccountToken"]
        return {wanted["path"]: sources.token(wanted.get("audience", "")).encode()}
    raise MissingReferenceError(f"the sandbox cannot fill a volume from {', '.join(part)}")


def _config_map_files(source: Mapping[str, Any], sources: VolumeSources) -> dict[str, bytes]:
    found = sources.objects.config_map(source["name"])
    if found is None and source["name"] == ROOT_AUTHORITY:
        found = {"data": {"ca.crt": sources.authority.decode()}}
    if found is None:
        return _absent(f'configmap "{source["name"]}" not found', source)
    texts = {key: value.encode() for key, value in (found.get("data") or {}).items()}
    return _chosen(texts | _decoded(found.get("binaryData")), source, "configmap")


def _secret_files(source: Mapping[str, Any], sources: VolumeSources) -> dict[str, bytes]:
    name = source.get("secretName") or source.get("name", "")
    found = sources.objects.secret(name)
    if found is None:
        return _absent(f'secret "{name}" not found', source)
    return _chosen(_decoded(found.get("data")), source, "secret")


def _decoded(data: Mapping[str, str] | None) -> dict[str, bytes]:
    try:
        return {key: base64.b64decode(value, validate=True) for key, value in (data or {}).items()}
    except binascii.Error as error:
        raise MissingReferenceError(f"not base64: {error}") from None


def _chosen(content: Mapping[str, bytes], source: Mapping[str, Any], kind: str) -> dict[str, bytes]:
    items: Sequence[Mapping[str, Any]] | None = source.get("items")
    if not items:
        return dict(content)
    missing = next((each["key"] for each in items if each["key"] not in content), None)
    if missing is not None and not source.get("optional"):
        raise MissingReferenceError(f"{kind} references non-existent key: {missing}")
    return {each["path"]: content[each["key"]] for each in items if each["key"] in content}


def _absent(message: str, source: Mapping[str, Any]) -> dict[str, bytes]:
    if not source.get("optional"):
        raise MissingReferenceError(message)
    return {}


def _field_text(item: Mapping[str, Any], pod: Mapping[str, Any], sources: VolumeSources) -> str:
    path = (item.get("fieldRef") or {}).get("fieldPath", "")
    if path in {"metadata.labels", "metadata.annotations"}:
        pairs = pod["metadata"].get(path.partition(".")[2]) or {}
        return "\n".join(f"{key}={json.dumps(value)}" for key, value in sorted(pairs.items()))
    if not path:
        raise MissingReferenceError(f"the sandbox cannot fill {item['path']} from {', '.join(item)}")
    return field_of(pod, path, sources.fields)
