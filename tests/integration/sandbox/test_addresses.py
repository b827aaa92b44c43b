"""Loopback addresses for pods, on real sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from btcctl.errors import ConfigError
from btcctl.sandbox.kubelet import addresses
from btcctl.sandbox.kubelet.addresses import CLAIM_PORT, AddressPool


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


def test_two_pools_never_share_a_network():
    with ExitStack() as stack:
        octets = iter([77, 77, 78])
        pools = [AddressPool(choose=lambda _: next(octets)) for _ in range(2)]
        for each in pools:
            each.start()
            stack.callback(each.stop)
        assert [each.allocate().split(".")[1] for each in pools] == ["77", "78"]


def test_a_network_can_be_had_again_after_stop():
    for _ in range(2):
        pool = AddressPool(choose=lambda _: 79)
        pool.start()
        pool.stop()
        pool.stop()


def test_when_every_network_is_taken_it_is_said():
    with ExitStack() as stack:
        listen(stack, "127.80.0.1", CLAIM_PORT)
        pool = AddressPool(choose=lambda _: 80)
        with pytest.raises(ConfigError, match="are taken"):
            pool.start()


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
