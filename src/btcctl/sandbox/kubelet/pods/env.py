"""The environment of a container, from what its pod says. Pure but for the two readers it is given."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from btcctl.errors import BtcctlError

_EXPANSION = re.compile(r"\$\$|\$\(([^()]+)\)")
_VARIABLE_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_MAP_FIELD = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


class MissingReferenceError(BtcctlError):
    """The environment refers to a Secret, ConfigMap, key or field that is not there."""


@dataclass(frozen=True, slots=True)
class EnvSources:
    """Reads, by name in the pod's namespace; None for what does not exist."""

    secret: Callable[[str], Mapping[str, Any] | None]
    config_map: Callable[[str], Mapping[str, Any] | None]


def resolve_env(
    pod: Mapping[str, Any], container: Mapping[str, Any], sources: EnvSources, fields: Mapping[str, str]
) -> dict[str, str]:
    """Every variable of `envFrom` and `env`; the latter win, and may use `$(EARLIER)` ones.

    Args:
        pod: The pod's body.
        container: One of its containers.
        sources: Where Secrets and ConfigMaps are read.
        fields: Fields that are known before they are in the pod's body, such as status.podIP.

    Raises:
        MissingReferenceError: Something is not there and not marked optional.
    """
    reader = _Reader(pod, sources, fields)
    env: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        env.update(reader.all_of(source))
    for variable in container.get("env") or []:
        value = reader.value_of(variable, env)
        if value is not None:
            env[variable["name"]] = value
    return env


def expand(text: str, env: Mapping[str, str]) -> str:
    """Replace `$(NAME)`; an unknown name stays as it is, and `$$` is a dollar sign."""

    def replacement(match: re.Match[str]) -> str:
        return "$" if match[0] == "$$" else env.get(match[1], match[0])

    return _EXPANSION.sub(replacement, text)


def field_of(pod: Mapping[str, Any], path: str, fields: Mapping[str, str]) -> str:
    """A field of a pod, as `fieldRef` names it.

    Args:
        fields: Those that are known before they are in the pod's body.

    Raises:
        MissingReferenceError: The pod has no such field.
    """
    if path in fields:
        return fields[path]
    match = _MAP_FIELD.fullmatch(path)
    if match:
        return str((pod["metadata"].get(match[1]) or {}).get(match[2], ""))
    value: Any = pod
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if not isinstance(value, str):
        raise MissingReferenceError(f"the pod has no field {path}")
    return value


def translate_paths(
    env: Mapping[str, str], container: Mapping[str, Any], volumes: Mapping[str, Path]
) -> dict[str, str]:
    """The environment, with paths below what is mounted to be read only as they are here: nothing is mounted.

    Args:
        volumes: The directories of the pod's claims, by the volume's name.
    """
    mounts = {
        each["mountPath"]: volumes[each["name"]] / each.get("subPath", "")
        for each in container.get("volumeMounts") or []
        if each.get("readOnly") and each["name"] in volumes
    }
    return {name: _translated(value, mounts) for name, value in env.items()}


def _translated(value: str, mounts: Mapping[str, Path]) -> str:
    for path, directory in mounts.items():
        if value == path or value.startswith(f"{path}/"):
            return str(directory / value.removeprefix(path).lstrip("/"))
    return value


class _Reader:
    def __init__(self, pod: Mapping[str, Any], sources: EnvSources, fields: Mapping[str, str]) -> None:
        self._pod = pod
        self._sources = sources
        self._fields = fields

    def all_of(self, source: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """The pairs of one `envFrom` entry whose keys can be names of variables."""
        prefix = source.get("prefix", "")
        data: Mapping[str, str] | None = {}
        if "secretRef" in source:
            data = self._secret(source["secretRef"])
        elif "configMapRef" in source:
            data = self._config_map(source["configMapRef"])
        for key, value in (data or {}).items():
            if _VARIABLE_NAME.fullmatch(prefix + key):
                yield prefix + key, value

    def value_of(self, variable: Mapping[str, Any], env: Mapping[str, str]) -> str | None:
        """The value of one `env` entry, or None: it is optional, and not there."""
        source = variable.get("valueFrom")
        if not source:
            return expand(variable.get("value") or "", env)
        if "secretKeyRef" in source:
            return self._key(source["secretKeyRef"], self._secret(source["secretKeyRef"]), "Secret")
        if "configMapKeyRef" in source:
            return self._key(source["configMapKeyRef"], self._config_map(source["configMapKeyRef"]), "ConfigMap")
        if "fieldRef" in source:
            return field_of(self._pod, source["fieldRef"]["fieldPath"], self._fields)
        raise MissingReferenceError(f"the sandbox cannot fill {variable['name']} from {', '.join(source)}")

    def _secret(self, reference: Mapping[str, Any]) -> Mapping[str, str] | None:
        secret = self._sources.secret(reference["name"])
        if secret is None:
            return self._absent(f'secret "{reference["name"]}" not found', reference)
        return {key: _decoded(reference["name"], key, value) for key, value in (secret.get("data") or {}).items()}

    def _config_map(self, reference: Mapping[str, Any]) -> Mapping[str, str] | None:
        config_map = self._sources.config_map(reference["name"])
        if config_map is None:
            return self._absent(f'configmap "{reference["name"]}" not found', reference)
        return config_map.get("data") or {}

    def _key(self, reference: Mapping[str, Any], data: Mapping[str, str] | None, kind: str) -> str | None:
        if data is None:
            return None
        if reference["key"] in data:
            return data[reference["key"]]
        where = f"{kind} {self._pod['metadata']['namespace']}/{reference['name']}"
        return self._absent(f"couldn't find key {reference['key']} in {where}", reference)

    @staticmethod
    def _absent(message: str, reference: Mapping[str, Any]) -> None:
        if not reference.get("optional"):
            raise MissingReferenceError(message)


def _decoded(name: str, key: str, value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise MissingReferenceError(f'key {key} of secret "{name}" cannot be an environment variable') from error
