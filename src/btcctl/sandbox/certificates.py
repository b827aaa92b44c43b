"""A certificate for an API server on loopback: kubectl sends no token over plain HTTP."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.testing.control_plane.pki import Authority

_NAME = "btcctl sandbox"
_VALID = timedelta(days=365)  # a sandbox may stay up


@dataclass(frozen=True, slots=True)
class Identity:
    """What clients trust, and what the server shows."""

    certificate: bytes  #: PEM, of the authority that clients trust
    context: ssl.SSLContext  #: for the server


def make_identity(directory: Path, address: str = "127.0.0.1", clock: Clock = SYSTEM_CLOCK) -> Identity:
    """Make a fresh authority, and a certificate by it for `address` and localhost.

    Args:
        directory: Where the key may live; only we can read it there.
    """
    authority = Authority(clock, name=_NAME, valid=_VALID)
    pair = authority.issue_server([address], ["localhost"])
    path = directory / "server.pem"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(pair.key + pair.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(path)
    return Identity(authority.certificate, context)
