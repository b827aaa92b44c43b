"""What goes wrong in an exchange, and what it means in words for people."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Sequence
from typing import TypeVar

from btcctl.errors import CallTimedOut, ConnectionRefused, ConnectionSilent, TransportError

E = TypeVar("E", bound=BaseException)

CUT_SHORT = "the connection ended in the middle of the answer"
NO_ANSWER = "the server closed the connection without an answer"


class ExchangeError(Exception):
    """No answer, or none that makes sense; says why."""


class OutOfTime(ExchangeError):
    """The call has had its time."""


class Silent(ExchangeError):
    """Nothing came on a stream for longer than it may be silent."""


class ConnectError(ExchangeError):
    """No connection was had.

    Attributes:
        is_proxied: It should have led through a proxy, which is to blame then rather than the server's address.
    """

    def __init__(self, words: str, *, is_proxied: bool = False) -> None:
        super().__init__(words)
        self.is_proxied = is_proxied


class NoAnswer(ExchangeError):
    """The server closed the connection before any of the answer had come: perhaps it never saw the request."""


#: All that an exchange may fail with.
FAILURES = (ExchangeError, OSError)  # ssl.SSLError is an OSError


def describe(error: BaseException, *, source: str = "", ca_source: str = "") -> tuple[type[TransportError], str]:
    """The error of ours it becomes, and its cause in words.

    Args:
        error: One of `FAILURES`.
        source: Where the address comes from; named where it may be to blame.
        ca_source: Where the trusted CA comes from; likewise.
    """
    if isinstance(error, OutOfTime):
        return CallTimedOut, str(error)  # in whatever phase: its cause is of no interest
    if isinstance(error, Silent):
        return ConnectionSilent, str(error)
    chain = list(_chain(error))
    address = f" (address from {source})" if source else ""
    is_proxied = isinstance(error, ConnectError) and error.is_proxied
    if _first(chain, ConnectionRefusedError) and not is_proxied:
        return ConnectionRefused, f"connection refused: nothing listens there{address}"
    return TransportError, _words(error, chain, address, ca_source)


def _words(error: BaseException, chain: Sequence[BaseException], address: str, ca_source: str) -> str:
    if certificate := _first(chain, ssl.SSLCertVerificationError):
        return _certificate_words(certificate, ca_source)
    if failed := _first(chain, ssl.SSLError):
        return f"TLS failed: {getattr(failed, 'reason', None) or failed}"
    if isinstance(error, ConnectError) and error.is_proxied:
        return str(error)
    if _first(chain, socket.gaierror):
        return f"the host name cannot be resolved{address}"
    if isinstance(error, ConnectError):
        return f"{error}{address}"
    if isinstance(error, ExchangeError):
        return str(error)
    return str(chain[-1]) or type(chain[-1]).__name__


def is_broken_off(error: BaseException) -> bool:
    """True if the peer has closed the connection."""
    return isinstance(error, ConnectionError | ssl.SSLEOFError | ssl.SSLZeroReturnError)


def _first(chain: Sequence[BaseException], type_: type[E]) -> E | None:
    return next((each for each in chain if isinstance(each, type_)), None)


def _certificate_words(error: ssl.SSLCertVerificationError, ca_source: str) -> str:
    reason = error.verify_message.rstrip(".")
    return (
        f"the server's certificate cannot be verified: {reason}; the CA comes from {ca_source}: is it this cluster's?"
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was made from, outermost first."""
    seen: list[BaseException] = []
    pending: list[BaseException] = [error]
    while pending:
        each = pending.pop()
        if any(each is known for known in seen):
            continue
        seen.append(each)
        yield each
        inner = [*each.args, each.__cause__, each.__context__]
        pending += [other for other in reversed(inner) if isinstance(other, BaseException)]
