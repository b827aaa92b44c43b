"""Addresses for pods, never one twice in a run: 127.x.y.z, or those of an IPv6 network that this machine has."""

from __future__ import annotations

import contextlib
import errno
import random
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv6Network

from btcctl.errors import ConfigError

# Whoever listens here on 127.x.0.1 owns 127.x.0.0/16. Any port that nobody else wants will do.
CLAIM_PORT = 18440

_TRIES = 16


class AddressPool:
    """The addresses of one run: a /16 network of its own in 127.0.0.0/8, claimed by a socket.

    Args:
        choose: Picks one of the second octets; a random one by default.
        network: The addresses of this network instead; the first is for the claim. They must be this machine's.
    """

    def __init__(self, choose: Callable[[range], int] = random.choice, *, network: IPv6Network | None = None) -> None:
        self._choose = choose
        self._network = network
        self._claim: socket.socket | None = None
        self._lock = threading.Lock()  # guards the iterator
        self._addresses: Iterator[str] = iter(())

    def start(self) -> None:
        """Claim a network that no other sandbox on this machine has.

        Raises:
            ConfigError: This machine has no loopback addresses beyond 127.0.0.1, or every
                network that was tried is taken.
        """
        if self._network is not None:
            self._start_in(self._network)
            return
        for _ in range(_TRIES):
            octet = self._choose(range(1, 255))
            claim = _claim(f"{_network(octet)}.0.1")
            if claim is not None:
                self._claim, self._addresses = claim, _addresses(octet)
                return
        raise ConfigError(
            f"{_TRIES} networks in 127.0.0.0/8 are taken (port {CLAIM_PORT}): are so many sandboxes running?"
        )

    def _start_in(self, network: IPv6Network) -> None:
        hosts = map(str, network.hosts())
        first = next(hosts)
        try:
            self._claim = _claim(first)
        except ConfigError as error:
            raise ConfigError(
                f"cannot listen on {first}: {network} is no network of this machine. In a network namespace of its own "
                f"(unshare -rn), `ip link set lo up` and `ip -6 addr add {first}/128 dev lo` for each make it one"
            ) from error
        if self._claim is None:
            raise ConfigError(f"{network} is taken (port {CLAIM_PORT}): does another sandbox use it?")
        self._addresses = hosts

    def allocate(self, ports: Iterable[int] = ()) -> str:
        """An address that was not handed out before, on which these TCP ports are free.

        Raises:
            ConfigError: They are taken on one address after the other, or all are handed out.
        """
        wanted = sorted(set(ports))
        taken = None
        for _ in range(_TRIES):
            address = self._next()
            taken = next((port for port in wanted if not _is_free(address, port)), None)
            if taken is None:
                return address
        raise ConfigError(
            f"port {taken} is taken on every loopback address: something listens on 0.0.0.0:{taken} "
            f"(ss -ltnp 'sport = :{taken}' names it)"
        )

    def _next(self) -> str:
        with self._lock:
            address = next(self._addresses, None)
        if address is None:
            raise ConfigError("no loopback address is left: the sandbox has used all of its 127.x.0.0/16")
        return address

    def stop(self) -> None:
        """Give the network back. Idempotent."""
        if self._claim is not None:
            self._claim.close()
            self._claim = None


def _network(octet: int) -> str:
    return f"127.{octet}"


def _addresses(octet: int) -> Iterator[str]:
    """127.x.0.2 to 127.x.255.254; the first is the claim's."""
    for third in range(256):
        for fourth in range(1, 255):
            if (third, fourth) != (0, 1):
                yield f"{_network(octet)}.{third}.{fourth}"


def _claim(address: str) -> socket.socket | None:
    claim = socket.socket(_family(address))
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(claim.close)
        claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            claim.bind((address, CLAIM_PORT))
            claim.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return None
            raise ConfigError(
                f"cannot listen on {address}: {error.strerror}. The sandbox gives every node a loopback address of "
                "its own, and this machine seems to have 127.0.0.1 only. Linux has all of 127.0.0.0/8 without any "
                "set-up; elsewhere add addresses to the loopback interface, or run the sandbox in a Linux container."
            ) from error
        on_failure.pop_all()
    return claim


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _is_free(address: str, port: int) -> bool:
    with socket.socket(_family(address)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # TIME_WAIT is free enough
        try:
            probe.bind((address, port))
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True
