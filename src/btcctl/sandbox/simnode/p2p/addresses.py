"""The spellings of a peer's address."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

DEFAULT_PORT = 18444  #: regtest


class Endpoint(NamedTuple):
    """A numeric address in its one canonical spelling, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def of_socket(cls, name: tuple[str, int]) -> Endpoint:
        """From what `getsockname` and `getpeername` return."""
        return cls(name[0], name[1])


def parse_endpoint(text: str, default_port: int = DEFAULT_PORT) -> Endpoint | None:
    """Read `1.2.3.4`, `1.2.3.4:5`, `::1`, `[::1]` or `[::1]:5`; an IPv4-mapped IPv6 address is the IPv4 one.

    Returns:
        None for everything else: names, ports outside 1–65535, addresses nobody can have.
    """
    host, port = _split_port(text, default_port)
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_unspecified or str(address) == "255.255.255.255":
        return None
    return Endpoint(str(address), port)


def _split_port(text: str, default_port: int) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    separates = colon and (host.endswith("]") or ":" not in host)
    if separates and port.isascii() and port.isdigit() and 0 < int(port) <= 65535:
        return host, int(port)
    return text, default_port
