"""Where the API server is, and how to speak to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from btcctl.errors import ConfigError
from btcctl.logging import scrub
from btcctl.rest.config.impersonation import Impersonation
from btcctl.rest.config.tls import Tls
from btcctl.rest.config.urls import split_url
from btcctl.rest.credentials import Credentials, StaticCredentials
from btcctl.secret import Secret


@dataclass(frozen=True)
class ClientConfig:
    """All a transport needs to know. Carries secrets, and shows none in its repr.

    Raises:
        ConfigError: `host` is not an http or https URL.
    """

    host: str  #: "https://host:port[/prefix]"
    source: str = "given by the program"  #: for people: "kubeconfig FILE, context X", "in-cluster"
    namespace: str = "default"
    credentials: Credentials = field(default=StaticCredentials(), repr=False)
    tls: Tls = field(default_factory=Tls)
    #: Whom to act as, in every request; None for ourselves.
    impersonation: Impersonation | None = None
    #: What TLS is made of now, where that can change (exec plugins that issue certificates).
    current_tls: Callable[[], Tls] | None = field(default=None, repr=False)
    #: The proxy on the way, as a kubeconfig's `proxy-url` names it; "" for none. May hold a password.
    proxy_url: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        try:
            parts = split_url(self.host)
            port_is_fine = parts.port is None or parts.port > 0
        except ValueError:
            port_is_fine = False
        if not port_is_fine or parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError(f"server {scrub(self.host)!r} ({self.source}) is not a URL like https://host:6443")
        if parts.username is not None:
            raise ConfigError(f"the server's URL ({self.source}) has a user name in it; put credentials under users")
        object.__setattr__(self, "proxy_url", Secret(self.proxy_url))

    def acting_as(self, user: str = "", uid: str = "", groups: Sequence[str] = ()) -> Self:
        """The same, acting as another user. What is not given stays as it was: as kubectl's flags do.

        Raises:
            ConfigError: There is a uid or a group, and no user.
        """
        if not (user or uid or groups):
            return self
        before = self.impersonation
        changed = Impersonation(
            user or ("" if before is None else before.user),
            uid or ("" if before is None else before.uid),
            tuple(groups) or (() if before is None else before.groups),
            {} if before is None else before.extra,
        )
        return replace(self, impersonation=changed)
