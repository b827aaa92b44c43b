"""From kubeconfig files to a ClientConfig."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import ConfigError
from btcctl.logging import scrub
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.config.impersonation import Impersonation
from btcctl.rest.config.urls import split_url
from btcctl.rest.kubeconfig.fields import Cluster, User
from btcctl.rest.kubeconfig.login import Login
from btcctl.rest.kubeconfig.merging import Found, Merged
from btcctl.secret import Secret, hiding_frames

PROXY_SCHEMES = ("http", "https", "socks5")


@hiding_frames
def load(paths: Sequence[Path], context: str | None = None, *, clock: Clock = SYSTEM_CLOCK) -> ClientConfig:
    """Log in as one context of the files says.

    Args:
        paths: Merged: the first file that has a name wins. Those that do not exist are skipped,
            unless all are missing.
        context: Its name; the current one if None.

    Raises:
        ConfigError: Says what is wrong with which file and field, and what to do.
        DeadlineExceeded: `btcctl.deadline` left no time for a login.
    """
    login = Login(paths, context, clock=clock)
    chosen = login.chosen
    return ClientConfig(
        host=_host(chosen.cluster, chosen.user),
        source=chosen.source,
        namespace=chosen.namespace,
        credentials=login,
        tls=login.tls(),
        current_tls=login.tls,
        impersonation=_impersonation(chosen.user),
        proxy_url=_proxy_url(chosen.cluster),
    )


def contexts_in(paths: Sequence[Path]) -> list[str]:
    """The names of the contexts in these files.

    Raises:
        ConfigError: A file cannot be read, or is no kubeconfig.
    """
    return Merged(paths).contexts


def _host(cluster: Found[Cluster], user: Found[User]) -> str:
    """The server's URL. kubectl takes one without a scheme: https if there is anything about TLS, http otherwise."""
    server, place = cluster.entry.server, cluster.at("server")
    if not server:
        raise ConfigError(f"{place} is missing: where is the API server? Write https://HOST:PORT")
    try:
        split_url(server if "://" in server else f"https://{server}")
    except ValueError as error:
        raise ConfigError(f"{place} {scrub(server)!r} is not a URL like https://host:6443: {error}") from None
    if "://" in server:
        return server
    entry = cluster.entry
    if entry.insecure_skip_tls_verify or entry.certificate_authority or entry.certificate_authority_data:
        return f"https://{server}"
    if user.entry != User():  # kubectl leaves the credentials out
        raise ConfigError(f"{place} {server!r} has no scheme: write https:// or http:// before it")
    return f"http://{server}"


def _proxy_url(cluster: Found[Cluster]) -> str:
    """As it stands there.

    Raises:
        ConfigError: kubectl would not take it. Not quoted: it may hold a password.
    """
    url, place = Secret(cluster.entry.proxy_url), cluster.at("proxy-url")
    if not url:
        return ""
    try:
        parts = split_url(url)
        is_fine = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_fine = False
    if not is_fine:
        raise ConfigError(f"{place} is not a URL like http://proxy:3128")
    if parts.scheme not in PROXY_SCHEMES:
        raise ConfigError(f"{place} has the scheme {parts.scheme!r}; use one of {', '.join(PROXY_SCHEMES)}")
    return url


def _impersonation(user: Found[User]) -> Impersonation | None:
    entry = user.entry
    groups = tuple(each or "" for each in entry.impersonate_groups)
    extra = {name: tuple(each or "" for each in values) for name, values in entry.impersonate_extra.items()}
    if not (entry.impersonate or entry.impersonate_uid or groups or extra):
        return None
    if not entry.impersonate:
        raise ConfigError(f"{user.place} has as-uid, as-groups or as-user-extra without as: name the user, too")
    try:
        return Impersonation(entry.impersonate, entry.impersonate_uid, groups, extra)
    except ConfigError as error:
        raise ConfigError(f"{user.place}: {error}") from error
