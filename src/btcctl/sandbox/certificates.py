"""A certificate for an API server on loopback: kubectl sends no token over plain HTTP."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.testing.control_plane.pki import Authority

_NAME = "btcctl sandbox"
_VALID = timedelta(days=3650)  # a sandbox may stay up, and what it keeps may be kept for long


@dataclass(frozen=True, slots=True)
class Identity:
    """What clients trust, and what the server shows; both PEM."""

    authority: bytes  #: the certificate that clients trust
    server: bytes = field(repr=False)  #: the server's key and certificate

    def context(self, directory: Path) -> ssl.SSLContext:
        """What a server listens with.

        Args:
            directory: Where the key may live; only we can read it there.

        Raises:
            OSError: It cannot be written, or this is no key with a certificate.
        """
        path = directory / "server.pem"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(self.server)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(path)
        return context


def make_identity(address: str = "127.0.0.1", clock: Clock = SYSTEM_CLOCK) -> Identity:
    """Make a fresh authority, and a certificate by it for `address` and localhost."""
    authority = Authority(clock, name=_NAME, valid=_VALID)
    pair = authority.issue_server([address], ["localhost"])
    return Identity(authority.certificate, pair.key + pair.certificate)
