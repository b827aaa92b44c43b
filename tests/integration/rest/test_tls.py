"""Certificates: trusted, not trusted, rotated, shown."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from btcctl.errors import ConfigError, TransportError
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.config.tls import Tls, build_context
from btcctl.rest.http import HttpTransport
from btcctl.rest.transport.transport import Request
from btcctl.testing import capture_logs
from tests.integration.rest.conftest import Authority, openssl
from tests.integration.rest.servers import SocketServer, always

GET = Request("GET", "/x")


def status_of(server: SocketServer, tls: Tls) -> int:
    transport = HttpTransport(ClientConfig(server.url, source="the test", tls=tls))
    try:
        return transport.request(GET, timeout=5.0).status
    finally:
        transport.close()


def test_a_certificate_of_the_right_ca_is_trusted(authority: Authority):
    with SocketServer([always()], authority.server_context()) as server:
        assert status_of(server, authority.trusting) == 200
        assert status_of(server, Tls(ca_data=authority.ca.read_bytes())) == 200


def test_a_wrong_ca_is_named_with_where_it_came_from(authority: Authority, other_authority: Authority):
    tls = other_authority.trusting
    with SocketServer([always()], authority.server_context()) as server:
        with pytest.raises(TransportError) as caught:
            status_of(server, tls)
        assert str(caught.value).startswith(f"{server.url}: the server's certificate cannot be verified: ")
        assert server.requests == []
    assert f"the CA comes from {other_authority.ca}, named by the test: is it this cluster's?" in str(caught.value)


def test_the_systems_cas_do_not_know_ours(authority: Authority):
    with SocketServer([always()], authority.server_context()) as server:
        nothing_given = Tls()
        with pytest.raises(TransportError, match="the CA comes from the system's CA certificates"):
            status_of(server, nothing_given)


def test_a_certificate_for_another_name_is_refused(authority: Authority):
    with SocketServer([always()], authority.server_context(name="named")) as server:
        tls = authority.trusting
        with pytest.raises(TransportError, match=r"IP address mismatch.*127\.0\.0\.1"):
            status_of(server, tls)


def test_another_name_can_be_expected(authority: Authority):
    with SocketServer([always()], authority.server_context(name="named")) as server:
        assert status_of(server, Tls(ca_file=authority.ca, server_name="api.example")) == 200


def test_verification_can_be_switched_off_and_that_is_said_once(authority: Authority):
    with SocketServer([always()], authority.server_context(name="named")) as server:
        tls = Tls(insecure=True)
        with capture_logs() as logs:
            assert status_of(server, tls) == 200
    assert [entry["event"] for entry in logs] == ["TLS certificates are not verified"]


def test_a_server_that_does_not_speak_tls_is_said_to_fail_at_it(authority: Authority):
    with SocketServer([always()]) as server:
        transport = HttpTransport(ClientConfig(f"https://127.0.0.1:{server.port}", tls=authority.trusting))
        with pytest.raises(TransportError, match="TLS failed"):
            transport.request(GET, timeout=5.0)


def test_a_client_certificate_is_shown_from_files_and_from_memory(authority: Authority):
    certificate, key = authority.file("client.pem"), authority.file("client.key")
    from_files = Tls(ca_file=authority.ca, client_certificate_file=certificate, client_key_file=key)
    from_memory = Tls(ca_file=authority.ca, client_data=certificate.read_bytes() + key.read_bytes())
    with SocketServer([always()], authority.server_context(ask_for_client=True)) as server:
        assert status_of(server, from_files) == 200
        assert status_of(server, from_memory) == 200
        with pytest.raises(TransportError):
            status_of(server, authority.trusting)


def test_a_client_certificate_needs_no_place_for_files(authority: Authority, monkeypatch):
    """As of a kubeconfig, in a container whose file system is read only."""
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    data = authority.file("client.pem").read_bytes() + authority.file("client.key").read_bytes()
    build_context(Tls(insecure=True, client_data=data))


def test_a_rotated_ca_is_trusted_without_a_restart(authority: Authority, other_authority: Authority, tmp_path: Path):
    ca = tmp_path / "ca.crt"
    shutil.copy(authority.ca, ca)
    old, new = authority.server_context(), other_authority.server_context()
    with SocketServer([always()], old) as server:
        transport = HttpTransport(ClientConfig(server.url, tls=Tls(ca_file=ca)))
        assert transport.request(GET, timeout=5.0).status == 200
        server.tls = new
        shutil.copy(other_authority.ca, ca)
        assert transport.request(GET, timeout=5.0).status == 200
        assert server.connection_count == 2
        transport.close()


def test_a_half_written_ca_file_changes_nothing(authority: Authority, tmp_path: Path):
    ca = tmp_path / "ca.crt"
    shutil.copy(authority.ca, ca)
    with SocketServer([always()], authority.server_context()) as server:
        transport = HttpTransport(ClientConfig(server.url, tls=Tls(ca_file=ca)))
        ca.write_text("-----BEGIN CERT")
        with capture_logs() as logs:
            assert transport.request(GET, timeout=5.0).status == 200
            assert transport.request(GET, timeout=5.0).status == 200
        assert [entry["log_level"] for entry in logs] == ["warning"]
        transport.close()


@pytest.mark.parametrize(
    ("tls", "complaint"),
    [
        (
            Tls(ca_file=Path("/nope"), ca_source="/nope, named by F"),
            r"CA certificate \(/nope, named by F\): No such file",
        ),
        (Tls(ca_data=b"", ca_source="F"), r"CA certificate \(F\): not a PEM file"),
        (Tls(ca_data=b"\xff", ca_source="F"), r"CA certificate \(F\): not a PEM file"),
        (Tls(insecure=True, client_data=b"x"), r"client certificate \(embedded in the kubeconfig\): not a PEM file"),
        (Tls(insecure=True, client_certificate_file=Path("/nope")), r"client certificate \(/nope\): No such file"),
    ],
)
def test_broken_certificates_are_named_at_the_start(tls: Tls, complaint: str):
    with pytest.raises(ConfigError, match=complaint):
        HttpTransport(ClientConfig("https://127.0.0.1:1", tls=tls))


def test_an_encrypted_key_is_refused_instead_of_asked_about(authority: Authority, tmp_path: Path):
    key = tmp_path / "locked.key"
    openssl(
        tmp_path, "ec", "-in", str(authority.file("client.key")), "-aes256", "-passout", "pass:pw", "-out", str(key)
    )
    tls = Tls(insecure=True, client_certificate_file=authority.file("client.pem"), client_key_file=key)
    with pytest.raises(ConfigError, match="the private key is encrypted"):
        HttpTransport(ClientConfig("https://127.0.0.1:1", tls=tls))


@pytest.mark.parametrize(
    "change",
    [
        lambda pem: "# Für den Cluster: 証明書\n".encode() + pem,
        lambda pem: "# Für den Cluster\n".encode("latin-1") + pem,
        lambda pem: pem.replace(b"\n", b"\r\n"),
        lambda pem: b"Bag Attributes\n  friendlyName: ca\n" + pem + b"trailing words",
        lambda pem: b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + pem,
        lambda pem: b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n" + pem,
        lambda pem: b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n" + pem + pem,
    ],
)
def test_a_ca_is_found_among_whatever_else_stands_there_as_go_finds_it(authority: Authority, tmp_path: Path, change):
    pem = change(authority.ca.read_bytes())
    (tmp_path / "ca.pem").write_bytes(pem)
    for tls in (Tls(ca_data=pem), Tls(ca_file=tmp_path / "ca.pem")):
        (found,) = build_context(tls).get_ca_certs()
        assert found["subject"] == (((("commonName", "right")),),)


@pytest.mark.parametrize("pem", [b"", b"words", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_ca_without_a_single_certificate_is_refused_and_its_place_named(pem: bytes):
    with pytest.raises(ConfigError, match="CA certificate \\(where it stands\\): not a PEM file"):
        build_context(Tls(ca_data=pem, ca_source="where it stands"))
