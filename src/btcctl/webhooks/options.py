"""How webhooks are served, and how API servers find them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from btcctl.controller.serving.status_server import parse_address
from btcctl.errors import ConfigError


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """Where an operator's hooks are.

    Attributes:
        bind: Where to listen: ":9443".
        namespace: Of the Service and the Secret: the operator's own.
        service: Name of the Service by which API servers reach us; the operator's name and "-webhooks" if "".
        service_port: Of the Service.
        url: Instead of a Service: "https://127.0.0.1:9443", of an operator beside the cluster.
        secret: Where all copies of the operator have the certificates; named like the Service if "".
        certificates: A directory with tls.crt, tls.key and perhaps ca.crt, instead of a Secret: somebody else,
            cert-manager for example, makes these files anew in time. Without ca.crt that somebody also tells the API
            server of the authority.

    Raises:
        ConfigError: `bind` is no address, `url` no https:// one.
    """

    bind: str = ":9443"
    namespace: str = "default"
    service: str = ""
    service_port: int = 443
    url: str = ""
    secret: str = ""
    certificates: str = ""

    def __post_init__(self) -> None:
        parse_address(self.bind)
        if not self.url:
            return
        parts = urlsplit(self.url)
        if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment or parts.username:
            raise ConfigError(f"{self.url!r} is no address of webhooks; write https://host:port")

    def service_of(self, name: str) -> str:
        """The Service of an operator of this name."""
        return self.service or f"{name}-webhooks"

    def secret_of(self, name: str) -> str:
        """Likewise its Secret."""
        return self.secret or self.service_of(name)

    def hosts(self, name: str) -> list[str]:
        """By which names API servers reach us."""
        host = urlsplit(self.url).hostname
        return [host] if host else [f"{self.service_of(name)}.{self.namespace}.svc"]

    def address(self, name: str) -> str:
        """Where an operator of this name is asked: scheme, host and port."""
        if self.url:
            return self.url.rstrip("/")
        return f"https://{self.hosts(name)[0]}:{self.service_port}"

    def client_config(self, name: str, path: str) -> dict[str, Any]:
        """`clientConfig` of a hook, without the authority."""
        if self.url:
            return {"url": f"{self.url.rstrip('/')}{path}"}
        service = {
            "namespace": self.namespace,
            "name": self.service_of(name),
            "path": path,
            "port": self.service_port,
        }
        return {"service": service}
