"""Several files as one: which cluster and user a context means, with absolute paths, and where each stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from btcctl.errors import ConfigError
from btcctl.logging import get_logger
from btcctl.named_files import shown_name
from btcctl.rest.kubeconfig.documents import read
from btcctl.rest.kubeconfig.fields import Cluster, Context, Document, User, checked

logger = get_logger(__name__)

_PROVIDER_CA = "idp-certificate-authority"

E = TypeVar("E", Cluster, User, Context)


class Found(msgspec.Struct, Generic[E], frozen=True):
    """An entry and where it stands, for messages: "kubeconfig FILE: users[0].user"."""

    entry: E
    place: str

    def at(self, field: str) -> str:
        """A field of it, as messages name it."""
        return f"{self.place}.{field}"


class Chosen(msgspec.Struct, frozen=True):
    """What one context comes to."""

    source: str  #: "kubeconfig FILE, context NAME"
    namespace: str
    cluster: Found[Cluster]
    user: Found[User]


class Merged:
    """Some files, read and merged: of entries with one name the first file's counts.

    Raises:
        ConfigError: A file cannot be read, or is no kubeconfig.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._where = f"kubeconfig {names(paths)}"
        self._current = ""
        self._contexts: dict[str, Found[Context]] = {}
        self._clusters: dict[str, Found[Cluster]] = {}
        self._users: dict[str, Found[User]] = {}
        for path in paths:
            self._add(checked(read(path), path), path)

    @property
    def contexts(self) -> list[str]:
        """The names of all contexts."""
        return [*self._contexts]

    def choose(self, context_name: str | None) -> Chosen:
        """The cluster and the user of a context; the current one if None.

        A context need not name a user: nothing is sent then that says who we are.

        Raises:
            ConfigError: There is no such context, or not its cluster.
        """
        name = context_name or self._current
        if not name:
            raise ConfigError(
                f"{self._where} has no current-context; choose one with --context{_known('contexts', self._contexts)}"
            )
        source = f"{self._where}, context {name}"
        context = self._contexts.get(name)
        if context is None:
            raise ConfigError(f"{self._where} has no context {name!r}{_known('contexts', self._contexts)}")
        if not context.entry.cluster:
            raise ConfigError(f"{source}: the context names no cluster: give {context.at('cluster')}")
        cluster = self._clusters.get(context.entry.cluster)
        if cluster is None:
            raise ConfigError(
                f"{source}: there is no cluster {context.entry.cluster!r}{_known('clusters', self._clusters)}"
            )
        return Chosen(source, context.entry.namespace or "default", cluster, self._user_of(context, source))

    def _user_of(self, context: Found[Context], source: str) -> Found[User]:
        name = context.entry.user
        user = self._users.get(name)
        if user is not None:
            return user
        if name:  # kubectl goes on without a word
            logger.warning("the context's user is not in the kubeconfig: going on as no user", user=name, source=source)
        return Found(User(), f"{source}: no user")

    def _add(self, document: Document, path: Path) -> None:
        self._current = self._current or document.current_context
        directory = path.absolute().parent
        sections = (
            ("clusters", "cluster", document.clusters, self._clusters),
            ("users", "user", document.users, self._users),
            ("contexts", "context", document.contexts, self._contexts),
        )
        for section, kind, listed, known in sections:
            here: set[str] = set()
            for index, each in enumerate(listed):
                name = "" if each is None else each.name
                if name in here:
                    raise ConfigError(f"kubeconfig {path}: {section}[{index}].name: there are two {section} {name!r}")
                here.add(name)
                place = f"kubeconfig {path}: {section}[{index}].{kind}"
                if each is not None:
                    entry = _with_absolute_paths(getattr(each, kind), directory, place)
                    known.setdefault(name, Found(entry, place))


def names(paths: Sequence[Path]) -> str:
    return ", ".join(shown_name(path) for path in paths)


def _known(section: str, found: Iterable[str]) -> str:
    known = ", ".join(sorted(each for each in found if each))
    return f"; {section} there: {known}" if known else f"; it has no {section}"


def _with_absolute_paths(entry: E, directory: Path, place: str) -> E:
    """Paths in a kubeconfig are relative to the file, and only there is it known which."""

    def absolute(value: str, field: str, applies: Callable[[str], bool] = bool) -> str:
        if "\0" in value:
            raise ConfigError(f"{place}.{field} has a null character, which no path has")
        return str(directory / value) if applies(value) else value

    if isinstance(entry, Cluster):
        authority = absolute(entry.certificate_authority, "certificate-authority")
        return msgspec.structs.replace(entry, certificate_authority=authority)
    if not isinstance(entry, User):
        return entry
    plugin = entry.exec
    if plugin is not None:  # a command without a slash is looked up on PATH
        command = absolute(plugin.command, "exec.command", lambda value: "/" in value)
        plugin = msgspec.structs.replace(plugin, command=command)
    provider = entry.auth_provider
    if provider is not None and provider.config.get(_PROVIDER_CA):
        path = absolute(provider.config[_PROVIDER_CA], f"auth-provider.config.{_PROVIDER_CA}")
        provider = msgspec.structs.replace(provider, config={**provider.config, _PROVIDER_CA: path})
    return msgspec.structs.replace(
        entry,
        auth_provider=provider,
        client_certificate=absolute(entry.client_certificate, "client-certificate"),
        client_key=absolute(entry.client_key, "client-key"),
        token_file=absolute(entry.token_file, "tokenFile"),
        exec=plugin,
    )
