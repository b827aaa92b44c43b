"""What went wrong, in words."""

from __future__ import annotations

import socket
import ssl

import pytest

from btcctl.errors import CallTimedOut, ConnectionRefused, ConnectionSilent, DeadlineExceeded, TransportError
from btcctl.rest.exchange.failures import ConnectError, ExchangeError, NoAnswer, OutOfTime, Silent, describe


def made_from(cause: Exception) -> ConnectError:
    error = ConnectError(f"no connection: {cause}")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (made_from(ConnectionRefusedError()), ConnectionRefused, "nothing listens there (address from F)"),
        (
            made_from(socket.gaierror(-2, "unknown")),
            TransportError,
            "the host name cannot be resolved (address from F)",
        ),
        (made_from(OSError("no route")), TransportError, "no connection: no route (address from F)"),
        (made_from(ssl.SSLError(1, "[SSL: WRONG] x")), TransportError, "TLS failed"),
        (ssl.SSLError(1, "[SSL: ALERT] x"), TransportError, "TLS failed"),
        (NoAnswer("closed without an answer"), TransportError, "closed without an answer"),
        (Silent("silent for 3 s"), ConnectionSilent, "silent for 3 s"),
        (OutOfTime("too slow"), CallTimedOut, "too slow"),
        (ConnectionResetError("reset by peer"), TransportError, "reset by peer"),
        (ExchangeError("nonsense"), TransportError, "nonsense"),
    ],
)
def test_each_failure_becomes_an_error_of_ours_with_words_for_people(
    error: Exception, kind: type[Exception], words: str
) -> None:
    made, said = describe(error, source="F", ca_source="G")
    assert made is kind
    assert words in said


def test_a_certificate_that_cannot_be_verified_names_the_ca() -> None:
    cause = ssl.SSLCertVerificationError("x")
    cause.verify_message = "self-signed certificate."
    _, words = describe(made_from(cause), source="F", ca_source="the kubeconfig")
    assert "self-signed certificate; the CA comes from the kubeconfig" in words


def test_a_call_that_timed_out_is_caught_by_who_retries_and_by_who_minds_the_time() -> None:
    assert issubclass(CallTimedOut, TransportError)
    assert issubclass(CallTimedOut, ConnectionSilent)
    assert issubclass(CallTimedOut, DeadlineExceeded)
