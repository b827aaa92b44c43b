"""Logging in as a kubeconfig says: the one adapter over `kubernetes.config`.

It knows exec plugins, OIDC, client certificates and embedded data. Importing it takes half a
second, so that happens when a login is made, and never in a cluster. What it writes to temporary
files is read back and removed at once; what it writes to the root logger becomes our error.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from urllib3.exceptions import HTTPError

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.errors import BtcctlError, ConfigError, TransportError
from btcctl.rest.credentials import Credentials, StaticCredentials, TokenFile, checked_header
from btcctl.rest.tls import Tls
from btcctl.threads import Runner, Stop

# A credential this close to its end is replaced while it still serves.
_EARLY = timedelta(seconds=30)
# A plugin that hands out credentials which expire at once is not run for every request.
_PAUSE_SECONDS = 10.0
# kubernetes.config sets no limit on a plugin or on an identity provider; the first login has
# none either, because a person may have to act in it.
_AGAIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Session:
    """What one login came to."""

    header: str = field(repr=False)
    tls: Tls
    expires: datetime | None
    made_at: float


class Login:
    """Credentials and TLS of one kubeconfig context, renewed when they expire or are refused.

    Args:
        cluster: The cluster's entry, with absolute paths.
        user: The user's entry, likewise.
        source: Names both in messages.

    Raises:
        ConfigError: No login is possible.
    """

    def __init__(
        self, cluster: Mapping[str, Any], user: Mapping[str, Any], source: str, *, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._source = source
        self._clock = clock
        self._user = user
        self._document = _document(cluster, user)
        self._can_change = bool(user.get("exec") or user.get("auth-provider"))
        # Makes logins take turns; guards no data, and nobody takes it for anything else.
        self._turn = threading.Lock()
        self._session = self._log_in()
        self._fixed: Credentials = StaticCredentials(self._session.header)
        if user.get("tokenFile"):
            self._fixed = TokenFile(Path(user["tokenFile"]), hint=f"named by {source}", clock=clock)
            self._fixed.authorization()

    def tls(self) -> Tls:
        return self._session.tls

    def authorization(self) -> str:
        """The header; logs in again shortly before it expires."""
        if not self._can_change:
            return self._fixed.authorization()
        session = self._session
        if self._is_expiring(session) and self._turn.acquire(blocking=False):
            try:
                self._renew()
            finally:
                self._turn.release()
        return self._session.header

    def rejected(self, authorization: str) -> bool:
        """Log in again, unless another thread just has."""
        if not self._can_change:
            return self._fixed.rejected(authorization)
        before = self._session
        with self._turn:
            if self._session is before and self._clock.now() - before.made_at >= _PAUSE_SECONDS:
                self._renew()
        return self._session is not before

    def _is_expiring(self, session: _Session) -> bool:
        if session.expires is None or self._clock.now() - session.made_at < _PAUSE_SECONDS:
            return False
        return self._clock.wall_time() >= session.expires - _EARLY

    def _renew(self) -> None:
        self._session = _within(_AGAIN_SECONDS, self._log_in, f"{self._source}: logging in again")

    def _log_in(self) -> _Session:
        directory = Path(tempfile.mkdtemp(prefix="btcctl-login-"))
        try:
            loader, found = self._load(directory)
            return _Session(
                header=checked_header(found.api_key.get("BearerToken", "").strip(), f"{self._source}: the token"),
                tls=self._tls_from(found, directory),
                expires=getattr(loader, "expiry", None),
                made_at=self._clock.now(),
            )
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def _load(self, directory: Path) -> tuple[Any, SimpleNamespace]:
        kube_config = import_module("kubernetes.config.kube_config")
        oauth2 = import_module("oauthlib.oauth2")
        found = SimpleNamespace(api_key={}, ssl_ca_cert=None, cert_file=None, key_file=None)
        complaints: list[str] = []
        try:
            with _overheard(complaints):
                loader = kube_config.KubeConfigLoader(
                    self._document, active_context=_NAME, temp_file_path=str(directory)
                )
                loader.load_and_set(found)
        except kube_config.ConfigException as error:
            raise ConfigError(f"{self._source}: {error}") from error
        except (HTTPError, oauth2.OAuth2Error, OSError, LookupError, ValueError, TypeError, AttributeError) as error:
            raise ConfigError(f"{self._source}: login failed: {type(error).__name__}: {error}") from error
        if self._can_change and not found.api_key and not found.cert_file:
            reason = "; ".join(complaints) or "no credentials came of it"
            hint = (self._user.get("exec") or {}).get("installHint") or ""
            raise ConfigError(f"{self._source}: login failed: {reason}{hint and f'; {hint}'}")
        return loader, found

    def _tls_from(self, found: SimpleNamespace, directory: Path) -> Tls:
        """Files of the user's are watched from now on; files made by the login are read back."""
        ca = _file_or_data(found.ssl_ca_cert, directory)
        certificate = _file_or_data(found.cert_file, directory)
        key = _file_or_data(found.key_file, directory)
        if (certificate is None) != (key is None):
            raise ConfigError(f"{self._source}: the user has a client certificate without its key, or the reverse")
        shown: dict[str, Any] = {}
        if isinstance(certificate, Path) and isinstance(key, Path):
            shown = {"client_certificate_file": certificate, "client_key_file": key}
        elif certificate is not None and key is not None:
            shown = {"client_data": _bytes_of(certificate) + b"\n" + _bytes_of(key)}
        cluster = self._document["clusters"][0]["cluster"]
        return Tls(
            ca_file=ca if isinstance(ca, Path) else None,
            ca_data=ca if isinstance(ca, bytes) else None,
            ca_source=_ca_source(ca, self._source),
            server_name=str(cluster.get("tls-server-name") or ""),
            insecure=bool(cluster.get("insecure-skip-tls-verify")),
            **shown,
        )


