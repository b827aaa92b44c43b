"""Metrics and health over HTTP, for Prometheus and the kubelet; and what goes on, for people."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from btcctl.controller.serving.http_answer import Answer
from btcctl.controller.serving.http_request import Request
from btcctl.controller.serving.http_server import HttpServer, listen
from btcctl.controller.serving.protection import Protection
from btcctl.errors import BtcctlError, ConfigError, describe_error, type_name
from btcctl.logging import get_logger
from btcctl.metrics import Metrics
from btcctl.mistakes import check_plain
from btcctl.threads import Runner, Stop

logger = get_logger(__name__)

METRICS_TYPE = "text/plain; version=1.0.0; charset=utf-8"
_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.%\w]+)\]|([A-Za-z0-9._:%-]*)):([0-9]{1,5})", re.ASCII)

Check = Callable[[], str]  #: what is wrong, "" if nothing is
Pages = Callable[[str], Mapping[str, Any] | None]  #: takes what comes after /debug/; None if there is no such page


class StatusServer:
    """Serves `/metrics`, `/healthz` and `/readyz`; the latter two take `?verbose`, and `?exclude=NAME` for a check that
    is not to be asked, as an API server's do. And `/debug/…`, if there is any.

    Many clients at once, each of which has five seconds for a request: see `btcctl.controller.serving.http_server`.
    A check that raises has failed; one that hangs makes its own page unavailable and no other.

    Args:
        address: "host:port", ":port" for all interfaces of both IP families; port 0 picks a free one.
        metrics: What to show; None serves no `/metrics`.
        live: Checks of `/healthz`, by name: if one fails, the process should be restarted. Called by many threads.
        ready: Further checks of `/readyz`.
        debug: The pages of `/debug/`.
        protection: All is served by HTTPS, and all but health to those alone whom it lets pass; None: plainly, to all.

    Raises:
        ConfigError: `address` is not of that form.
        TypeError: A check is no function without arguments.
    """

    def __init__(
        self,
        address: str,
        metrics: Metrics | None,
        live: Mapping[str, Check],
        ready: Mapping[str, Check],
        debug: Pages | None = None,
        protection: Protection | None = None,
    ) -> None:
        for name, check in {**live, **ready}.items():
            check_plain(f"the check {name!r}", check)
        self._debug = debug
        self._protection = protection
        self._host, self._wanted_port = parse_address(address)
        self._metrics = metrics
        self._checks = {"/healthz": dict(live), "/readyz": {**live, **ready}}
        self._port: int | None = None
        self._server: HttpServer | None = None
        self._runner = Runner("http-status", self.run)

    @property
    def port(self) -> int:
        """The port it listens on, once started."""
        return self._wanted_port if self._port is None else self._port

    def start(self) -> None:
        """Listen, and answer in threads.

        Raises:
            BtcctlError: The address is taken or not ours.
        """
        try:
            listener = listen(self._host, self._wanted_port)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise BtcctlError(f"cannot listen on {self._host}:{self._wanted_port}: {reason}") from error
        self._port = listener.getsockname()[1]
        tls = None if self._protection is None else self._protection.context
        self._server = HttpServer(listener, self._answer, tls=tls)
        self._runner.start()
        logger.info(
            "serving metrics and health", host=self._host or "all interfaces", port=self.port, paths=self._paths()
        )

    def stop(self, timeout: float = 5.0) -> None:
        """Stop answering, at once. Idempotent."""
        self._runner.stop(timeout)

    def run(self, stop: Stop) -> None:
        """Answer until `stop` is set. Blocks."""
        if self._server is None:
            raise RuntimeError("start() listens, run() answers")
        self._server.run(stop)

    def _paths(self) -> list[str]:
        return [*(["/metrics"] if self._metrics else []), *self._checks, *(["/debug/"] if self._debug else [])]

    def _answer(self, request: Request) -> Answer:
        path = request.path
        if self._protection is not None and path not in self._checks:
            refusal = self._protection.refusal(request)
            if refusal is not None:
                return refusal
        if path == "/metrics" and self._metrics is not None:
            return Answer(HTTPStatus.OK, self._metrics.text(), METRICS_TYPE)
        if path in self._checks:
            checks = self._checks[path].items()
            problems = {name: _problem(check) for name, check in checks if name not in request.excluded}
            status = HTTPStatus.INTERNAL_SERVER_ERROR if any(problems.values()) else HTTPStatus.OK
            return Answer(status, _report(path, problems, request.verbose).encode(errors="replace"))
        page = self._debug(path.removeprefix("/debug/")) if self._debug and path.startswith("/debug/") else None
        if page is not None:
            return Answer(HTTPStatus.OK, json.dumps(page, indent=1).encode(), "application/json")
        *most, last = [each for each in self._paths() if each != "/debug/"]
        return Answer(HTTPStatus.NOT_FOUND, f"try {', '.join(most)} or {last}\n".encode())


def _problem(check: Check) -> str:
    try:
        return _text(check())
    except BaseException as error:
        return describe_error(error)


def _text(said: Any) -> str:
    """What a check has returned: None counts as nothing. True and False would be read the wrong way round."""
    if said is None:
        return ""
    if inspect.iscoroutine(said):
        said.close()  # or the interpreter warns that it was never awaited
    if not isinstance(said, str):
        raise TypeError(f'a check returned {type_name(said)}, must return a text: what is wrong, "" if nothing is')
    return str.__str__(said)


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
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match[3]) > 65535:
        raise ConfigError(f"{text!r} is no address to listen on; write :8080 or 127.0.0.1:8080")
    return match[1] or match[2] or "", int(match[3])
