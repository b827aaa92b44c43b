"""What a server shows of itself."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from datetime import datetime

from btcctl.certificates.issuing import Certificates, expiry_of
from btcctl.clock import Clock
from btcctl.errors import ConfigError, describe_error
from btcctl.logging import get_logger
from btcctl.named_files import in_memory

logger = get_logger(__name__)


class Identity:
    """What a server shows of itself: the newest certificate. Thread-safe.

    Args:
        served: What is served with it, for people: "webhooks".

    Attributes:
        on_change: Called when there is another.
    """

    def __init__(self, served: str, clock: Clock) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self.served = served
        self._clock = clock
        self._lock = threading.Lock()  # guards what follows
        self._certificates: Certificates | None = None
        self._context: ssl.SSLContext | None = None
        self._expiry: datetime | None = None

    @property
    def context(self) -> ssl.SSLContext | None:
        """For new connections; None as long as there is no certificate."""
        with self._lock:
            return self._context

    @property
    def authorities(self) -> bytes | None:
        """PEM: who is to be believed; b"" if somebody else says that; None as long as there is no certificate."""
        with self._lock:
            return None if self._certificates is None else self._certificates.authorities

    @property
    def expiry(self) -> datetime | None:
        """When the certificate ends."""
        with self._lock:
            return self._expiry

    def use(self, certificates: Certificates) -> None:
        """Show this one from now on.

        Raises:
            ConfigError: It is none, or its key is another's.
        """
        with self._lock:
            if certificates == self._certificates:
                return
        try:
            context, expiry = _context(certificates), expiry_of(certificates.certificate)
        except (ValueError, OSError) as error:  # ssl.SSLError is an OSError
            raise ConfigError(f"the certificate cannot be used: {describe_error(error)}") from None
        with self._lock:
            self._certificates, self._context, self._expiry = certificates, context, expiry
        logger.info("serving with another certificate", what=self.served, expires=expiry.isoformat())
        self.on_change()

    def problem(self) -> str:
        """Why nobody would believe us; "" if one does."""
        expiry = self.expiry
        if expiry is None:
            return "there is no certificate yet"
        return "" if self._clock.wall_time() < expiry else f"the certificate ended {expiry.isoformat()}"


def _context(certificates: Certificates) -> ssl.SSLContext:
    """For the server. The key does not touch a disk: `ssl` reads files only, so it is given one that is in memory."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION  # who sends need not read meanwhile
    context.set_alpn_protocols(["http/1.1"])
    with in_memory(certificates.key.rstrip() + b"\n" + certificates.certificate) as name:
        context.load_cert_chain(name)
    return context
