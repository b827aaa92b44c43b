"""A certificate for an API server on loopback: kubectl sends no token over plain HTTP."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from btcctl.clock import SYSTEM_CLOCK, Clock

_NAME = "btcctl sandbox"
_VALID = timedelta(days=365)
_SKEW = timedelta(hours=1)
_BITS = (True, False, False, False, False, True, False, False, False)  # digital signature, certificate signing


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate that signs for itself: what the server shows is what clients trust."""

    certificate: bytes  #: PEM
    context: ssl.SSLContext  #: for the server


def make_identity(directory: Path, address: str = "127.0.0.1", clock: Clock = SYSTEM_CLOCK) -> Identity:
    """Make a fresh key and certificate for `address` and localhost.

    Args:
        directory: Where the key may live; only we can read it there.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _self_signed(key, address, clock).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = directory / "server.pem"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(private + certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(path)
    return Identity(certificate, context)


def _self_signed(key: ec.EllipticCurvePrivateKey, address: str, clock: Clock) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address(address))])
    now = clock.wall_time()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + _VALID)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(*_BITS), critical=True)
        # Python 3.13 and newer verify by RFC 5280 to the letter, which wants the identifiers of both keys.
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
