"""Kubeconfig files: found, merged and checked here; `btcctl.rest.login` makes use of them.

Source: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import ConfigError
from btcctl.rest.config import ClientConfig
from btcctl.rest.login import Login

_SECTIONS = {"contexts": "context", "clusters": "cluster", "users": "user"}


def load(paths: Sequence[Path], context: str | None = None, *, clock: Clock = SYSTEM_CLOCK) -> ClientConfig:
    """Log in as one context of the files says.

    Args:
        paths: Merged: the first file that has a name wins. Those that do not exist are skipped,
            unless all are missing.
        context: Its name; the current one if None.

    Raises:
        ConfigError: Says what is wrong with which file, and what to do.
    """
    existing = [path for path in paths if path.exists()]
    if not existing:
        raise ConfigError(f"kubeconfig {_names(paths)} does not exist")
    return Kubeconfig(existing).client_config(context, clock)


class Kubeconfig:
    """Some files, read and merged."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._where = f"kubeconfig {_names(paths)}"
        self._current = ""
        self._entries: dict[str, dict[str, dict[str, Any]]] = {section: {} for section in _SECTIONS}
        for path in paths:
            self._merge(path.absolute())

    def client_config(self, context_name: str | None, clock: Clock = SYSTEM_CLOCK) -> ClientConfig:
        """The configuration of one context.

        Raises:
            ConfigError: The context, its cluster or its user is missing or unusable.
        """
        name = context_name or self._current
        if not name:
            raise ConfigError(
                f"{self._where} has no current-context; choose one with --context{self._known('contexts')}"
            )
        context = self._find("contexts", name, f"{self._where} has no context {name!r}")
        source = f"{self._where}, context {name}"
        cluster = self._find("clusters", *self._named(context, "cluster", source))
        user = self._find("users", *self._named(context, "user", source))
        _refuse_unsupported(cluster, user, source)
        host = cluster.get("server")
        if not host:
            raise ConfigError(f"{source}: its cluster has no server")
        login = Login(cluster, user, source, clock=clock)
        return ClientConfig(
            host=str(host),
            source=source,
            namespace=context.get("namespace") or "default",
            credentials=login,
            tls=login.tls(),
            current_tls=login.tls,
        )

    def _named(self, context: Mapping[str, Any], kind: str, source: str) -> tuple[str, str]:
        """The name a context gives for a kind of entry, and the complaint if there is none."""
        name = context.get(kind)
        if not name:
            raise ConfigError(f"{source}: the context names no {kind}")
        return str(name), f"{source}: there is no {kind} {name!r}"

    def _find(self, section: str, name: str, complaint: str) -> dict[str, Any]:
        entry = self._entries[section].get(name)
        if entry is None:
            raise ConfigError(f"{complaint}{self._known(section)}")
        return entry

    def _known(self, section: str) -> str:
        names = sorted(self._entries[section])
        return f"; {section} there: {', '.join(names)}" if names else f"; it has no {section}"

    def _merge(self, path: Path) -> None:
        document = _read(path)
        self._current = self._current or str(document.get("current-context") or "")
        for section, kind in _SECTIONS.items():
            for name, entry in _entries(document, section, kind, path):
                self._entries[section].setdefault(name, _with_absolute_paths(entry, path.parent))


def _names(paths: Sequence[Path]) -> str:
    return ", ".join(str(path) for path in paths)


def _read(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"kubeconfig {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"kubeconfig {path} is not text") from error
    except yaml.YAMLError as error:
        # Its own text quotes the file, and the file holds secrets.
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise ConfigError(f"kubeconfig {path}{line}: not YAML: {getattr(error, 'problem', None)}") from None
    if document is None:
        raise ConfigError(f"kubeconfig {path} is empty")
    if not isinstance(document, dict):
        raise ConfigError(f"kubeconfig {path} is not a kubeconfig: no mapping at its top")
    return document


def _entries(document: Mapping[str, Any], section: str, kind: str, path: Path) -> list[tuple[str, dict[str, Any]]]:
    listed = document.get(section) or []
    try:
        return [(str(each["name"]), dict(each.get(kind) or {})) for each in listed]
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise ConfigError(f"kubeconfig {path}: {section} must be a list of entries with name and {kind}") from error


def _with_absolute_paths(entry: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Paths in a kubeconfig are relative to the file, and only there is it known which."""

    def absolute(holder: Any, name: str, applies: Callable[[str], bool] = bool) -> None:
        if isinstance(holder, dict) and isinstance(holder.get(name), str) and applies(holder[name]):
            holder[name] = str(directory / holder[name])

    for name in ("certificate-authority", "client-certificate", "client-key", "tokenFile"):
        absolute(entry, name)
    absolute(entry.get("exec"), "command", lambda command: "/" in command)  # else it is looked up on PATH
    absolute((entry.get("auth-provider") or {}).get("config"), "idp-certificate-authority")
    return entry


def _refuse_unsupported(cluster: Mapping[str, Any], user: Mapping[str, Any], source: str) -> None:
    """Ignoring these would talk to another server, or as another user, than was asked for."""
    if cluster.get("proxy-url"):
        raise ConfigError(f"{source}: proxy-url is not supported")
    if any(name == "as" or name.startswith("as-") for name in user):
        raise ConfigError(f"{source}: impersonation (as) is not supported")
