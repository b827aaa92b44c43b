"""Faults of connections: they are silent, or they break."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from btcctl.testing.faults.answers import Answering, events
from btcctl.testing.faults.pace import Pace
from btcctl.testing.faults.proxy import FaultProxy
from btcctl.testing.faults.requests import ProxiedRequest, Rule
from btcctl.testing.faults.streams import End

#: Brings a fault about, and returns when it is over.
InProxy: TypeAlias = Callable[[FaultProxy, Pace], None]


class Endless(Rule):
    """Keeps from the server that a watch is to end."""

    def ask(self, request: ProxiedRequest) -> ProxiedRequest:
        return request.without("timeoutSeconds") if request.is_watch else request


def end(how: End) -> InProxy:
    return lambda proxy, _: proxy.end_watches(how)


def reset(proxy: FaultProxy, _: Pace) -> None:
    proxy.reset()


def silence(proxy: FaultProxy, _: Pace) -> None:
    proxy.silence_watches()


def black_hole(proxy: FaultProxy, pace: Pace) -> None:
    with proxy.black_hole():
        pace.wait(100.0)


def trickle(proxy: FaultProxy, pace: Pace) -> None:
    streams = proxy.silence_watches()
    for _ in range(20):
        pace.wait(5.0)
        for stream in streams:
            stream.trickle(b" ")


def terminate(proxy: FaultProxy, pace: Pace) -> None:
    """As on SIGTERM: nothing listens, open watches are silent for a minute, then end."""
    streams = proxy.silence_watches()
    with proxy.refusing():
        pace.wait(60.0)
        for stream in streams:
            stream.end(End.CLEAN)


def outage(proxy: FaultProxy, pace: Pace) -> None:
    """As of a server that was killed and is started again soon."""
    with proxy.refusing():
        proxy.reset()
        pace.wait(20.0)


def end_at_once(proxy: FaultProxy, pace: Pace) -> None:
    with proxy.rule(Answering(events(), lambda asked: asked.is_watch)):
        proxy.end_watches(End.CLEAN)
        pace.wait(20.0)


def never_end(proxy: FaultProxy, pace: Pace) -> None:
    with proxy.rule(Endless()):
        proxy.end_watches(End.CLEAN)
        pace.wait(200.0)
