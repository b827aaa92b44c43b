from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btcctl.sandbox.simnode.p2p.addresses import Endpoint, parse_endpoint


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("127.0.0.3", Endpoint("127.0.0.3", 18444)),
        ("127.0.0.3:18444", Endpoint("127.0.0.3", 18444)),
        ("127.0.0.3:1", Endpoint("127.0.0.3", 1)),
        ("::1", Endpoint("::1", 18444)),
        ("[::1]", Endpoint("::1", 18444)),
        ("[::1]:5", Endpoint("::1", 5)),
        ("0:0:0:0:0:0:0:1", Endpoint("::1", 18444)),
        ("::ffff:127.0.0.9", Endpoint("127.0.0.9", 18444)),
    ],
)
def test_every_spelling_of_an_address_is_one_endpoint(text: str, endpoint: Endpoint) -> None:
    assert parse_endpoint(text) == endpoint


@pytest.mark.parametrize(
    "text",
    [
        *("", ":", ":18444", "localhost", "n-1.net.svc", " 127.0.0.3", "1.2", "127.0.0.03"),
        *("127.0.0.3:99999", "127.0.0.3:0", "127.0.0.3:", "127.0.0.3:²", "0.0.0.0:1", "::", "255.255.255.255"),
    ],
)
def test_everything_else_is_a_name(text: str) -> None:
    assert parse_endpoint(text) is None


@given(st.ip_addresses(), st.integers(1, 65535))
def test_what_an_endpoint_prints_can_be_read_again(address: object, port: int) -> None:
    endpoint = parse_endpoint(str(address), port)
    if endpoint is not None:
        assert parse_endpoint(str(endpoint)) == endpoint


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    parse_endpoint(text)
