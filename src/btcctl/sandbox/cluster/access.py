"""How to reach an API server: for clients of ours, and as a kubeconfig for everybody else's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml

from btcctl.apiserver.network.kubeconfig import kubeconfig as token_kubeconfig
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.config.tls import Tls
from btcctl.rest.credentials import StaticCredentials
from btcctl.rest.loading import load_config


@dataclass(frozen=True, slots=True)
class Access:
    """An API server, and credentials there.

    Attributes:
        config: For `ApiClient.from_config`.
        kubeconfig: The same for `kubectl`. Carries the credentials.
    """

    config: ClientConfig
    kubeconfig: dict[str, Any]

    @classmethod
    def with_token(cls, url: str, token: str, authority: bytes = b"") -> Self:
        """By a bearer token.

        Args:
            authority: PEM certificates to trust; empty for http and for the system's.
        """
        tls = Tls(ca_data=authority, ca_source="sandbox") if authority else Tls()
        config = ClientConfig(url, "sandbox", credentials=StaticCredentials.bearer(token), tls=tls)
        return cls(config, token_kubeconfig(url, token=token, authority=authority))

    @classmethod
    def by_file(cls, path: Path) -> Self:
        """As a kubeconfig's current context says. The file must not refer to others by relative paths.

        Raises:
            ConfigError: The file says nothing useful.
        """
        config = load_config(path)
        return cls(config, yaml.safe_load(path.read_text(encoding="utf-8")))

    @property
    def url(self) -> str:
        return self.config.host
