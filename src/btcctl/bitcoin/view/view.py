"""The view as a whole: what is looked at, what may be done, and what a page is shown of both."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from btcctl.bitcoin.client.networks import Networks
from btcctl.bitcoin.view.actions import Actions, Hangs
from btcctl.bitcoin.view.hub import Hub
from btcctl.bitcoin.view.looking.collector import Collector
from btcctl.bitcoin.view.looking.followed import Looking
from btcctl.bitcoin.view.model import Server, State
from btcctl.bitcoin.view.operator.inside import Inside
from btcctl.bitcoin.view.orders import LogTail, Order, Outcome, network_key
from btcctl.clock import SYSTEM_CLOCK, Clock
from btcctl.deadline import limited_to
from btcctl.errors import BtcctlError
from btcctl.logging import scrub
from btcctl.objects import ObjectKey
from btcctl.rest.client import ApiClient
from btcctl.version import VERSION

LOG_SECONDS = 5.0
_MOST_CHARACTERS = 2000  # of a line


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """What of it may be chosen.

    Attributes:
        cluster: Its name, for people.
        is_read_only: Nothing can be done.
        is_sandbox: The pods are processes of this machine.
        looking: How it is looked.
    """

    cluster: str = ""
    is_read_only: bool = True
    is_sandbox: bool = False
    looking: Looking = field(default_factory=Looking)


class View:
    """A scene of the web server, and a part that starts and stops.

    Args:
        client: The cluster; stays the caller's.
        options: What may be chosen.
        inside: Looks into the operator; given the hub.
        hangs: Stops nodes' processes, where they are this machine's.
    """

    def __init__(
        self,
        client: ApiClient,
        options: ViewOptions,
        inside: Callable[[Hub], Inside],
        hangs: Hangs | None = None,
        *,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.hub = Hub()
        self._client = client
        self._options = options
        self._clock = clock
        self._inside = inside(self.hub)
        self._collector = Collector(client, self.hub, options.looking, clock=clock)
        self._actions = Actions(client, self._networks, hangs, calls_nodes=options.looking.asks_nodes)
        self._server = Server(
            version=VERSION,
            cluster=options.cluster,
            is_sandbox=options.is_sandbox,
            is_read_only=options.is_read_only,
            poll_seconds=options.looking.poll_seconds,
            started_at=clock.wall_time().timestamp(),
        )

    def start(self) -> None:
        """Begin to look; returns at once."""
        self._collector.start()
        self._inside.start()

    def stop(self, timeout: float = 2.0) -> None:
        """End all threads. Idempotent."""
        with ExitStack() as parts:
            parts.callback(self._collector.stop, timeout)
            parts.callback(self._inside.stop, timeout)

    def state(self, network: str) -> State:
        """See `Scene.state`."""
        key = network_key(network)
        return State(
            at=self._clock.wall_time().timestamp(),
            server=self._server,
            networks=self._collector.summaries(),
            network=None if key is None else self._collector.picture(key),
            controller=self._inside.picture(),
            actions=[] if self._options.is_read_only else self._actions.available(),
            problem=self._collector.problem(),
        )

    def act(self, action: str, order: Order) -> Outcome:
        """See `Scene.act`."""
        if self._options.is_read_only:
            return Outcome(False, "this view was started with --read-only: it shows, and does nothing")
        outcome = self._actions.act(action, order)
        key = network_key(order.network)
        if key is not None and outcome.is_done:
            if order.node is not None and action in {"hang", "release"}:
                self._collector.set_hung(key, order.node, is_hung=action == "hang")
            self._collector.ask_soon(key)
        return outcome

    def log(self, network: str, node: int, lines: int) -> LogTail:
        """See `Scene.log`."""
        key = network_key(network)
        if key is None:
            return LogTail(problem="say which network: NAMESPACE/NAME")
        try:
            with limited_to(LOG_SECONDS, self._clock), self._networks() as networks:
                return LogTail(_tail(networks, key, node, lines))
        except BtcctlError as error:
            return LogTail(problem=str(scrub(str(error))))

    def _networks(self) -> Networks:
        looking = self._options.looking
        return Networks(self._client, looking.via, looking.forward)


def _tail(networks: Networks, key: ObjectKey, node: int, lines: int) -> list[str]:
    found: Any = networks.node(networks.get(key), node, to_call=False)
    with networks.log(found, tail_lines=lines) as stream:
        return [str(scrub(line))[:_MOST_CHARACTERS] for line in stream]
