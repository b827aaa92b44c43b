"""TLS contexts follow their source and their files; how soon."""

from __future__ import annotations

import inspect
import ssl
from pathlib import Path

import pytest

from btcctl.rest.config import tls
from btcctl.rest.config.tls import LOOK_SECONDS, Tls, TlsContexts
from btcctl.testing.clock import FakeClock


@pytest.fixture(autouse=True)
def _no_certificates_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "build_context", lambda _: object())


def test_a_file_that_is_replaced_counts_for_new_connections_at_once_and_for_kept_ones_soon(tmp_path: Path):
    clock, file = FakeClock(), tmp_path / "ca.pem"
    file.write_text("old")
    contexts = TlsContexts(lambda of=Tls(ca_file=file): of, clock)
    before = contexts.current()
    assert contexts.is_in_force(before)
    file.write_text("newer")
    assert contexts.is_in_force(before)  # nobody has looked
    clock.advance(LOOK_SECONDS)
    assert not contexts.is_in_force(before)
    assert contexts.is_in_force(contexts.current())


def test_a_new_connection_looks_at_the_files_whenever_anybody_has_looked_last(tmp_path: Path):
    clock, file = FakeClock(), tmp_path / "ca.pem"
    file.write_text("old")
    contexts = TlsContexts(lambda of=Tls(ca_file=file): of, clock)
    before = contexts.current()
    contexts.is_in_force(before)
    file.write_text("newer")
    assert contexts.current() is not before
    assert not contexts.is_in_force(before)


def test_after_a_refusal_what_is_in_force_is_asked_at_once():
    source = [Tls(server_name="a")]
    contexts = TlsContexts(lambda: source[0], FakeClock())
    before = contexts.current()
    assert contexts.is_in_force(before)
    source[0] = Tls(server_name="b")
    contexts.look_again()
    assert not contexts.is_in_force(before)


def test_what_is_under_a_tls_socket_is_what_the_standard_library_reads_and_writes_with():
    assert "self._sslobj.read" in inspect.getsource(ssl.SSLSocket.read)
    assert "self._sslobj.write" in inspect.getsource(ssl.SSLSocket.send)
