"""A certificate authority for one control plane, and the key of its ServiceAccount tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from btcctl.clock import SYSTEM_CLOCK, Clock

_VALID = timedelta(days=7)  # no test runs longer
_SKEW = timedelta(hours=1)
_AUTHORITY_BITS = (True, False, False, False, False, True, True, False, False)  # signs certificates and CRLs
_LEAF_BITS = (True, False, True, False, False, False, False, False, False)  # signs, enciphers keys


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate with its private key, both PEM."""

    certificate: bytes
    key: bytes = field(repr=False)


class Authority:
    """Signs certificates that the API server believes.

    Args:
        name: What its own certificate calls it.
        valid: For how long, its own certificate and all it signs.
    """

    def __init__(
        self, clock: Clock = SYSTEM_CLOCK, *, name: str = "btcctl control plane", valid: timedelta = _VALID
    ) -> None:
        self._clock = clock
        self._valid = valid
        self._key = _new_key()
        self._name = _name(name)
        builder = self._builder(self._name, self._key, _AUTHORITY_BITS)
        self._certificate = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(
            self._key, hashes.SHA256()
        )

    @property
    def certificate(self) -> bytes:
        """PEM."""
        return self._certificate.public_bytes(Encoding.PEM)

    @property
    def key(self) -> bytes:
        """PEM."""
        return _private(self._key)

    def issue_server(self, addresses: Sequence[str], names: Sequence[str]) -> KeyPair:
        """For a server at these IP addresses and DNS names."""
        alternatives: list[x509.GeneralName] = [x509.IPAddress(ip_address(each)) for each in addresses]
        alternatives += [x509.DNSName(each) for each in names]
        return self._issue(
            _name(names[0]), ExtendedKeyUsageOID.SERVER_AUTH, [x509.SubjectAlternativeName(alternatives)]
        )

    def issue_client(self, user: str, groups: Sequence[str]) -> KeyPair:
        """For a user of these groups: the certificate's common name and its organizations."""
        return self._issue(_name(user, groups), ExtendedKeyUsageOID.CLIENT_AUTH, [])

    def _issue(self, subject: x509.Name, usage: ObjectIdentifier, extensions: Sequence[x509.ExtensionType]) -> KeyPair:
        key = _new_key()
        builder = self._builder(subject, key, _LEAF_BITS)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return KeyPair(builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM), _private(key))

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, bits: tuple[bool, ...]
    ) -> x509.CertificateBuilder:
        now = self._clock.wall_time()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _SKEW)
            .not_valid_after(now + self._valid)
            .add_extension(x509.KeyUsage(*bits), critical=True)
            # Python 3.13 and newer verify by RFC 5280 to the letter, which wants the identifiers of both keys.
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )


def make_request(user: str, groups: Sequence[str]) -> KeyPair:
    """A request for a client certificate, in the certificate's place, with its key."""
    key = _new_key()
    request = x509.CertificateSigningRequestBuilder().subject_name(_name(user, groups)).sign(key, hashes.SHA256())
    return KeyPair(request.public_bytes(Encoding.PEM), _private(key))


@dataclass(frozen=True, slots=True)
class TokenKeys:
    """What ServiceAccount tokens are signed and checked with, both PEM."""

    public: bytes
    private: bytes = field(repr=False)


def make_token_keys() -> TokenKeys:
    key = _new_key()
    return TokenKeys(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), _private(key))


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _name(common: str, organizations: Sequence[str] = ()) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, each) for each in organizations]
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, common)])
