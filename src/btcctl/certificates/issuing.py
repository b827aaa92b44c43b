"""The certificates of a server: an authority of its own, and what that signs. Pure, but for random keys.

Nobody notices a change of them:

- The server's certificate lasts 90 days, and is made anew after two thirds of these by the same authority.
- The authority lasts five years. After two thirds of these there is a second one beside it; clients are told of both,
  and only an hour later the new one begins to sign.
- Copies of an operator share all of it, so none may make a certificate that leaves out a name that another needs: names
  are added at any time, and only left out when a certificate is due anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from btcctl.secret import SecretBytes

LEAF_LIFE = timedelta(days=90)
AUTHORITY_LIFE = timedelta(days=5 * 365)
SPREADING = timedelta(hours=1)  # until a new authority is known to every client
_SKEW = timedelta(hours=1)  # of clocks
_MOST_NAME = 64  # characters of a common name (RFC 5280, ub-common-name)
_AUTHORITY_BITS = (False, False, False, False, False, True, True, False, False)  # signs certificates and CRLs
_LEAF_BITS = (True, False, True, False, False, False, False, False, False)  # signs, enciphers keys


@dataclass(frozen=True, slots=True)
class Certificates:
    """All that is kept of them, PEM.

    Attributes:
        certificate: The server's.
        key: Of that.
        authorities: Those whose signatures are to be believed; the newest first.
        authority_key: Of the newest; empty if somebody else makes the certificates.
    """

    certificate: bytes
    key: SecretBytes = field(repr=False)
    authorities: bytes
    authority_key: SecretBytes = field(default=SecretBytes(b""), repr=False)


@dataclass(frozen=True, slots=True)
class _Authority:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def renewed(current: Certificates | None, hosts: Sequence[str], now: datetime) -> Certificates:
    """The certificates to use from now on: `current` itself if nothing is due.

    Args:
        current: What there is; None, or what cannot be read, is nothing.
        hosts: DNS names and IP addresses by which clients reach us.
    """
    state = None if current is None else _read(current, now)
    if current is None or state is None:
        authority = _new_authority(now)
        return _issued(authority, [authority.certificate], hosts, now)
    leaf, authorities, newest = state
    if _lacks(leaf, hosts):
        names = names_in(leaf)
        return _issued(newest, authorities, [*names, *(each for each in hosts if each not in names)], now)
    is_spread = len(authorities) == 1 or now >= newest.certificate.not_valid_before_utc + _SKEW + SPREADING
    if is_spread and (now >= _due(leaf) or leaf.issuer != newest.certificate.subject):
        return _issued(newest, authorities, hosts, now)
    if now >= _due(newest.certificate):
        newest = _new_authority(now)
        both = _pem([newest.certificate, *authorities])
        return Certificates(current.certificate, current.key, both, _private(newest.key))
    if len(authorities) < _count(current.authorities):
        return Certificates(current.certificate, current.key, _pem(authorities), current.authority_key)
    return current


def due_seconds(current: Certificates, now: datetime) -> float:
    """For how long nothing is due: an hour at least, so that nobody looks too often."""
    leaf = x509.load_pem_x509_certificate(current.certificate)
    newest, *_ = x509.load_pem_x509_certificates(current.authorities)
    due = min(_due(leaf), _due(newest))
    if leaf.issuer != newest.subject:
        due = min(due, newest.not_valid_before_utc + _SKEW + SPREADING)
    return max(60.0, (due - now).total_seconds())


def expiry_of(certificate: bytes) -> datetime:
    """When the first certificate of a PEM text ends.

    Raises:
        ValueError: There is none in it.
    """
    return x509.load_pem_x509_certificates(certificate)[0].not_valid_after_utc


def names_in(leaf: x509.Certificate) -> list[str]:
    """For which DNS names and IP addresses a certificate is."""
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = [str(each) for each in names.get_values_for_type(x509.IPAddress)]
    return [*names.get_values_for_type(x509.DNSName), *addresses]


def _read(current: Certificates, now: datetime) -> tuple[x509.Certificate, list[x509.Certificate], _Authority] | None:
    """The server's certificate, the authorities that still count, and the one that signs; None if it is all useless."""
    try:
        leaf = x509.load_pem_x509_certificate(current.certificate)
        authorities = x509.load_pem_x509_certificates(current.authorities)
        key, leaf_key = (load_pem_private_key(each, None) for each in (current.authority_key, current.key))
    except (ValueError, TypeError):
        return None
    valid = [each for each in authorities if each.not_valid_after_utc > now]
    if not valid or valid[0] != authorities[0] or not isinstance(key, ec.EllipticCurvePrivateKey):
        return None
    is_ours = key.public_key() == valid[0].public_key() and leaf_key.public_key() == leaf.public_key()
    is_signed = any(leaf.issuer == each.subject for each in valid)
    return (leaf, valid, _Authority(valid[0], key)) if is_ours and is_signed else None


def _due(certificate: x509.Certificate) -> datetime:
    """After two thirds of its life."""
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return certificate.not_valid_before_utc + life * 2 / 3


def _lacks(leaf: x509.Certificate, hosts: Sequence[str]) -> bool:
    return not {*hosts} <= {*names_in(leaf)}


def _count(authorities: bytes) -> int:
    return len(x509.load_pem_x509_certificates(authorities))


def _new_authority(now: datetime) -> _Authority:
    key = _new_key()
    # A name of its own: two authorities of one name could not be told apart by what they have signed.
    name = _name(f"btcctl {now.astimezone(UTC):%Y-%m-%d} {x509.random_serial_number() & 0xFFFFFFFF:08x}")
    builder = _builder(name, name, key, key, _AUTHORITY_BITS, now, AUTHORITY_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return _Authority(builder.sign(key, hashes.SHA256()), key)


def _issued(
    authority: _Authority, authorities: Sequence[x509.Certificate], hosts: Sequence[str], now: datetime
) -> Certificates:
    key = _new_key()
    builder = _builder(
        _name(hosts[0][:_MOST_NAME]), authority.certificate.subject, key, authority.key, _LEAF_BITS, now, LEAF_LIFE
    )
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName([_host(each) for each in hosts]), critical=False)
    leaf = builder.sign(authority.key, hashes.SHA256())
    return Certificates(leaf.public_bytes(Encoding.PEM), _private(key), _pem(authorities), _private(authority.key))


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    bits: tuple[bool, ...],
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + life)
        .add_extension(x509.KeyUsage(*bits), critical=True)
        # Python 3.13 and newer verify by RFC 5280 to the letter, which wants the identifiers of both keys.
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _private(key: ec.EllipticCurvePrivateKey) -> SecretBytes:
    return SecretBytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _pem(certificates: Sequence[x509.Certificate]) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)
