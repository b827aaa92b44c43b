"""A reconcile that hangs in a call of ours is given up, and tried again; a worker is not lost to it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import pytest

from btcctl.bitcoin.rpc import Credentials, RpcConnections
from btcctl.clock import SYSTEM_CLOCK
from btcctl.controller.controller import Controller
from btcctl.controller.options import ControllerOptions
from btcctl.controller.reconciling.result import Result
from btcctl.errors import DeadlineExceeded
from btcctl.objects import ObjectKey
from btcctl.resources import CONFIG_MAPS
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig

TIMEOUT_SECONDS = 0.3
LATE_SECONDS = 8.0  # less than the 30 s and 13 s that the clients themselves would wait
KEY = ObjectKey("default", "a")


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Takes connections, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def call_api_server(port: int) -> Callable[[], object]:
    client = ApiClient.from_config(ClientConfig(f"http://127.0.0.1:{port}"))
    return lambda: client.resource(CONFIG_MAPS, "default").get(KEY)


def call_node(port: int) -> Callable[[], object]:
    connections = RpcConnections(port)
    return lambda: connections.client("127.0.0.1", Credentials("user", "password")).call("getnetworkinfo")


@pytest.mark.parametrize("call_on", [call_api_server, call_node])
def test_a_call_that_hangs_ends_with_the_time_of_its_reconcile(
    silent_port: int, call_on: Callable[[int], Callable[[], object]]
) -> None:
    call, ended = call_on(silent_port), SimpleQueue[Exception]()

    def reconcile(_: ObjectKey) -> Result:
        try:
            call()
        except Exception as error:
            ended.put(error)
            raise
        return Result()

    controller = Controller("net", reconcile, options=ControllerOptions(workers=1, reconcile_timeout=TIMEOUT_SECONDS))
    controller.queue.add(KEY)
    began_at = SYSTEM_CLOCK.now()  # a reconcile's time counts from before it is called
    controller.start()
    try:
        for _ in range(2):  # the same worker comes back
            assert isinstance(ended.get(timeout=LATE_SECONDS), DeadlineExceeded)
        assert SYSTEM_CLOCK.now() - began_at >= 2 * TIMEOUT_SECONDS
    finally:
        controller.stop()
