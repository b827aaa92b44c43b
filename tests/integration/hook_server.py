"""A webhook server on loopback, over HTTPS, for all tests of a session: each hook has a path of its own."""

from __future__ import annotations

import json
import ssl
import tempfile
import threading
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from btcctl.testing.control_plane.pki import Authority
from btcctl.threads import Runner, Stop

Review = dict[str, Any]
#: What a hook answers: the `response`, whole bytes as they are, or an HTTP status and text.
Answer = dict[str, Any] | bytes | tuple[int, str]


class Hook:
    """One hook: answers reviews, and remembers them.

    Args:
        respond: Given the review's request.
    """

    def __init__(self, respond: Callable[[Review], Answer]) -> None:
        self._respond = respond
        self.asked: list[Review] = []
        self.let_go = threading.Event()  #: for one that is not to answer

    def answer(self, review: Review) -> tuple[int, str, bytes]:
        request = review["request"]
        self.asked.append(review)
        found = self._respond(request)
        if isinstance(found, tuple):
            return found[0], "text/plain", found[1].encode()
        if isinstance(found, bytes):
            return 200, "application/json", found
        body = {
            "apiVersion": review["apiVersion"],
            "kind": review["kind"],
            "response": {"uid": request["uid"], **found},
        }
        return 200, "application/json", json.dumps(body).encode()


class HookServer:
    """Starts when it is made, and ends with the process."""

    def __init__(self) -> None:
        self.authority = Authority()
        self.hooks: dict[str, Hook] = {}
        pair = self.authority.issue_server(["127.0.0.1"], ["localhost", "hooks.default.svc"])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "pair.pem"
            path.write_bytes(pair.certificate + pair.key)
            context.load_cert_chain(path)
        self._server = _Server(("127.0.0.1", 0), _handler(self.hooks))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self.url = f"https://127.0.0.1:{self.port}"
        Runner("hook-server", self._run).start()

    @property
    def bundle(self) -> str:
        """The caBundle that trusts it."""
        return b64encode(self.authority.certificate).decode()

    def _run(self, _: Stop) -> None:
        self._server.serve_forever()


@cache
def hook_server() -> HookServer:
    """The one of this process."""
    return HookServer()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave, or do not trust us, are what tests are about."""


def _handler(hooks: dict[str, Hook]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        # HTTP/1.0: a connection, and its thread, ends with the answer.

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            hook = hooks.get(self.path.partition("?")[0])
            status, kind, body = (404, "text/plain", b"no such hook") if hook is None else hook.answer(json.loads(data))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    return Handler
