"""From names to addresses, in time: the resolver of the system knows no deadline and cannot be broken off.

It is asked in a thread of its own, which a waiting caller can leave. A name is asked for once at a time, whoever wants
it, so that a resolver that hangs holds one thread per name.
"""

from __future__ import annotations

import itertools
import socket
import threading
from typing import Any

from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.rest.transport.breaker import Breaker
from btcctl.threads import Latch, Runner, Stop

AddressInfo = tuple[Any, ...]  #: as `socket.getaddrinfo` has it


class _Lookup:
    """One question under way, and its answer."""

    def __init__(self, host: str, port: int, clock: Clock) -> None:
        self.answered = Latch(clock)
        self.found: list[AddressInfo] = []
        self.error: OSError | None = None
        self._question = (host, port)

    def run(self, _: Stop) -> None:
        try:
            self.found = _ask(*self._question)
        except OSError as error:
            self.error = error
        finally:
            self.answered.set()

    def fail(self, error: OSError) -> None:
        """There will be no answer."""
        self.error = error
        self.answered.set()


class Names:
    """Asks the resolver. Thread-safe."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # guards the next
        self._under_way: dict[tuple[str, int], _Lookup] = {}

    def resolve(self, host: str, port: int, seconds: float, breaker: Breaker | None = None) -> list[AddressInfo]:
        """The addresses of a name, those of IPv6 and of IPv4 in turn (RFC 8305, section 4); never none.

        Raises:
            OSError: There are none.
            TimeoutError: It is not known in time.
            Interrupted: `breaker` was tripped.
        """
        try:
            return _ask(host, port, socket.AI_NUMERICHOST)
        except OSError:
            lookup = self._look_up(host, port)
        self._wait(lookup, seconds, breaker)
        if lookup.error is not None:
            raise lookup.error
        return in_turn(lookup.found)

    def _look_up(self, host: str, port: int) -> _Lookup:
        with self._lock:
            known = self._under_way.get((host, port))
            if known is not None:
                return known
            lookup = self._under_way[host, port] = _Lookup(host, port, self._clock)
        lookup.answered.on_set(lambda: self._forget(host, port))
        try:
            Runner(f"resolve-{host}", lookup.run).start()
        except OSError as error:
            lookup.fail(error)  # for others who wait for it, too; who comes later asks anew
        return lookup

    def _forget(self, host: str, port: int) -> None:
        with self._lock:
            self._under_way.pop((host, port), None)

    def _wait(self, lookup: _Lookup, seconds: float, breaker: Breaker | None) -> None:
        over = Latch(self._clock)
        take_back = lookup.answered.on_set(over.set)
        try:
            if breaker is not None:
                breaker.on_trip(over.set)
            is_over = over.wait(seconds)
        finally:
            take_back()
        if breaker is not None:
            breaker.release()
            breaker.check()
        if not is_over:
            raise TimeoutError("the name is not resolved in time")


def _ask(host: str, port: int, flags: int = 0) -> list[AddressInfo]:
    try:
        return [*socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)]
    except ValueError as error:  # a label of more than 63 characters, or NUL
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from error


def in_turn(found: list[AddressInfo]) -> list[AddressInfo]:
    """The two families one after the other, beginning with the first's: one of them may lead nowhere."""
    first = [each for each in found if each[0] == found[0][0]]
    others = [each for each in found if each[0] != found[0][0]]
    pairs = itertools.zip_longest(first, others)
    return [each for pair in pairs for each in pair if each is not None]
