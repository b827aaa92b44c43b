"""Certificates that a client verifies by RFC 5280 to the letter, as Python 3.13 and newer do without being asked."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from btcctl.sandbox.certificates import make_identity
from btcctl.testing.control_plane.pki import Authority

STRICT = ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN


def shake_hands(server: ssl.SSLContext, authority: bytes, name: str) -> None:
    """In memory.

    Raises:
        ssl.SSLCertVerificationError: The client does not believe the server.
    """
    client = ssl.create_default_context(cadata=authority.decode())
    client.verify_flags |= STRICT
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=name)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(3):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue


def test_a_strict_client_believes_the_control_plane(tmp_path: Path) -> None:
    authority = Authority()
    pair = authority.issue_server(["127.0.0.1"], ["kubernetes"])
    (tmp_path / "pem").write_bytes(pair.certificate + pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pem")
    shake_hands(context, authority.certificate, "127.0.0.1")


def test_a_strict_client_believes_the_sandbox(tmp_path: Path) -> None:
    identity = make_identity()
    shake_hands(identity.context(tmp_path), identity.authority, "127.0.0.1")


def test_another_authority_is_not_believed(tmp_path: Path) -> None:
    identity = make_identity()
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(identity.context(tmp_path), Authority().certificate, "127.0.0.1")
