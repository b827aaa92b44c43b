"""From an HTTP request to an answer: who may ask, what is asked, and whether there is room."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from btcctl import codecs
from btcctl.sandbox.simnode.rpc.credentials import Credentials
from btcctl.sandbox.simnode.rpc.http import Request, Response
from btcctl.sandbox.simnode.rpc.jsonrpc import IN_WARM_UP, RpcError, answer
from btcctl.sandbox.simnode.rpc.methods import Methods
from btcctl.sandbox.simnode.rpc.wallet_methods import named_wallet

WRONG_LOGIN_SECONDS = 0.25
_ALWAYS_ALLOWED = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
_ONLY_POST = b"JSONRPC server handles only POST requests"

AnyNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class RpcOptions:
    """How this node answers.

    Attributes:
        credentials: Who may call.
        allowed: Networks that may connect, beside loopback.
        rest: Whether /rest/chaininfo.json is served.
        workers: Calls that run at once.
        queue_depth: Calls that may wait for a worker.
    """

    credentials: Credentials
    allowed: Sequence[AnyNetwork] = ()
    rest: bool = False
    workers: int = 16
    queue_depth: int = 64


def wallet_of(path: str) -> str | None:
    """The wallet that a path names; None if it is that of the node."""
    prefix = "/wallet/"
    return unquote(path.partition("?")[0].removeprefix(prefix)) if path.startswith(prefix) else None


class RpcServer:
    """Answers requests.

    Args:
        methods: What can be called.
        options: How to answer.
        warm_up_stage: Tells what is being loaded; None once the node is ready.
    """

    def __init__(self, methods: Methods, options: RpcOptions, warm_up_stage: Callable[[], str | None]) -> None:
        self._methods = methods
        self._options = options
        self._warm_up_stage = warm_up_stage
        self._workers = asyncio.Semaphore(options.workers)
        self._waiting = 0

    async def respond(self, request: Request) -> Response:
        if not self._is_allowed(request.client):
            return Response(403)
        path = request.path.partition("?")[0]
        if self._options.rest and path == "/rest/chaininfo.json":
            return self._chain_info(request)
        if path != "/" and not path.startswith("/wallet/"):
            return Response(404)
        if self._workers.locked() and self._waiting >= self._options.queue_depth:
            return Response(503, b"Work queue depth exceeded")
        self._waiting += 1
        try:
            await self._workers.acquire()
        finally:
            self._waiting -= 1
        try:
            return await self._call(request)
        finally:
            self._workers.release()

    async def _call(self, request: Request) -> Response:
        if request.method != "POST":
            return Response(405, _ONLY_POST)
        authorization = request.headers.get("authorization")
        if authorization is None or not self._options.credentials.admit(authorization):
            if authorization is not None:
                await asyncio.sleep(WRONG_LOGIN_SECONDS)  # bitcoind's brake on guessing; it occupies a worker
            return Response(401, headers={"WWW-Authenticate": 'Basic realm="jsonrpc"'})
        named_wallet.set(wallet_of(request.path))
        status, body = await answer(request.body, self._execute)
        return Response(status, body, "application/json")

    async def _execute(self, method: str, params: Any) -> Any:
        stage = self._warm_up_stage()
        if stage is not None:
            raise RpcError(IN_WARM_UP, stage)
        return await self._methods.run(method, params)

    def _chain_info(self, request: Request) -> Response:
        stage = self._warm_up_stage()
        if stage is not None:
            return Response(503, f"Service temporarily unavailable: {stage}\r\n".encode(), "text/plain")
        body = codecs.encode(self._methods.blockchain_info()) + b"\n"
        return Response(200, body, "application/json", body_omitted=request.method == "HEAD")

    def _is_allowed(self, client: str) -> bool:
        address = ipaddress.ip_address(client)
        return any(address in network for network in (*_ALWAYS_ALLOWED, *self._options.allowed))
