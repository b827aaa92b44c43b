"""Containers of images that stand for programs of this machine: their command, environment and files.

Nothing is mounted, as there is no mount namespace. So a path below a `mountPath` is written as it is here wherever it
stands in the command, its arguments (after a `=`, too) and the environment; and `$BTCCTL_SANDBOX_ROOT` is a directory
with links from all mount paths to where they are.

Nor is there a network namespace. So where such a word says "listen on all addresses" it says "on the pod's" here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from btcctl.apiserver.network.kubeconfig import kubeconfig, write_kubeconfig
from btcctl.sandbox.kubelet.accounts import MOUNT, Accounts, ApiPlace
from btcctl.sandbox.kubelet.images import Program
from btcctl.sandbox.kubelet.pods.env import EnvSources, expand
from btcctl.sandbox.kubelet.pods.volumes import VolumeSources, volume_files, write_files
from btcctl.secret import ENVIRON

ROOT = "BTCCTL_SANDBOX_ROOT"
SERVICE_ACCOUNT = "BTCCTL_SERVICE_ACCOUNT"
_ACCOUNT_VOLUME = ".service-account"  # no volume can have that name
#: What programs of this toolkit listen on without being told: `btcctl.cli.author.running`.
_WEBHOOK_ADDRESS, _WEBHOOKS_LISTEN = "BTCCTL_WEBHOOK_BIND_ADDRESS", ":9443"
_ALL_ADDRESSES = re.compile(r"(?:0\.0\.0\.0|::|\[::\])?(:\d{1,5})?")
_INHERITED = ("PATH", "LANG", "LC_ALL", "TMPDIR", "TZ", "VIRTUAL_ENV")


@dataclass(frozen=True, slots=True)
class LocalCommand:
    """What to run."""

    argv: tuple[str, ...]
    env: dict[str, str] = field(repr=False)
    prepare: Callable[[], None]

    def write_files(self) -> None:
        self.prepare()


@dataclass(frozen=True, slots=True)
class ContainerPlace:
    """A container that is about to start.

    Attributes:
        env: As the pod says it, resolved.
        claims: The directories of the pod's claims, by the volume's name.
        directory: Of the pod: files of its volumes are written there.
        fields: Fields that are known before they are in the pod's body.
    """

    pod: Mapping[str, Any]
    container: Mapping[str, Any]
    env: Mapping[str, str]
    ip: str
    data_dir: Path
    directory: Path
    claims: Mapping[str, Path]
    objects: EnvSources
    fields: Mapping[str, str]


class LocalPrograms:
    """Makes their commands.

    Args:
        api: What pods are told of the API server; None: nothing.
        environ: Of this process: PATH and the like are the pods', too.
    """

    def __init__(self, accounts: Accounts, api: ApiPlace | None, environ: Mapping[str, str] = ENVIRON) -> None:
        self._accounts = accounts
        self._api = api
        self._environ = environ

    def command(self, program: Program, place: ContainerPlace) -> LocalCommand:
        """
        Raises:
            MissingReferenceError: A volume refers to what is not there.
        """
        has_account = self._api is not None and self._accounts.is_wanted(place.pod)
        mounts = self._mounts(place, has_account=has_account)
        env = {name: _as_here(value, mounts, place.ip) for name, value in place.env.items()}
        env = {**self._base_env(program, place, mounts[MOUNT] if has_account else None), **env}
        container = place.container
        entrypoint = container.get("command") or program.argv
        words = (*entrypoint, *(container.get("args") or ()))
        argv = tuple(_as_here(expand(each, env), mounts, place.ip) for each in words)

        def prepare() -> None:
            self._write(place, has_account=has_account)
            _link(place.directory / "root" / container["name"], mounts)
            if not program.is_ours and has_account:
                self._write_kubeconfig(place)

        return LocalCommand(argv, env, prepare)

    def _base_env(self, program: Program, place: ContainerPlace, account: Path | None) -> dict[str, str]:
        env = {name: self._environ[name] for name in _INHERITED if name in self._environ}
        env |= {"HOME": str(place.data_dir), ROOT: str(place.directory / "root" / place.container["name"])}
        env[_WEBHOOK_ADDRESS] = _as_here(_WEBHOOKS_LISTEN, {}, place.ip)
        if self._api is not None:
            env |= self._api.env
        if account is not None:
            env[SERVICE_ACCOUNT] = str(account)
            if not program.is_ours:
                env["KUBECONFIG"] = str(self._kubeconfig_path(place))
        return {**env, **program.env}

    def _mounts(self, place: ContainerPlace, *, has_account: bool) -> dict[str, Path]:
        """Where mount paths are here."""
        mounts = {
            each["mountPath"].rstrip("/"): self._volume(place, each["name"]) / each.get("subPath", "")
            for each in place.container.get("volumeMounts") or []
        }
        if has_account:
            mounts.setdefault(MOUNT, self._volume(place, _ACCOUNT_VOLUME))
        return mounts

    @staticmethod
    def _volume(place: ContainerPlace, name: str) -> Path:
        return place.claims.get(name) or place.directory / "volumes" / name

    def _write(self, place: ContainerPlace, *, has_account: bool) -> None:
        authority = b"" if self._api is None else self._api.authority

        def token(audience: str) -> str:
            return self._accounts.token(place.pod, audience)

        sources = VolumeSources(place.objects, token, authority, place.fields)
        wanted = {each["name"] for each in place.container.get("volumeMounts") or []}
        for volume in place.pod["spec"].get("volumes") or []:
            if volume["name"] in wanted and volume["name"] not in place.claims:
                write_files(self._volume(place, volume["name"]), volume_files(volume, place.pod, sources))
        if has_account:
            files = {"token": token("").encode(), "ca.crt": authority}
            files["namespace"] = place.pod["metadata"]["namespace"].encode()
            write_files(self._volume(place, _ACCOUNT_VOLUME), files)

    def _write_kubeconfig(self, place: ContainerPlace) -> None:
        """For programs that look for no other way in."""
        assert self._api is not None  # noqa: S101
        token = (self._volume(place, _ACCOUNT_VOLUME) / "token").read_text()
        namespace = place.pod["metadata"]["namespace"]
        config = kubeconfig(self._api.url, token=token, authority=self._api.authority, namespace=namespace)
        write_kubeconfig(self._kubeconfig_path(place), config)

    @staticmethod
    def _kubeconfig_path(place: ContainerPlace) -> Path:
        return place.directory / "volumes" / "kubeconfig"


def _as_here(text: str, mounts: Mapping[str, Path], ip: str) -> str:
    """A word, with a path below a mount path as it is here, and the pod's address where it says all addresses."""
    name, equals, value = text.partition("=")
    if equals and name.startswith("-"):
        return f"{name}={_as_here(value, mounts, ip)}"
    for path in sorted(mounts, key=len, reverse=True):
        if text == path or text.startswith(f"{path}/"):
            return str(mounts[path]) + text[len(path) :]
    found = _ALL_ADDRESSES.fullmatch(text)
    if not text or found is None:
        return text
    host = f"[{ip}]" if ":" in ip and found[1] else ip
    return f"{host}{found[1] or ''}"


def _link(root: Path, mounts: Mapping[str, Path]) -> None:
    for path, target in mounts.items():
        link = root / path.lstrip("/")
        link.parent.mkdir(parents=True, exist_ok=True)
        if not os.path.lexists(link):
            link.symlink_to(target)
