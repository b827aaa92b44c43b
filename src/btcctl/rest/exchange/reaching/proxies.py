"""Which proxy a server is reached through: the kubeconfig's, or the one that the environment names.

HTTPS_PROXY, HTTP_PROXY and NO_PROXY are read as Go's programs read them, kubectl among them
(golang.org/x/net/http/httpproxy); ALL_PROXY, which Go does not know, as curl does.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from importlib.util import find_spec
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, unquote

import msgspec

from btcctl.errors import ConfigError
from btcctl.rest.config.urls import split_url
from btcctl.secret import Secret, SecretBytes, hiding_frames

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


class Proxy(msgspec.Struct, frozen=True):
    """A proxy. Shows neither user nor password.

    Attributes:
        scheme: How it is spoken to. With socks5 as with socks5h it is the proxy that resolves names, as for kubectl.
    """

    scheme: str
    host: str
    port: int
    user: Secret = Secret()
    password: Secret = Secret()

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    def fields(self) -> list[tuple[str, str]]:
        """The header that shows it user and password, if it has any (RFC 7617)."""
        if not self.user:
            return []
        login = b64encode(SecretBytes(f"{self.user}:{self.password}".encode()))
        return [("Proxy-Authorization", Secret(f"Basic {login.decode()}"))]

    @property
    def is_socks(self) -> bool:
        return self.scheme.startswith("socks")


def proxy_for(url: SplitResult, configured: str, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy before a server; None to go there directly.

    Args:
        url: Of the server.
        configured: Its proxy as a kubeconfig names it: it is used whatever the environment says, and for loopback, too.
        environ: Asked if that is "".

    Raises:
        ConfigError: It is not the URL of a proxy, or needs what is not installed.
    """
    if configured:
        return parse_proxy(configured, "proxy-url")
    port = url.port or _PORTS[url.scheme]
    name = _variable(url.scheme, environ)
    if not name or is_exempt(url.hostname or "", port, environ.get("NO_PROXY") or environ.get("no_proxy") or ""):
        return None
    return parse_proxy(environ[name], name)


def _variable(scheme: str, environ: Mapping[str, str]) -> str:
    """The first of the environment's that names a proxy for the scheme; "" if none does."""
    names = [f"{scheme.upper()}_PROXY", f"{scheme}_proxy", "ALL_PROXY", "all_proxy"]
    if scheme == "http" and environ.get("REQUEST_METHOD"):
        names = names[1:]  # in a CGI program HTTP_PROXY is what a client says in its header "Proxy"
    return next((name for name in names if environ.get(name)), "")


@hiding_frames
def parse_proxy(text: str, what: str) -> Proxy:
    """A proxy from its URL; without a scheme it is an HTTP proxy.

    Args:
        what: Names where it stands, for errors; the URL may hold a password.

    Raises:
        ConfigError: It is not the URL of a proxy, or needs what is not installed.
    """
    wrong = f"{what} is not the URL of a proxy, like http://host:3128, https://host:3128 or socks5://host:1080"
    try:
        url = split_url(text if "://" in text else f"http://{text}")
        port = url.port
    except ValueError:
        raise ConfigError(wrong) from None
    host = url.hostname or ""
    if url.scheme not in _PORTS or not host or port == 0 or not host.isprintable() or " " in host:
        raise ConfigError(wrong)
    if url.scheme.startswith("socks") and find_spec("socks") is None:
        raise ConfigError(f"{what} names a SOCKS proxy, for which PySocks is needed: pip install 'btcctl[socks]'")
    user, password = Secret(unquote(url.username or "")), Secret(unquote(url.password or ""))
    return Proxy(url.scheme, host, port or _PORTS[url.scheme], user, password)


def is_exempt(host: str, port: int, no_proxy: str) -> bool:
    """Whether NO_PROXY, or being on this machine, keeps a server from being reached through the environment's proxy.

    Entries are `*`, addresses, networks in CIDR notation, or domains, which stand for all below them, too; with a dot
    (or `*.`) before, for those alone. All but networks may end in a port.
    """
    host = host.lower()
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    return any(_is_meant(entry.strip().lower(), host, port) for entry in no_proxy.split(","))


def _is_meant(entry: str, host: str, port: int) -> bool:
    if entry in {"", "*"}:
        return entry == "*"
    address = _address(host)
    if "/" in entry:
        try:
            return address is not None and address in ip_network(entry, strict=False)
        except ValueError:
            return False
    name, wanted_port = _split_port(entry)
    if not name or (wanted_port and wanted_port != str(port)):
        return False
    wanted = _address(name)
    if wanted is not None:
        return wanted == address
    name = name.removeprefix("*")
    return host.endswith(name) if name.startswith(".") else host == name or host.endswith(f".{name}")


def _split_port(entry: str) -> tuple[str, str]:
    """`host:port`, `[v6]:port`, or a host alone, which may be an address with colons."""
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        return name, rest.removeprefix(":")
    if entry.count(":") == 1:
        name, _, port = entry.partition(":")
        return name, port
    return entry, ""


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