_NAME = "chosen"


def _document(cluster: Mapping[str, Any], user: Mapping[str, Any]) -> dict[str, Any]:
    """A kubeconfig of one context, which the login may write new tokens into.

    A tokenFile is ours to read. Without a CA of its own an identity provider would be asked
    unverified; the system's CAs are what other clients use then.
    """
    user = {name: value for name, value in user.items() if name != "tokenFile"}
    oidc = (user.get("auth-provider") or {}).get("config")
    if isinstance(oidc, dict) and "idp-certificate-authority-data" not in oidc:
        oidc.setdefault("idp-certificate-authority", ssl.get_default_verify_paths().cafile or _certifi())
    return {
        "current-context": _NAME,
        "contexts": [{"name": _NAME, "context": {"cluster": _NAME, "user": _NAME}}],
        "clusters": [{"name": _NAME, "cluster": dict(cluster)}],
        "users": [{"name": _NAME, "user": user}],
    }


def _certifi() -> str:
    path: str = import_module("certifi").where()  # comes with the kubernetes package
    return path


def _file_or_data(name: str | None, directory: Path) -> Path | bytes | None:
    if name is None:
        return None
    path = Path(name)
    return path.read_bytes() if path.is_relative_to(directory) else path


def _bytes_of(part: Path | bytes) -> bytes:
    return part if isinstance(part, bytes) else part.read_bytes()


def _ca_source(ca: Path | bytes | None, source: str) -> str:
    if ca is None:
        return f"the system's CA certificates, as {source} names none"
    return f"{ca}, named by {source}" if isinstance(ca, Path) else f"certificate-authority-data in {source}"


@contextlib.contextmanager
def _overheard(complaints: list[str]) -> Iterator[None]:
    """Keep what the login says to the root logger, instead of letting it be printed."""

    def listen(record: logging.LogRecord) -> bool:
        if record.module != "kube_config":
            return True
        complaints.append(record.getMessage())
        return False

    root = logging.getLogger()
    silent = logging.NullHandler()  # without a handler, logging.error() would install one for good
    root.addHandler(silent)
    root.addFilter(listen)
    try:
        yield
    finally:
        root.removeFilter(listen)
        root.removeHandler(silent)


def _within(seconds: float, log_in: Callable[[], _Session], what: str) -> _Session:
    """Do it in a thread that can be given up on."""
    results: list[_Session | BtcctlError] = []

    def attempt(_: Stop) -> None:
        try:
            results.append(log_in())
        except BtcctlError as error:
            results.append(error)

    runner = Runner("login", attempt)
    runner.start()
    try:
        runner.stop(seconds)
    except TimeoutError as error:
        raise TransportError(f"{what} took more than {seconds:g} s") from error
    result = results[0]
    if isinstance(result, BtcctlError):
        raise result
    return result
