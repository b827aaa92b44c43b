"""Certificates made by openssl, once per session."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from btcctl.rest.config.tls import Tls


@dataclass(frozen=True)
class Authority:
    """A CA, and what it signed for a server at 127.0.0.1 and for a client."""

    directory: Path

    @property
    def ca(self) -> Path:
        return self.directory / "ca.pem"

    @property
    def trusting(self) -> Tls:
        return Tls(ca_file=self.ca, ca_source=f"{self.ca}, named by the test")

    def file(self, name: str) -> Path:
        return self.directory / name

    def server_context(self, *, name: str = "server", ask_for_client: bool = False) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file(f"{name}.pem"), self.file(f"{name}.key"))
        if ask_for_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.ca)
        return context


def openssl(directory: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)


def make_authority(directory: Path, name: str) -> Authority:
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(directory, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", f"/CN={name}")
    for holder, subject in (("server", "IP:127.0.0.1"), ("named", "DNS:api.example"), ("client", "DNS:client")):
        openssl(directory, "req", *key, "-keyout", f"{holder}.key", "-out", f"{holder}.csr", "-subj", f"/CN={holder}")
        (directory / "extensions").write_text(f"subjectAltName={subject}\n")
        signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "extensions")
        openssl(directory, "x509", "-req", "-in", f"{holder}.csr", "-out", f"{holder}.pem", *signing)
    return Authority(directory)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"), "right")


@pytest.fixture(scope="session")
def other_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("other"), "other")
