"""Loopback addresses for pods, on real sockets."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from btcctl.errors import ConfigError
from btcctl.sandbox.kubelet import addresses
from btcctl.sandbox.kubelet.addresses import AddressPool


@pytest.fixture
def pool() -> Iterator[AddressPool]:
    pool = AddressPool()
    pool.start()
    yield pool
    pool.stop()


def listen(stack: ExitStack, address: str, port: int = 0) -> int:
    sock = stack.enter_context(socket.create_server((address, port)))
    return sock.getsockname()[1]


def test_every_address_is_new_and_in_one_network(pool):
    given = [pool.allocate() for _ in range(600)]
    assert len(set(given)) == 600
    assert len({each.split(".")[1] for each in given}) == 1
    assert not any(each.split(".")[3] in {"0", "255"} for each in given)
    assert not any(each.endswith(".0.1") for each in given)  # the claim's own


def octet(pool: AddressPool) -> int:
    return int(pool.allocate().split(".")[1])


def test_two_pools_never_share_a_network(pool):
    # The networks are this machine's, and other sandboxes run on it: which one is free is not ours to say.
    tried = iter([octet(pool)])
    other = AddressPool(choose=lambda octets: next(tried, None) or random.choice(octets))
    other.start()
    try:
        assert octet(other) != octet(pool)
        assert next(tried, None) is None
    finally:
        other.stop()


def test_a_network_can_be_had_again_after_stop(pool):
    had = octet(pool)
    pool.stop()
    pool.stop()
    again = AddressPool(choose=lambda _: had)
    again.start()
    again.stop()


def test_when_every_network_is_taken_it_is_said(pool):
    taken = octet(pool)
    with pytest.raises(ConfigError, match="are taken"):
        AddressPool(choose=lambda _: taken).start()


def test_an_address_whose_port_is_taken_is_skipped(pool):
    first = pool.allocate()
    *network, last = first.split(".")
    with ExitStack() as stack:
        port = listen(stack, ".".join([*network, str(int(last) + 1)]))
        assert pool.allocate([port]) == ".".join([*network, str(int(last) + 2)])


def test_a_port_that_somebody_has_on_all_addresses_is_named(pool):
    with ExitStack() as stack:
        port = listen(stack, "0.0.0.0")  # noqa: S104 -- that is the trouble
        with pytest.raises(ConfigError, match=f"something listens on 0.0.0.0:{port}"):
            pool.allocate([port])


def test_where_only_one_loopback_address_exists_it_is_explained(monkeypatch):
    monkeypatch.setattr(addresses, "_network", lambda octet: f"192.{octet}")  # not ours
    with pytest.raises(ConfigError, match=r"seems to have 127\.0\.0\.1 only"):
        AddressPool(choose=lambda _: 0).start()
