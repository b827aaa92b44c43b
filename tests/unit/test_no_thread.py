"""The system gives no thread, as it may give no descriptor: what needs one fails, for the moment, and nothing else."""

from __future__ import annotations

import socket
import threading
from datetime import timedelta

import pytest

from btcctl import Object, ObjectKey
from btcctl.certificates.identity import Identity
from btcctl.clock import SYSTEM_CLOCK
from btcctl.controller.lives.daemons import Daemons
from btcctl.errors import TransportError
from btcctl.rest.exchange.reaching.names import Names
from btcctl.rest.kubeconfig.issued.exec_plugin import Issued
from btcctl.rest.kubeconfig.issued.renewal import Renewed
from btcctl.testing.clock import FakeClock
from btcctl.threads import Runner
from btcctl.webhooks.answers.reviews import Reviews
from btcctl.webhooks.serving import WebhookServer

KEY = ObjectKey("default", "a")


class Threads:
    """Those whose names begin so cannot be had as long as there are none."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.are_out = True
        self._start = threading.Thread.start

    def start(self, thread: threading.Thread) -> None:
        if self.are_out and thread.name.startswith(self.name):
            raise RuntimeError("can't start new thread")
        self._start(thread)


@pytest.fixture
def without(monkeypatch):
    def make(name: str) -> Threads:
        threads = Threads(name)
        monkeypatch.setattr(threading.Thread, "start", lambda thread: threads.start(thread))  # noqa: PLW0108  or it is no method
        return threads

    return make


def test_a_thread_that_cannot_be_had_is_an_error_of_the_system(without):
    without("one")
    runner = Runner("one", lambda _: None)
    with pytest.raises(OSError, match="no thread can be had for one"):
        runner.start()
    runner.stop()


def test_a_second_start_is_still_a_mistake():
    with Runner("one", lambda _: None) as runner, pytest.raises(RuntimeError):
        runner.start()


def test_a_name_is_asked_for_again_once_there_is_a_thread(without, monkeypatch):
    threads, names = without("resolve-"), Names()
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 1))]
    monkeypatch.setattr("btcctl.rest.exchange.reaching.names._ask", lambda host, port, flags=0: refuse(flags) or found)
    with pytest.raises(OSError, match="no thread can be had for resolve-host"):
        names.resolve("host", 1, 10.0)
    threads.are_out = False
    assert names.resolve("host", 1, 10.0) == found


def refuse(flags: int) -> None:
    if flags:
        raise socket.gaierror(socket.EAI_NONAME, "no address")


def test_a_login_without_a_thread_is_a_failed_one_and_is_tried_again(without):
    threads, clock = without("login"), FakeClock()
    first = Issued("old", expires=clock.wall_time() + timedelta(seconds=60))
    renewed = Renewed(lambda _seconds, _stop: Issued("new"), first, "it", clock=clock)
    clock.advance(61.0)
    with pytest.raises(TransportError, match="no thread can be had for login"):
        renewed.current()
    threads.are_out = False
    clock.advance(60.0)
    assert renewed.current().header == "new"


class OneObject:
    def get(self, key: ObjectKey) -> Object:
        return Object.from_body({"metadata": {"name": key.name, "namespace": key.namespace, "uid": "u"}})


def test_a_daemon_begins_once_there_is_a_thread(without):
    threads, begun = without("net"), threading.Event()
    daemons = Daemons("net", lambda _key, _stop: begun.set(), OneObject(), FakeClock())
    daemons.start()
    with pytest.raises(OSError, match="no thread can be had"):
        daemons.reconcile(KEY)
    threads.are_out = False
    daemons.reconcile(KEY)
    assert begun.wait(60.0)
    daemons.stop()


def test_webhooks_are_served_again_once_there_is_a_thread(without):
    threads = without("webhooks-1")
    server = WebhookServer("127.0.0.1:0", Reviews((), SYSTEM_CLOCK), Identity("webhooks", SYSTEM_CLOCK), None)
    server.start()
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10.0) as refused:
            assert refused.recv(1) == b""
        assert server.problem() == "there is no certificate yet"
        threads.are_out = False
        with socket.create_connection(("127.0.0.1", server.port), timeout=10.0) as served:
            assert served.recv(1) == b""  # by a thread: there is no certificate
        assert server.problem() == "there is no certificate yet"
    finally:
        server.stop()
