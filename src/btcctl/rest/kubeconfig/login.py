"""The credentials and TLS of one context of some kubeconfig files, which are read again when the server refuses us.

client-go does not do the latter: a program of it has to be restarted when new credentials were written.
"""

from __future__ import annotations

import stat
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Protocol

import msgspec

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.deadline import time_left
from btcctl.errors import ConfigError
from btcctl.logging import get_logger
from btcctl.rest.config.tls import Tls
from btcctl.rest.credentials import Credentials, StaticCredentials
from btcctl.rest.kubeconfig.merging import Chosen, Merged, names
from btcctl.rest.kubeconfig.static import credentials_of, has_certificate, tls_of

logger = get_logger(__name__)

_REREAD_SECONDS = 60.0  # how long a caller waits for another that is reading the files


class Session(Protocol):
    """Who we are, and what TLS is made of. `may_wait`: a person may have to be asked now and then."""

    @property
    def may_wait(self) -> bool: ...

    @property
    def credentials(self) -> Credentials: ...

    def tls(self) -> Tls: ...


class _Fixed(msgspec.Struct, frozen=True):
    """What stands in the file."""

    may_wait: ClassVar[bool] = False
    credentials: Credentials
    _tls: Tls

    def tls(self) -> Tls:
        return self._tls


def log_in(chosen: Chosen, clock: Clock) -> Session:
    """Make a session of what a context says. A plugin is run for the first time.

    A plugin counts only if nothing in the file says who we are (client-go/plugin/pkg/client/auth/exec).

    Raises:
        ConfigError: No login is possible.
        DeadlineExceeded: `btcctl.deadline` left no time for it.
    """
    user, cluster = chosen.user, chosen.cluster
    entry = user.entry
    tls = tls_of(cluster, user, chosen.source, is_https=cluster.entry.server.lower().startswith("https:"))
    if entry.exec is not None and entry.auth_provider is not None:
        raise ConfigError(f"{user.place} has exec and auth-provider; leave one of them out")
    if entry.exec is None and entry.auth_provider is None:
        return _Fixed(credentials_of(user, clock) or StaticCredentials(), tls)
    from btcctl.rest.kubeconfig.issued.session import IssuedSession, issuer_of  # noqa: PLC0415  few need it

    issuer, fixed = issuer_of(user, cluster, tls), credentials_of(user, clock)
    if entry.exec is not None and (fixed is not None or has_certificate(entry)):
        return _Fixed(fixed or StaticCredentials(), tls)
    return IssuedSession(issuer, tls, clock)


def choose(paths: Sequence[Path], context: str | None) -> Chosen:
    """Read the files that exist and choose a context; see `btcctl.rest.kubeconfig.load`.

    Raises:
        ConfigError: None of them exists, or what is in them is wrong.
    """
    existing = [path for path in paths if _exists(path)]
    if not existing:
        raise ConfigError(f"kubeconfig {names(paths)} does not exist")
    return Merged(existing).choose(context)


class Login:
    """Credentials and TLS of one context. Thread-safe.

    After a 401 the files are read again if they have changed, and what they say now is used from then on. Who is
    named another server, proxy or user to act as has to be started again: credentials of one server are not shown
    to another.

    Args:
        paths: The kubeconfig files.
        context: A context in them; the current one if None.

    Raises:
        ConfigError: No login is possible.
    """

    def __init__(self, paths: Sequence[Path], context: str | None = None, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._paths = tuple(paths)
        self._context = context
        self._clock = clock
        self._turn = threading.Lock()  # of the thread that reads the files again; guards the stamps
        self._stamps = self._stamped()
        self.chosen = choose(self._paths, context)
        self._session = log_in(self.chosen, clock)

    @property
    def may_wait(self) -> bool:
        """Whether a person has to be asked for credentials now and then."""
        return self._session.may_wait

    def tls(self) -> Tls:
        return self._session.tls()

    def authorization(self) -> str:
        return self._session.credentials.authorization()

    def rejected(self, authorization: str) -> bool:
        """Read the files again if they have changed; else have new credentials issued, if they are."""
        before = self._session
        self._read_again()
        session = self._session
        if session is not before:
            return True
        return session.credentials.rejected(authorization)

    def _read_again(self) -> None:
        if not self._turn.acquire(timeout=time_left(_REREAD_SECONDS)):
            time_left(_REREAD_SECONDS)
            return
        try:
            stamps = self._stamped()
            if stamps == self._stamps:
                return
            chosen = choose(self._paths, self._context)
            if (chosen.cluster.entry, chosen.user.entry) != (self.chosen.cluster.entry, self.chosen.user.entry):
                self._take_over(chosen)
            self._stamps = stamps
        except ConfigError as error:
            # Half-written files are normal while one is being written: it is read again after the next 401.
            logger.warning("kubeconfig cannot be read again, keeping what it said", error=str(error))
        finally:
            self._turn.release()

    def _take_over(self, chosen: Chosen) -> None:
        if _bound_to(chosen) != _bound_to(self.chosen):
            logger.warning(
                "the kubeconfig names another server, proxy or user to act as: start again to follow it",
                source=chosen.source,
            )
            return
        self._session = log_in(chosen, self._clock)
        self.chosen = chosen
        logger.info("kubeconfig was rewritten and read again", source=chosen.source)

    def _stamped(self) -> tuple[tuple[int, ...], ...]:
        return tuple(_stamp(path) for path in self._paths)


def _bound_to(chosen: Chosen) -> tuple[object, ...]:
    """What a client is made for."""
    cluster, user = chosen.cluster.entry, chosen.user.entry
    whom = (user.impersonate, user.impersonate_uid, user.impersonate_groups, user.impersonate_extra)
    return cluster.server, cluster.proxy_url, whom


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # ValueError: a null character
        return True  # so that reading it says what is wrong


def _stamp(path: Path) -> tuple[int, ...]:
    """Changes when the file does. What is no file cannot be read twice: a pipe, for one."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return ()
    return (status.st_mtime_ns, status.st_size, status.st_ino) if stat.S_ISREG(status.st_mode) else ()
