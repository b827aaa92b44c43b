"""Where the certificates are kept, and how they come to the server: by a Secret, or by files that somebody else makes.

Every copy of the operator looks after the Secret, whether it leads or not: a copy that is to lead next has to serve
before that. A write carries the version that was read, so of two copies one comes too late, reads again, and finds
nothing left to do.
"""

from __future__ import annotations

import base64
import os
import ssl
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from btcctl.clock import Clock
from btcctl.controller.reconciling.result import Result
from btcctl.errors import ConfigError, describe_error
from btcctl.informers.cache.lister import Lister
from btcctl.logging import get_logger
from btcctl.objects import Object, ObjectKey
from btcctl.rest.collection.resource import Resource
from btcctl.secret import SecretBytes
from btcctl.threads import Runner, Stop
from btcctl.webhooks.trust.certificates import Certificates, due_seconds, expiry_of, renewed

logger = get_logger(__name__)

_LOOK_SECONDS = 5.0  # from one look at files to the next
_FILES = ("tls.crt", "tls.key", "ca.crt", "ca.key")  # the first two as of kubernetes.io/tls


class Identity:
    """What the server shows of itself: the newest certificate. Thread-safe.

    Attributes:
        on_change: Called when there is another.
    """

    def __init__(self, clock: Clock) -> None:
        self.on_change: Callable[[], None] = lambda: None
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
        logger.info("serving webhooks with another certificate", expires=expiry.isoformat())
        self.on_change()

    def problem(self) -> str:
        """Why no API server would believe us; "" if one does."""
        expiry = self.expiry
        if expiry is None:
            return "there is no certificate yet"
        return "" if self._clock.wall_time() < expiry else f"the certificate ended {expiry.isoformat()}"


class SecretKeeper:
    """Keeps the certificates in a Secret, and makes them anew in time: the reconcile of a controller.

    A Secret without a key of the authority is somebody else's, cert-manager's for example: it is only read.

    Args:
        secrets: Of the Secret's namespace, to write it, whether this process leads or not.
        lister: The cache with the Secret.
        hosts: For which the certificate is to be.
    """

    def __init__(
        self, key: ObjectKey, secrets: Resource, lister: Lister, identity: Identity, hosts: Sequence[str], clock: Clock
    ) -> None:
        self._key = key
        self._secrets = secrets
        self._lister = lister
        self._identity = identity
        self._hosts = hosts
        self._clock = clock

    def reconcile(self, _key: ObjectKey) -> Result:
        """Bring the Secret up to date, and have the server use it."""
        secret = self._lister.get(self._key)
        current = None if secret is None else _certificates_in(secret)
        if current is not None and not current.authority_key:
            self._identity.use(current)
            return Result()
        now = self._clock.wall_time()
        wanted = renewed(current, self._hosts, now)
        if wanted is not current:
            self._write(secret, wanted)
        self._identity.use(wanted)
        return Result(requeue_after=due_seconds(wanted, now), background=True)

    def _write(self, secret: Object | None, wanted: Certificates) -> None:
        texts = (wanted.certificate, wanted.key, wanted.authorities, wanted.authority_key)
        data = {name: base64.b64encode(text).decode() for name, text in zip(_FILES, texts, strict=True)}
        if secret is None:
            metadata = {"name": self._key.name, "namespace": self._key.namespace}
            self._secrets.create({"metadata": metadata, "type": "kubernetes.io/tls", "data": data})
        else:
            body = secret.body()
            self._secrets.update({**body, "data": {**(body.get("data") or {}), **data}})
        logger.info("made certificates for webhooks", secret=str(self._key), hosts=[*self._hosts])


class FileKeeper:
    """Has the server use files that somebody else makes, and makes anew in time. A service.

    Args:
        directory: Of tls.crt, tls.key and perhaps ca.crt.
    """

    def __init__(self, directory: str, identity: Identity, clock: Clock) -> None:
        self._directory = Path(directory)
        self._identity = identity
        self._runner = Runner("webhook-certificates", self.run, clock=clock)
        self._complaint = ""

    def start(self) -> None:
        """Read them, and look at them again from time to time in a thread.

        Raises:
            ConfigError: They are not there, or cannot be used.
        """
        self.read()
        self._runner.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Look no more. Idempotent."""
        self._runner.stop(timeout)

    def run(self, stop: Stop) -> None:
        """Look until `stop` is set. Blocks."""
        while not stop.wait(_LOOK_SECONDS):
            try:
                self.read()
                self._complaint = ""
            except ConfigError as error:  # half written, perhaps: the old ones serve meanwhile
                if str(error) != self._complaint:
                    logger.warning("certificates of webhooks cannot be read", error=describe_error(error))
                self._complaint = str(error)

    def read(self) -> None:
        """Use what there is now.

        Raises:
            ConfigError: It is not there, or cannot be used.
        """
        try:
            certificate, key = ((self._directory / name).read_bytes() for name in _FILES[:2])
        except OSError as error:
            raise ConfigError(f"{error.filename}: {error.strerror}") from None
        try:
            authorities = (self._directory / _FILES[2]).read_bytes()
        except OSError:
            authorities = b""
        self._identity.use(Certificates(certificate, SecretBytes(key), authorities))


def _certificates_in(secret: Object) -> Certificates | None:
    data: dict[str, Any] = secret.body().get("data") or {}
    try:
        texts = [base64.b64decode(data.get(name) or "", validate=True) for name in _FILES]
    except ValueError:
        return None
    certificate, key, authorities, authority_key = texts
    if not (certificate and key):
        return None
    return Certificates(certificate, SecretBytes(key), authorities, SecretBytes(authority_key))


def _context(certificates: Certificates) -> ssl.SSLContext:
    """For the server. The key does not touch a disk: `ssl` reads files only, so it is given one that is in memory."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    descriptor = os.memfd_create("webhooks", os.MFD_CLOEXEC)
    with os.fdopen(descriptor, "wb") as file:
        file.write(certificates.key.rstrip() + b"\n" + certificates.certificate)
        file.flush()
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    return context
