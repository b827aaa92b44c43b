"""Asking a container how it is, over real sockets and processes."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from btcctl.sandbox.kubelet.pods.checks import Answer, CheckTarget, port_number, run_check
from btcctl.sandbox.kubelet.pods.probes import ProbeSpec
from btcctl.threads import Runner
from tests.integration.support import closed_port

IP = "127.0.0.1"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/")) if self.headers["X-Right"] != "no" else 500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = ThreadingHTTPServer((IP, 0), Handler)
    server.daemon_threads = True
    with server, Runner("server", lambda stop: (stop.on_set(server.shutdown), server.serve_forever(0.01))[1]):
        yield server.server_address[1]


def target(directory: Path | str = "/", **container: Any) -> CheckTarget:
    return CheckTarget(IP, container, {"PATH": os.defpath, "NAME": "value"}, str(directory))


def ask(check: dict[str, Any], timeout: float = 5.0, where: CheckTarget | None = None) -> Answer:
    return run_check(ProbeSpec(check, timeout=timeout), where or target())


@pytest.mark.parametrize(("status", "ok"), [(200, True), (302, True), (404, False), (503, False)])
def test_statuses_from_200_to_399_are_good(port, status, ok):
    answer = ask({"httpGet": {"port": port, "path": f"/{status}"}})
    assert answer == Answer(ok, "" if ok else f"HTTP probe failed with statuscode: {status}")


def test_headers_are_sent(port):
    headers = [{"name": "X-Right", "value": "no"}]
    assert not ask({"httpGet": {"port": port, "path": "/200", "httpHeaders": headers}}).ok


def test_a_port_may_have_a_name(port):
    where = target(ports=[{"name": "web", "containerPort": port}])
    assert ask({"httpGet": {"port": "web", "path": "/200"}}, where=where).ok
    assert ask({"tcpSocket": {"port": "web"}}, where=where).ok
    assert "couldn't find port" in ask({"tcpSocket": {"port": "other"}}, where=where).message


def test_numbers_may_be_texts():
    assert port_number("80", {}) == 80


def test_a_connection_that_is_refused_is_a_failure():
    with closed_port() as unused:
        for kind in ("httpGet", "tcpSocket"):
            answer = ask({kind: {"port": unused}})
            assert not answer.ok
            assert "refused" in answer.message


def test_silence_is_a_failure_after_the_timeout():
    with socket.create_server((IP, 0)) as silent:
        answer = ask({"httpGet": {"port": silent.getsockname()[1]}}, timeout=0.05)
    assert answer == Answer(False, "timed out")


def test_http_asked_for_https_is_a_failure(port):
    assert not ask({"httpGet": {"port": port, "path": "/200", "scheme": "HTTPS"}}).ok


def test_nonsense_is_a_failure():
    with socket.create_server((IP, 0)) as server:

        def babble(_: Any) -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"nonsense\r\n\r\n")

        with Runner("babbler", babble):
            assert not ask({"httpGet": {"port": server.getsockname()[1]}}).ok


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        ("print('fine')", Answer(True, "fine")),
        ("raise SystemExit('ill')", Answer(False, "ill")),
        ("raise SystemExit(3)", Answer(False, "command exited with 3")),
        ("import os; print(os.environ['NAME'], os.getcwd())", Answer(True, "value /")),
    ],
)
def test_a_command_is_good_if_it_exits_with_0(script, answer):
    assert ask({"exec": {"command": [sys.executable, "-c", script]}}) == answer


def test_a_command_that_takes_too_long_is_a_failure():
    answer = ask({"exec": {"command": ["sleep", "30"]}}, timeout=0.05)
    assert not answer.ok
    assert "timed out" in answer.message


def test_a_command_that_does_not_exist_is_a_failure():
    assert "No such file" in ask({"exec": {"command": ["/nowhere/at/all"]}}).message


def test_what_is_not_known_is_said():
    assert "httpGet, tcpSocket and exec only" in ask({"grpc": {"port": 1}}).message
