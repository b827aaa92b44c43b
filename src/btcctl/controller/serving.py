"""Metrics and health over HTTP, for Prometheus and the kubelet; and what goes on, for people."""

from __future__ import annotations

import http.server
import json
import socket
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import structlog

from btcctl.errors import BtcctlError, ConfigError
from btcctl.metrics import Metrics
from btcctl.threads import Runner, Stop

logger = structlog.get_logger(__name__)

METRICS_TYPE = "text/plain; version=1.0.0; charset=utf-8"
# Requests are answered one after the other: somebody who connects and says nothing is cut off
# before a probe with the kubelet's default timeout of 1 s has failed twice.
_CLIENT_SECONDS = 1.0
_POLL_SECONDS = 0.25  # how long stopping may take

Check = Callable[[], str]  #: what is wrong, "" if nothing is
Pages = Callable[[str], Mapping[str, Any] | None]  #: takes what comes after /debug/; None if there is no such page


class StatusServer:
    """Serves `/metrics`, `/healthz` and `/readyz`; the latter two take `?verbose`. And `/debug/…`, if there is any.

    Args:
        address: "host:port", ":port" for all interfaces; port 0 picks a free one.
        metrics: What to show.
        live: Checks of `/healthz`, by name: if one fails, the process should be restarted.
        ready: Further checks of `/readyz`.
        debug: The pages of `/debug/`.

    Raises:
        ConfigError: `address` is not of that form.
    """

    def __init__(
        self,
        address: str,
        metrics: Metrics,
        live: Mapping[str, Check],
        ready: Mapping[str, Check],
        debug: Pages | None = None,
    ) -> None:
        self._debug = debug
        self._host, self._wanted_port = parse_address(address)
        self._metrics = metrics
        self._checks = {"/healthz": dict(live), "/readyz": {**live, **ready}}
        self._server: _Server | None = None
        self._runner = Runner("http-status", self.run)

    @property
    def port(self) -> int:
        """The port it listens on, once started."""
        return self._server.server_address[1] if self._server else self._wanted_port

    def start(self) -> None:
        """Listen, and answer in a thread.

        Raises:
            BtcctlError: The address is taken or not ours.
        """
        try:
            self._server = _Server((self._host, self._wanted_port), self._answer)
        except OSError as error:
            raise BtcctlError(f"cannot listen on {self._host}:{self._wanted_port}: {error.strerror}") from error
        self._runner.start()
        logger.info("serving metrics and health", host=self._host or "all interfaces", port=self.port)

    def stop(self, timeout: float = 5.0) -> None:
        """Stop answering. Idempotent."""
        self._runner.stop(timeout)
        if self._server is not None:
            self._server.server_close()

    def run(self, stop: Stop) -> None:
        """Answer until `stop` is set. Blocks."""
        if self._server is None:
            raise RuntimeError("start() listens, run() answers")
        while not stop.is_set():
            self._server.handle_request()

    def _answer(self, path: str) -> tuple[HTTPStatus, str, bytes]:
        path, _, query = path.partition("?")
        if path == "/metrics":
            return HTTPStatus.OK, METRICS_TYPE, self._metrics.text()
        page = self._debug(path.removeprefix("/debug/")) if self._debug and path.startswith("/debug/") else None
        if page is not None:
            return HTTPStatus.OK, "application/json", json.dumps(page, indent=1).encode()
        checks = self._checks.get(path)
        if checks is None:
            return HTTPStatus.NOT_FOUND, "text/plain", b"try /metrics, /healthz or /readyz\n"
        problems = {name: check() for name, check in checks.items()}
        status = HTTPStatus.INTERNAL_SERVER_ERROR if any(problems.values()) else HTTPStatus.OK
        return status, "text/plain; charset=utf-8", _report(path, problems, "verbose" in query).encode()


def _report(path: str, problems: Mapping[str, str], verbose: bool) -> str:
    """As the API server's own health endpoints answer."""
    bad = any(problems.values())
    if not (bad or verbose):
        return "ok"
    lines = [f"[-]{name} failed: {problem}" if problem else f"[+]{name} ok" for name, problem in problems.items()]
    return "\n".join([*lines, f"{path[1:]} check {'failed' if bad else 'passed'}", ""])


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of "host:port", ":port" or "[::1]:port".

    Raises:
        ConfigError: Not of that form.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise ConfigError(f"{text!r} is no address to listen on; write :8080 or 127.0.0.1:8080")
    return host.removeprefix("[").removesuffix("]"), int(port)


class _Server(http.server.HTTPServer):
    timeout = _POLL_SECONDS

    def __init__(self, address: tuple[str, int], answer: Callable[[str], tuple[HTTPStatus, str, bytes]]) -> None:
        self.answer = answer
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.debug("status request broke off", client=str(client_address))


class _Handler(http.server.BaseHTTPRequestHandler):
    timeout = _CLIENT_SECONDS
    server: _Server

    def do_GET(self) -> None:
        status, content_type, body = self.server.answer(self.path)
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class' name
        """A probe each few seconds is nothing to log."""
