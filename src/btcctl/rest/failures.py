"""What an error of urllib3 means, in words for people."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator

from urllib3.exceptions import ConnectTimeoutError, LocationParseError, ProtocolError, ReadTimeoutError

from btcctl.errors import ConnectionRefused, TransportError
from btcctl.rest.config import ClientConfig


def describe(error: Exception, config: ClientConfig) -> tuple[type[TransportError], str]:
    """The error of ours it becomes, and its cause in words.

    Args:
        error: One of urllib3's, or an OSError.
        config: Whose CA and source are named where they may be to blame.
    """
    chain = list(_chain(error))
    for each in chain:
        if isinstance(each, ConnectionRefusedError):
            return ConnectionRefused, f"connection refused: nothing listens there (address from {config.source})"
        text = _words(each, config)
        if text:
            return TransportError, text
    return TransportError, str(chain[-1]) or type(chain[-1]).__name__


def _words(error: BaseException, config: ClientConfig) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate_words(error, config)
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"
    if isinstance(error, socket.gaierror | LocationParseError):
        return f"the host name cannot be resolved (address from {config.source})"
    if isinstance(error, ConnectTimeoutError):
        return f"no connection in time (address from {config.source})"
    if isinstance(error, ReadTimeoutError | TimeoutError):
        return "connected, but silent for too long"
    if isinstance(error, http.client.RemoteDisconnected):
        return "the server closed the connection without an answer"
    if isinstance(error, http.client.IncompleteRead):
        return "the connection ended in the middle of the answer"
    return ""


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
