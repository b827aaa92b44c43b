"""Free ports that stay free while a server restarts."""

from __future__ import annotations

import contextlib
import random
import socket
from pathlib import Path

from btcctl.testing.control_plane.errors import ControlPlaneError

_LOWEST = 10_000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_EPHEMERAL_FROM = 32_768  # Linux' default, and below that of the BSDs
_ATTEMPTS = 200


def free_ports(count: int, address: str = "127.0.0.1") -> list[int]:
    """Different ports that are free.

    From below the ephemeral range: while a server is down, no outgoing connection may get its
    port, least of all that of a client which tries to reach it (it would connect to itself).

    Raises:
        ControlPlaneError: There are none.
    """
    found: set[int] = set()
    top = max(_ephemeral_from(), _LOWEST + 1000)
    for _ in range(_ATTEMPTS):
        if len(found) == count:
            return sorted(found)
        port = random.randrange(_LOWEST, top)
        if _is_free(address, port):
            found.add(port)
    raise ControlPlaneError(f"no free ports on {address} between {_LOWEST} and {top}")


def _ephemeral_from() -> int:
    with contextlib.suppress(OSError, ValueError):
        return int(_EPHEMERAL.read_text(encoding="ascii").split()[0])
    return _EPHEMERAL_FROM


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
