from __future__ import annotations

import pytest

from btcctl.apiserver.schemas import formats


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("date-time", "2026-01-02T03:04:05.6+01:00", "2026-01-02"),
        ("date-time", "2026-01-02T23:59:59Z", "2026-01-02T24:00:00Z"),
        ("date", "2026-02-28", "2026-02-30"),
        ("duration", "1h30m", "5"),
        ("ipv4", "127.0.0.1", "127.0.0.256"),
        ("ipv6", "::1", "127.0.0.1"),
        ("cidr", "10.0.0.0/8", "10.0.0.0/33"),
        ("mac", "00:00:5e:00:53:01", "00:00:5e"),
        ("uri", "http://a.b/c?d=e", "a.b"),
        ("hostname", "a.b.com", "a_b"),
        ("email", "a@b.c", "a@"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123"),
        ("byte", "YWI=", "YWI"),
        ("isbn", "978-0321751041", "0321751044"),
        ("creditcard", "4111 1111 1111 1111", "4111111111111112"),
        ("k8s-short-name", "abc", "Abc"),
    ],
)
def test_a_format_tells_its_own_from_others(name, good, bad):
    assert (formats.fits(name, good), formats.fits(name, bad)) == (True, False)


def test_a_format_nobody_knows_takes_anything():
    assert formats.fits("nobody-knows", "x")
