"""The errors of urllib3 in words."""

from __future__ import annotations

import pytest
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import IncompleteRead, ProtocolError, ReadTimeoutError

from btcctl.errors import ConnectionSilent
from btcctl.rest.config import ClientConfig
from btcctl.rest.failures import describe

CONFIG = ClientConfig("https://h:1", "a kubeconfig")


def ended_at_a_chunks_length() -> Exception:
    """As urllib3 raises it."""
    try:
        try:
            int(b"", 16)
        except ValueError:
            raise ProtocolError("Response ended prematurely") from None
    except ProtocolError as error:
        return error


@pytest.mark.parametrize("error", [ended_at_a_chunks_length(), IncompleteRead(1, 2)])
def test_a_chunked_answer_that_ends_too_early_is_said_to(error: Exception) -> None:
    _, words = describe(error, CONFIG)
    assert words == "the connection ended in the middle of the answer"


@pytest.mark.parametrize("error", [ReadTimeoutError(HTTPConnectionPool("h"), "/", "read timed out"), TimeoutError()])
def test_silence_is_told_from_a_connection_that_broke(error: Exception) -> None:
    kind, _ = describe(error, CONFIG)
    assert kind is ConnectionSilent
