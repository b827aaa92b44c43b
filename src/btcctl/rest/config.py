"""Where the API server is, and how to speak to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from btcctl.errors import ConfigError
from btcctl.rest.credentials import Credentials, StaticCredentials
from btcctl.rest.tls import Tls


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
    #: What TLS is made of now, where that can change (exec plugins that issue certificates).
    current_tls: Callable[[], Tls] | None = field(default=None, repr=False)
    #: The proxy on the way, as a kubeconfig's `proxy-url` names it; "" for none. May hold a password.
    proxy_url: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.host)
            port_is_fine = parts.port is None or parts.port > 0
        except ValueError:
            port_is_fine = False
        if not port_is_fine or parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError(f"server {self.host!r} ({self.source}) is not a URL like https://host:6443")
        if parts.username is not None:
            raise ConfigError(f"the server's URL ({self.source}) has a user name in it; put credentials under users")


def load_config(
    kubeconfig: Path | None = None,
    context: str | None = None,
    environ: Mapping[str, str] = os.environ,
    *,
    service_account: Path | None = None,
) -> ClientConfig:
    """Find the API server: the argument, $KUBECONFIG, in-cluster, ~/.kube/config, in that order.

    Args:
        kubeconfig: A file that must exist, or None.
        context: A context in the kubeconfig, instead of its current one. Being in a cluster
            does not count then: a service account has no contexts.
        environ: Where KUBECONFIG, HOME and KUBERNETES_SERVICE_* are looked up.
        service_account: Directory of token, CA and namespace, if not the usual one.

    Raises:
        ConfigError: Nothing was found, or what was found first is wrong; says what to do.
    """
    from btcctl.rest import in_cluster  # noqa: PLC0415 - needs ClientConfig
    from btcctl.rest import kubeconfig as kubeconfigs  # noqa: PLC0415 - likewise

    directory = in_cluster.SERVICE_ACCOUNT if service_account is None else service_account
    if kubeconfig is not None:
        return kubeconfigs.load([kubeconfig], context)
    listed = [Path(each).expanduser() for each in environ.get("KUBECONFIG", "").split(os.pathsep) if each]
    if listed:
        return kubeconfigs.load(listed, context)
    if context is None and in_cluster.is_in_cluster(environ):
        return in_cluster.load(environ, directory)
    usual = Path(environ.get("HOME") or Path.home()) / ".kube" / "config"
    if usual.exists():
        return kubeconfigs.load([usual], context)
    raise ConfigError(
        f"no cluster configured: no --kubeconfig given, KUBECONFIG is not set, this is not a pod, "
        f"and {usual} does not exist; give --kubeconfig FILE"
    )
