from __future__ import annotations

import stat
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from btcctl.apiserver.network.kubeconfig import write_kubeconfig
from btcctl.rest.loading import load_config
from btcctl.testing.control_plane import kubeconfigs
from btcctl.testing.control_plane.kubeconfigs import Endpoint
from btcctl.testing.control_plane.pki import Authority, KeyPair


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def alice(authority: Authority) -> KeyPair:
    return authority.issue_client("alice", ["ops", "dev"])


def certificate(pair: KeyPair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.certificate)


def names(pair: KeyPair, oid: x509.ObjectIdentifier) -> list[str | bytes]:
    return [each.value for each in certificate(pair).subject.get_attributes_for_oid(oid)]


def usage(pair: KeyPair) -> list[x509.ObjectIdentifier]:
    return list(certificate(pair).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def test_a_client_certificate_names_the_user_and_the_groups(alice):
    assert names(alice, NameOID.COMMON_NAME) == ["alice"]
    assert names(alice, NameOID.ORGANIZATION_NAME) == ["ops", "dev"]
    assert usage(alice) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_a_certificate_is_signed_by_the_authority(authority, alice):
    certificate(alice).verify_directly_issued_by(x509.load_pem_x509_certificate(authority.certificate))


def test_a_server_certificate_is_good_for_its_addresses_and_names(authority):
    pair = authority.issue_server(["127.0.0.1", "10.0.0.1"], ["localhost"])
    alternatives = certificate(pair).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert alternatives.get_values_for_type(x509.IPAddress) == [ip_address("127.0.0.1"), ip_address("10.0.0.1")]
    assert alternatives.get_values_for_type(x509.DNSName) == ["localhost"]
    assert usage(pair) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_a_kubeconfig_with_a_certificate_is_one_our_client_reads(tmp_path: Path, authority, alice):
    path = tmp_path / "kubeconfig"
    endpoint = Endpoint("https://127.0.0.1:6443", authority.certificate)
    write_kubeconfig(path, kubeconfigs.with_certificate(endpoint, "alice", alice))
    config = load_config(path)
    assert config.host == "https://127.0.0.1:6443"
    assert config.tls.ca_data == authority.certificate
    assert config.tls.client_data is not None
    assert alice.key.strip() in config.tls.client_data


def test_a_kubeconfig_with_a_token_is_one_our_client_reads(tmp_path: Path):
    path = tmp_path / "kubeconfig"
    write_kubeconfig(path, kubeconfigs.with_token(Endpoint("https://h"), "ns/robot", "secret", "ns"))
    config = load_config(path)
    assert config.credentials.authorization() == "Bearer secret"
    assert config.namespace == "ns"


def test_a_kubeconfig_is_for_its_owner_only(tmp_path: Path):
    path = tmp_path / "kubeconfig"
    write_kubeconfig(path, kubeconfigs.with_token(Endpoint("https://h"), "u", "secret", "ns"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_key_is_shown_in_a_repr(alice):
    assert "PRIVATE" not in repr(alice)
