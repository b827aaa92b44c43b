from __future__ import annotations

import asyncio
import base64
import ipaddress
import json
from typing import Any

import pytest

from btcctl.sandbox.simnode.rpc.credentials import Credentials
from btcctl.sandbox.simnode.rpc.http import Request, Response
from btcctl.sandbox.simnode.rpc.jsonrpc import METHOD_NOT_FOUND, RpcError
from btcctl.sandbox.simnode.rpc.server import RpcOptions, RpcServer

LOGIN = "Basic " + base64.b64encode(b"u:p").decode()


class FakeMethods:
    def __init__(self) -> None:
        self.gate = asyncio.Event()

    async def run(self, name: str, params: Any) -> Any:
        if name == "wait":
            await self.gate.wait()
        elif name != "echo":
            raise RpcError(METHOD_NOT_FOUND, "Method not found")
        return params

    def blockchain_info(self) -> dict[str, Any]:
        return {"chain": "regtest"}


def server_of(stage: str | None = None, methods: FakeMethods | None = None, **options: Any) -> RpcServer:
    chosen = RpcOptions(Credentials(["u:p"], []), **{"rest": True, **options})
    return RpcServer(methods or FakeMethods(), chosen, lambda: stage)  # type: ignore[arg-type]


def request_of(method: str = "POST", path: str = "/", body: Any = None, **changes: Any) -> Request:
    headers = {"authorization": changes.pop("authorization", LOGIN)}
    headers = {name: value for name, value in headers.items() if value is not None}
    raw = json.dumps(body or {"method": "echo", "id": 1}).encode()
    return Request(method, path, headers, keep_alive=True, client=changes.pop("client", "127.0.0.1"), body=raw)


def ask(server: RpcServer, **request: Any) -> Response:
    return asyncio.run(server.respond(request_of(**request)))


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({}, 200),
        ({"path": "/wallet/w"}, 200),
        ({"path": "/other"}, 404),
        ({"method": "GET"}, 405),
        ({"method": "GET", "authorization": None}, 405),
        ({"authorization": None}, 401),
        ({"client": "10.0.0.1"}, 403),
        ({"client": "10.0.0.1", "authorization": None}, 403),
        ({"client": "::1"}, 200),
        ({"path": "/rest/chaininfo.json?x=1", "method": "GET", "authorization": None}, 200),
    ],
)
def test_who_and_what_is_let_in(request_: dict[str, Any], status: int) -> None:
    assert ask(server_of(), **request_).status == status


def test_networks_can_be_allowed() -> None:
    server = server_of(allowed=[ipaddress.ip_network("10.0.0.0/8")])
    assert ask(server, client="10.1.2.3").status == 200


def test_rest_is_there_only_if_asked_for() -> None:
    assert ask(server_of(rest=False), path="/rest/chaininfo.json", method="GET").status == 404


def test_in_warm_up_every_method_and_the_probe_say_so() -> None:
    server = server_of("Verifying blocks…")
    answer = ask(server, body={"method": "nosuch", "id": 1})
    assert answer.status == 500
    assert json.loads(answer.body)["error"] == {"code": -28, "message": "Verifying blocks…"}
    probe = ask(server, path="/rest/chaininfo.json", method="GET")
    assert (probe.status, probe.body) == (503, "Service temporarily unavailable: Verifying blocks…\r\n".encode())
    assert ask(server, authorization=None).status == 401


def test_a_call_beyond_workers_and_queue_is_turned_away_and_those_before_it_answered() -> None:
    async def crowd() -> list[int]:
        methods = FakeMethods()
        server = server_of(methods=methods, workers=2, queue_depth=1)
        calls = [asyncio.create_task(server.respond(request_of(body={"method": "wait", "id": 1}))) for _ in range(4)]
        done, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        assert [call.result().body for call in done] == [b"Work queue depth exceeded"]
        methods.gate.set()
        return [(await call).status for call in calls]

    assert asyncio.run(crowd()) == [200, 200, 200, 503]
