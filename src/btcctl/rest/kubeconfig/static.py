"""What stands in a kubeconfig itself: tokens, passwords, certificates; or in files that it names.

kubectl's rules (client-go/tools/clientcmd: validation.go, client_config.go): a token or a user with a password, not
both; a token file goes before the token, which serves while the file cannot be read; data or file, not both.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from pathlib import Path

from btcctl.clock import Clock
from btcctl.errors import ConfigError
from btcctl.logging import get_logger
from btcctl.named_files import read_file, shown_name
from btcctl.rest.config.tls import Tls
from btcctl.rest.credentials import Credentials, StaticCredentials, TokenFile, checked_header
from btcctl.rest.kubeconfig.fields import Cluster, User
from btcctl.rest.kubeconfig.merging import Found
from btcctl.secret import Secret, SecretBytes

logger = get_logger(__name__)


def credentials_of(user: Found[User], clock: Clock) -> Credentials | None:
    """What goes into the Authorization header; None if the user's entry says nothing of it itself.

    Raises:
        ConfigError: It says two things, or the token file cannot be read.
    """
    entry = user.entry
    if entry.token and (entry.username or entry.password):
        raise ConfigError(f"{user.place} has a token and a user name with a password; leave one of them out")
    if entry.token_file:
        fallback = Secret(entry.token.strip())
        file = TokenFile(
            Path(entry.token_file), hint=f"named by {user.at('tokenFile')}", fallback=fallback, clock=clock
        )
        file.authorization()
        return file
    if entry.token:
        return StaticCredentials(checked_header(Secret(f"Bearer {entry.token.strip()}"), user.at("token")))
    if entry.username or entry.password:
        pair = base64.b64encode(SecretBytes(f"{entry.username}:{entry.password}".encode()))
        return StaticCredentials(Secret(f"Basic {pair.decode()}"))
    return None


def has_certificate(user: User) -> bool:
    return bool(user.client_certificate or user.client_certificate_data)


def tls_of(cluster: Found[Cluster], user: Found[User], source: str, *, is_https: bool) -> Tls:
    """What TLS connections to the cluster are made of. Files are watched from now on, data is taken as it is.

    Raises:
        ConfigError: Fields contradict each other, data is not base64, or a file is missing.
    """
    entry = cluster.entry
    if entry.certificate_authority and entry.certificate_authority_data:
        raise ConfigError(f"{cluster.place} has certificate-authority and certificate-authority-data; leave one out")
    ca_file = _existing(entry.certificate_authority, cluster.at("certificate-authority"))
    ca_data = _decoded(entry.certificate_authority_data, cluster.at("certificate-authority-data"))
    if entry.insecure_skip_tls_verify and is_https and (ca_file or ca_data):
        raise ConfigError(
            f"{cluster.at('insecure-skip-tls-verify')} is true, and there is a certificate-authority, too: "
            "leave one of them out"
        )
    ca_source = f"certificate-authority-data in {source}" if ca_data else f"{ca_file}, named by {source}"
    tls = Tls(
        ca_file=ca_file,
        ca_data=ca_data,
        ca_source=ca_source if ca_file or ca_data else f"the system's CA certificates, as {source} names none",
        server_name=entry.tls_server_name,
        insecure=entry.insecure_skip_tls_verify,
    )
    return _with_client_certificate(tls, user)


def _with_client_certificate(tls: Tls, user: Found[User]) -> Tls:
    entry = user.entry
    if not has_certificate(entry):
        if entry.client_key or entry.client_key_data:
            logger.warning("a client key without its certificate is of no use", user=user.place)
        return tls
    for name, file, data in (
        ("client-certificate", entry.client_certificate, entry.client_certificate_data),
        ("client-key", entry.client_key, entry.client_key_data),
    ):
        if file and data:
            raise ConfigError(f"{user.place} has {name} and {name}-data; leave one of them out")
        if not file and not data:
            raise ConfigError(f"{user.place} has a client certificate without its key: give {name} or {name}-data")
    certificate_file = _existing(entry.client_certificate, user.at("client-certificate"))
    key_file = _existing(entry.client_key, user.at("client-key"))
    if certificate_file and key_file:
        return replace(tls, client_certificate_file=certificate_file, client_key_file=key_file)
    certificate = _decoded(entry.client_certificate_data, user.at("client-certificate-data"))
    key = _decoded(entry.client_key_data, user.at("client-key-data"))
    parts = (
        certificate or contents(certificate_file, user.at("client-certificate")),
        key or contents(key_file, user.at("client-key")),
    )
    return replace(tls, client_data=SecretBytes(b"\n".join(parts)))


def contents(path: Path | None, place: str) -> bytes:
    """What is in a file; b"" if it is None.

    Raises:
        ConfigError: It cannot be read; names `place`.
    """
    try:
        return b"" if path is None else read_file(path)
    except OSError as error:
        raise ConfigError(f"{place}: {shown_name(path or '')} cannot be read: {error.strerror}") from error


def _existing(name: str, place: str) -> Path | None:
    path = Path(name) if name else None
    contents(path, place)
    return path


def _decoded(text: str, place: str) -> bytes | None:
    """As Go decodes it: the standard alphabet, padded; line ends are skipped, other blanks are not."""
    if not text:
        return None
    try:
        return SecretBytes(base64.b64decode(text.replace("\r", "").replace("\n", ""), validate=True))
    except (binascii.Error, ValueError):  # ValueError: not ASCII
        raise ConfigError(f"{place} is not base64: it must be the file's content, encoded, without blanks") from None
