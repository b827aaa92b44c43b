"""Whom we trust and what we show: TLS contexts that follow their files as they rotate."""

from __future__ import annotations

import base64
import contextlib
import math
import os
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import ConfigError
from btcctl.logging import get_logger
from btcctl.named_files import check_file, in_memory, read_file
from btcctl.secret import SecretBytes

logger = get_logger(__name__)

_CERTIFICATE = re.compile(
    rb"^-----BEGIN CERTIFICATE-----[ \t]*\r?\n(.*?)^-----END CERTIFICATE-----", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Tls:
    """What a TLS connection to the API server is made of.

    Files are watched; data is taken as it is. The client certificate is `client_data`, or else
    the two files.
    """

    ca_file: Path | None = None  #: None and no data: the system's CAs
    ca_data: bytes | None = field(default=None, repr=False)  #: PEM
    ca_source: str = "the system's CA certificates"  #: for messages
    client_certificate_file: Path | None = None
    client_key_file: Path | None = None
    client_data: bytes | None = field(default=None, repr=False)  #: PEM: certificate chain, then key
    server_name: str = ""  #: expected in the certificate instead of the host's
    insecure: bool = False  #: verify nothing, because the kubeconfig says so

    def __post_init__(self) -> None:
        if self.client_data is not None:
            object.__setattr__(self, "client_data", SecretBytes(self.client_data))

    @property
    def files(self) -> list[Path]:
        """The files a context depends on."""
        named = (self.ca_file, self.client_certificate_file, self.client_key_file)
        return [path for path in named if path is not None]


class TlsSocket(ssl.SSLSocket):
    """CPython loses a socket, open, if it breaks off just before the handshake: this one is closed when dropped."""

    def operations(self) -> tuple[Callable[[int], bytes], Callable[[Any], int]]:
        """To read and to write, without the standard library's checks, which ask four times whether it is connected.

        What they raise is OpenSSL's: an end without a farewell is an `ssl.SSLEOFError`.

        Raises:
            ConnectionResetError: The connection ended before the handshake, which the standard library then leaves
                out without a word.
        """
        tls: Any = self._sslobj  # type: ignore[attr-defined]
        if tls is None:
            raise ConnectionResetError("the connection ended before the TLS handshake")
        return tls.read, tls.write

    def __del__(self) -> None:
        self.close()


def build_context(tls: Tls) -> ssl.SSLContext:
    """Read every file and make a context.

    Unlike `ssl.create_default_context` this trusts what the Kubernetes clients in Go trust: an
    intermediate certificate given as CA, and CAs without the extensions RFC 5280 asks for.

    Raises:
        ConfigError: A file is missing or is not what it should be; names it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslsocket_class = TlsSocket
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        _trust(context, tls)
    _show(context, tls)
    return context


def build_proxy_context(tls: Tls) -> ssl.SSLContext:
    """For a proxy before the API server: trusts what is trusted of the server and the system's CAs, and shows nothing.

    Raises:
        ConfigError: A file is missing or is not what it should be; names it.
    """
    public = replace(tls, client_certificate_file=None, client_key_file=None, client_data=None)
    context = build_context(public)
    if not tls.insecure:
        try:
            _trust_system(context)
        except OSError as error:
            raise ConfigError(f"the system's CA certificates: {_reason(error)}") from error
    return context


def _trust_system(context: ssl.SSLContext) -> None:
    """OpenSSL reads what $SSL_CERT_FILE names, whatever it is; what is not there it leaves out."""
    with contextlib.suppress(FileNotFoundError):
        if named := os.environ.get("SSL_CERT_FILE"):
            check_file(named)
    context.load_default_certs()


def _trust(context: ssl.SSLContext, tls: Tls) -> None:
    try:
        if tls.ca_file is not None:
            _trust_pem(context, read_file(tls.ca_file))
        elif tls.ca_data is not None:
            _trust_pem(context, tls.ca_data)
        else:
            _trust_system(context)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise ConfigError(f"CA certificate ({tls.ca_source}): {_reason(error)}") from error


def _trust_pem(context: ssl.SSLContext, pem: bytes) -> None:
    """Trust every certificate in it. As in Go (x509.CertPool.AppendCertsFromPEM) the rest is skipped: comments in
    any encoding, other blocks, and certificates that cannot be read, if there is one that can."""
    found, last = 0, ValueError("no certificate")
    for block in _CERTIFICATE.finditer(pem):
        try:
            context.load_verify_locations(cadata=base64.b64decode(b"".join(block[1].split()), validate=True))
            found += 1
        except ValueError as error:  # binascii.Error is one
            last = error
        except ssl.SSLError as error:
            last = ValueError(error.reason)
    if not found:
        raise last


def _show(context: ssl.SSLContext, tls: Tls) -> None:
    try:
        if tls.client_data is not None:
            _load_from_memory(context, tls.client_data)
        elif tls.client_certificate_file is not None:
            for name in filter(None, (tls.client_certificate_file, tls.client_key_file)):
                check_file(name)
            context.load_cert_chain(tls.client_certificate_file, tls.client_key_file, password=_no_password)
    except OSError as error:
        where = tls.client_certificate_file or "embedded in the kubeconfig"
        raise ConfigError(f"client certificate ({where}): {_reason(error)}") from error


def _load_from_memory(context: ssl.SSLContext, data: bytes) -> None:
    """OpenSSL takes a client certificate only from a file: in memory, as a container may have no other place."""
    with in_memory(data) as name:
        context.load_cert_chain(name, password=_no_password)


def _no_password() -> str:
    """Without this OpenSSL would ask on the terminal, and wait."""
    raise OSError("the private key is encrypted, which is not supported")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return f"not a PEM file of the right kind ({error.reason or error})"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return "not a PEM file"


LOOK_SECONDS = 0.1  # how long connections that are kept are trusted without a look at the files


class _Loaded(NamedTuple):
    tls: Tls
    files: list[Path]  #: of `tls`
    stamps: tuple[tuple[int, int, int], ...]
    context: ssl.SSLContext


class TlsContexts:
    """The context for the next connection: built again when its files or its source change.

    Args:
        source: Returns what is in force now.
        clock: What the time between two looks is measured with.
    """

    def __init__(self, source: Callable[[], Tls], clock: Clock = SYSTEM_CLOCK) -> None:
        self._source = source
        self._clock = clock
        self._look_at = -math.inf
        # Replaced as a whole, so that no lock is held while files are read.
        self._loaded: _Loaded | None = None

    def tls(self) -> Tls:
        return self._source()

    def is_in_force(self, context: ssl.SSLContext | None) -> bool:
        """Whether `context` is the current one, or was a tenth of a second ago."""
        now = self._clock.now()
        loaded = self._loaded
        if loaded is None or now >= self._look_at:
            self.current()
            loaded = self._loaded
            self._look_at = now + LOOK_SECONDS
        return loaded is not None and context is loaded.context

    def look_again(self) -> None:
        """Something was refused: `is_in_force` is to look anew."""
        self._look_at = -math.inf

    def current(self) -> ssl.SSLContext:
        """The context. The same object as long as nothing changed.

        Raises:
            ConfigError: It could not be built even once.
        """
        loaded, tls = self._loaded, self._source()
        stamps = _stamps(loaded.files if loaded is not None and loaded.tls is tls else tls.files)
        if loaded is not None and loaded.stamps == stamps and (loaded.tls is tls or loaded.tls == tls):
            return loaded.context
        try:
            context = build_context(tls)
        except ConfigError as error:
            if loaded is None:
                raise
            # Half-written files are normal in the middle of a rotation.
            logger.warning("TLS files cannot be read again, keeping the last ones", error=str(error))
            context = loaded.context
        self._loaded = _Loaded(tls, tls.files, stamps, context)
        return context


def _stamps(files: list[Path]) -> tuple[tuple[int, int, int], ...]:
    return tuple([_stamp(path) for path in files])


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        status = os.stat(path)  # noqa: PTH116  before each request, and half as dear
    except OSError:
        return (0, 0, 0)
    return (status.st_mtime_ns, status.st_size, status.st_ino)
