"""Certificates over the years: nobody notices that they change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from btcctl.certificates.issuing import (
    AUTHORITY_LIFE,
    LEAF_LIFE,
    SPREADING,
    Certificates,
    due_seconds,
    expiry_of,
    names_in,
    renewed,
)
from btcctl.secret import SecretBytes

START = datetime(2026, 1, 1, tzinfo=UTC)
HOSTS = ["vol-webhooks.default.svc"]
DAY = timedelta(days=1)


def names(certificates: Certificates) -> list[str]:
    return names_in(x509.load_pem_x509_certificate(certificates.certificate))


def is_believed(certificates: Certificates, authorities: bytes, now: datetime, host: str = HOSTS[0]) -> bool:
    store = Store(x509.load_pem_x509_certificates(authorities))
    verifier = PolicyBuilder().store(store).time(now).build_server_verifier(x509.DNSName(host))
    try:
        verifier.verify(x509.load_pem_x509_certificate(certificates.certificate), [])
    except x509.verification.VerificationError:
        return False
    return True


def test_what_is_made_first_is_believed_and_kept():
    made = renewed(None, HOSTS, START)
    assert is_believed(made, made.authorities, START)
    assert not is_believed(made, made.authorities, START, "elsewhere.svc")
    assert renewed(made, HOSTS, START + 50 * DAY) is made
    assert due_seconds(made, START) == pytest.approx(LEAF_LIFE.total_seconds() * 2 / 3, rel=0.01)


def test_a_certificate_is_renewed_in_time_by_the_same_authority():
    made = renewed(None, HOSTS, START)
    later = START + 61 * DAY
    again = renewed(made, HOSTS, later)
    assert again.certificate != made.certificate
    assert again.authorities == made.authorities
    assert is_believed(again, made.authorities, later)
    assert expiry_of(again.certificate) == later + LEAF_LIFE


def test_at_no_time_in_eight_years_does_a_server_meet_what_it_does_not_believe():
    """The API server may be told of authorities up to half an hour late, which is half of what it is given."""
    now, current = START, renewed(None, HOSTS, START)
    told, changes = [(now - SPREADING, current.authorities)], 0
    while now < START + timedelta(days=8 * 365):
        # When something is due, and a minute later, because of another copy that starts.
        now += timedelta(seconds=due_seconds(current, now) if len(told) % 2 else 60.0)
        following = renewed(current, HOSTS, now)
        changes += following.authorities != current.authorities
        current = following
        told.append((now, current.authorities))
        known = [bundle for at, bundle in told if at <= now - SPREADING / 2][-1]
        assert is_believed(current, known, now)
    assert changes >= 3  # a second authority comes, signs, and the first one goes
    assert len(x509.load_pem_x509_certificates(current.authorities)) <= 2


def test_a_name_that_is_missing_is_added_at_once_and_no_copy_takes_anothers_away():
    made = renewed(None, HOSTS, START)
    both = renewed(made, ["new.default.svc"], START + DAY)
    assert names(both) == [*HOSTS, "new.default.svc"]
    assert both.authorities == made.authorities
    assert renewed(both, HOSTS, START + DAY) is both
    assert names(renewed(both, ["127.0.0.1"], START + 70 * DAY)) == [*HOSTS, "new.default.svc", "127.0.0.1"]


@pytest.mark.parametrize("part", ["certificate", "key", "authorities", "authority_key"])
def test_what_cannot_be_used_is_made_anew(part):
    made, other = renewed(None, HOSTS, START), renewed(None, HOSTS, START)
    for wrong in (b"nonsense", getattr(other, part)):
        parts = {name: getattr(made, name) for name in ("certificate", "key", "authorities", "authority_key")}
        spoilt = Certificates(**{**parts, part: SecretBytes(wrong)})
        again = renewed(spoilt, HOSTS, START)
        assert is_believed(again, again.authorities, START)
        assert again is not spoilt


def test_after_a_pause_of_years_it_begins_anew():
    made = renewed(None, HOSTS, START)
    later = START + AUTHORITY_LIFE + DAY
    again = renewed(made, HOSTS, later)
    assert is_believed(again, again.authorities, later)


def test_no_key_is_shown():
    assert "PRIVATE" not in repr(renewed(None, HOSTS, START))
