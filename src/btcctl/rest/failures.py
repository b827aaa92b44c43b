"""What an error of urllib3 means, in words for people."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator, Sequence
from typing import TypeVar

from urllib3.exceptions import (
    ConnectTimeoutError,
    LocationParseError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

from btcctl.errors import ConnectionRefused, ConnectionSilent, TransportError
from btcctl.rest.config import ClientConfig

E = TypeVar("E", bound=BaseException)


def describe(error: Exception, config: ClientConfig) -> tuple[type[TransportError], str]:
    """The error of ours it becomes, and its cause in words.

    Args:
        error: One of urllib3's, or an OSError.
        config: Whose CA and source are named where they may be to blame.
    """
    chain = list(_chain(error))
    if _first(chain, ConnectionRefusedError):
        return ConnectionRefused, f"connection refused: nothing listens there (address from {config.source})"
    if certificate := _first(chain, ssl.SSLCertVerificationError):
        return TransportError, _certificate_words(certificate, config)
    if failed := _first(chain, ssl.SSLError):
        return TransportError, f"TLS failed: {failed.reason or failed}"
    silent = isinstance(error, TimeoutError) or _first(chain, ReadTimeoutError) is not None
    if silent and not _first(chain, NewConnectionError):
        return ConnectionSilent, "connected, but silent or too slow"
    for types, words in _WORDS:
        if any(isinstance(each, types) for each in chain):
            return TransportError, words.format(source=config.source, cause=chain[-1])
    return TransportError, str(chain[-1]) or type(chain[-1]).__name__


#: In this order: urllib3's NewConnectionError, for one, is a ConnectTimeoutError, too.
_WORDS: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((socket.gaierror, LocationParseError), "the host name cannot be resolved (address from {source})"),
    ((NewConnectionError,), "no connection: {cause} (address from {source})"),
    ((ConnectTimeoutError,), "no connection in time (address from {source})"),
    ((TimeoutError,), "connected, but silent or too slow"),
    ((http.client.RemoteDisconnected,), "the server closed the connection without an answer"),
    # urllib3 takes the end of a chunked answer for a chunk's length, which int() refuses.
    ((http.client.IncompleteRead, ValueError), "the connection ended in the middle of the answer"),
)


def _first(chain: Sequence[BaseException], type_: type[E]) -> E | None:
    return next((each for each in chain if isinstance(each, type_)), None)


def _certificate_words(error: ssl.SSLCertVerificationError, config: ClientConfig) -> str:
    tls = config.current_tls() if config.current_tls else config.tls
    return (
        f"the server's certificate cannot be verified: {error.verify_message.rstrip('.')}; "
        f"the CA comes from {tls.ca_source}: is it this cluster's?"
    )


def broke_before_an_answer(error: Exception) -> bool:
    """True if the connection was closed by the peer before any of the answer had come."""
    if not isinstance(error, ProtocolError):
        return False
    return any(isinstance(each, http.client.RemoteDisconnected | ConnectionError) for each in _chain(error))


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
