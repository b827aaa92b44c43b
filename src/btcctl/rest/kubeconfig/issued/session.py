"""A session with credentials that are issued to us, and issued anew as they end."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from btcctl.clock import Clock
from btcctl.deadline import time_left
from btcctl.errors import ConfigError
from btcctl.rest.config.tls import Tls
from btcctl.rest.credentials import Credentials
from btcctl.rest.kubeconfig.fields import Cluster, User
from btcctl.rest.kubeconfig.issued.auth_provider import AuthProvider
from btcctl.rest.kubeconfig.issued.exec_plugin import ExecPlugin, Issued
from btcctl.rest.kubeconfig.issued.renewal import RENEWAL_SECONDS, Renewed
from btcctl.rest.kubeconfig.merging import Found
from btcctl.threads import Stop

_A_PERSON_SECONDS = 600.0  # for the first login, if a person may have to act in it


class Issuer(Protocol):
    """Issues credentials. `place` is where the kubeconfig names it."""

    @property
    def place(self) -> str: ...

    @property
    def is_interactive(self) -> bool: ...

    def issue(self, seconds: float, stop: Stop) -> Issued: ...


def issuer_of(user: Found[User], cluster: Found[Cluster], tls: Tls) -> Issuer:
    """What the user's entry names: an `auth-provider`, or else its `exec`.

    Raises:
        ConfigError: The entry is not usable.
    """
    if user.entry.auth_provider is not None:
        return AuthProvider(user, cluster)
    return ExecPlugin(user, cluster, tls)


class IssuedSession:
    """Logs in at once.

    Args:
        tls: The cluster's; with the certificate that was issued last, if one is.

    Raises:
        ConfigError: No login is possible.
        DeadlineExceeded: `btcctl.deadline` left no time for it.
    """

    may_wait = True

    def __init__(self, issuer: Issuer, tls: Tls, clock: Clock) -> None:
        self._renewed = Renewed(issuer.issue, _first(issuer), issuer.place, clock=clock)
        self._plain = tls
        self._made: tuple[Issued, Tls] | None = None

    @property
    def credentials(self) -> Credentials:
        return self

    def authorization(self) -> str:
        return self._renewed.current().header

    def rejected(self, authorization: str) -> bool:
        return self._renewed.replaces(authorization)

    def tls(self) -> Tls:
        issued, made = self._renewed.latest, self._made
        if issued.client_data is None:
            return self._plain
        if made is None or made[0] is not issued:
            made = self._made = (issued, replace(self._plain, client_data=issued.client_data))
        return made[1]


def _first(issuer: Issuer) -> Issued:
    """Here, in this thread: no other waits for it yet."""
    seconds = _A_PERSON_SECONDS if issuer.is_interactive else RENEWAL_SECONDS
    try:
        return issuer.issue(time_left(seconds), Stop())
    except ConfigError:
        time_left(seconds)  # says so if that was the reason
        raise
