from __future__ import annotations

import gc
import gzip
import http.client
import json
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from btcctl.apiserver.http import EmbeddedServer, ListenError
from btcctl.apiserver.network.connection import MAX_BODY_BYTES
from btcctl.apiserver.requests.messages import ApiRequest, ApiResponse, WatchResponse, json_response
from btcctl.clock import SYSTEM_CLOCK
from btcctl.threads import Stop
from tests.integration.apiserver.support import ChunkReader, ScriptedWatch
from tests.integration.support import eventually


class IdleLoop:
    def run(self, stop: Stop) -> None:
        stop.wait()


class StubApi:
    """Answers with what it was asked, unless told otherwise; `/watch` is a watch."""

    def __init__(self) -> None:
        self.collector = IdleLoop()
        self.watches: list[ScriptedWatch] = []
        self.answer: Callable[[ApiRequest], ApiResponse] = echo

    def user_of_token(self, token):
        return None

    def handle(self, request: ApiRequest) -> ApiResponse | WatchResponse:
        if request.path != "/watch":
            return self.answer(request)
        watch = ScriptedWatch(replay=(b"one\n",))
        self.watches.append(watch)
        return WatchResponse({"Content-Type": "application/json"}, watch)  # type: ignore[arg-type]


def echo(request: ApiRequest) -> ApiResponse:
    shown = {"method": request.method, "path": request.path, "query": request.query, "user": request.user}
    return json_response(200, {**shown, "body": request.body.decode("latin-1")})


@pytest.fixture
def api() -> StubApi:
    return StubApi()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def server(api: StubApi, stack: ExitStack) -> EmbeddedServer:
    return stack.enter_context(EmbeddedServer(api))


def count(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())


def connect(server: EmbeddedServer, stack: ExitStack) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=10)
    stack.callback(connection.close)
    return connection


def call(
    connection: http.client.HTTPConnection, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, named, encode_chunked=named.get("Transfer-Encoding") == "chunked")
    response = connection.getresponse()
    return response.status, json.loads(response.read() or b"null")


def raw(server: EmbeddedServer, stack: ExitStack, request: bytes) -> socket.socket:
    sock = stack.enter_context(socket.create_connection((server.host, server.port), timeout=10))
    sock.sendall(request)
    return sock


def open_watch(server: EmbeddedServer, stack: ExitStack) -> tuple[bytes, ChunkReader]:
    sock = raw(server, stack, b"GET /watch HTTP/1.1\r\nHost: localhost\r\n\r\n")
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += sock.recv(1)
    reader = ChunkReader(sock)
    stack.callback(reader.close)
    return head, reader


def test_a_request_arrives_unescaped_and_the_connection_is_kept(server: EmbeddedServer, stack: ExitStack) -> None:
    connection = connect(server, stack)
    expected = {"method": "PATCH", "path": "/a b", "query": {"x": ["1", "é"], "w": [""]}, "user": "system:admin"}
    for _ in range(3):
        assert call(connection, "PATCH", "/a%20b?x=1&x=%C3%A9&w", b"hi") == (200, {**expected, "body": "hi"})
    assert server.connections() == 1


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_every_method_reaches_the_api(server: EmbeddedServer, stack: ExitStack, method: str) -> None:
    assert call(connect(server, stack), method, "/")[1]["method"] == method


def test_head_is_answered_without_a_body(server: EmbeddedServer, stack: ExitStack) -> None:
    connection = connect(server, stack)
    assert call(connection, "HEAD", "/") == (200, None)
    assert call(connection, "GET", "/")[0] == 200


def test_a_chunked_body_is_put_together(server: EmbeddedServer, stack: ExitStack) -> None:
    connection = connect(server, stack)
    status, answer = call(connection, "POST", "/", iter([b"ab", b"", b"cde"]), Transfer_Encoding="chunked")
    assert (status, answer["body"]) == (200, "abcde")
    assert call(connection, "GET", "/")[0] == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_more_than_three_mebibytes_is_refused(
    server: EmbeddedServer, stack: ExitStack, chunked: bool
) -> None:
    body = b"x" * (MAX_BODY_BYTES + 1)
    connection = connect(server, stack)
    if chunked:
        status, answer = call(connection, "POST", "/", iter([body[:1000], body[1000:]]), Transfer_Encoding="chunked")
    else:
        status, answer = call(connection, "POST", "/", body)
    assert (status, answer["reason"]) == (413, "RequestEntityTooLarge")
    assert answer["message"] == "Request entity too large: limit is 3145728"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
    ],
)
def test_what_is_not_http_is_told_so_and_hung_up_on(
    server: EmbeddedServer, stack: ExitStack, request_bytes: bytes
) -> None:
    sock = raw(server, stack, request_bytes)
    with sock.makefile("rb") as answer:
        text = answer.read()
    assert text.startswith(b"HTTP/1.1 400 ")
    assert b"Connection: close" in text
    assert json.loads(text.partition(b"\r\n\r\n")[2])["status"] == "Failure"


def test_a_body_that_ends_early_is_hung_up_on(server: EmbeddedServer, stack: ExitStack) -> None:
    sock = raw(server, stack, b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc")
    sock.shutdown(socket.SHUT_WR)
    with sock.makefile("rb") as answer:
        assert answer.read().startswith(b"HTTP/1.1 400 ")


def test_large_answers_are_compressed_for_who_asks(server: EmbeddedServer, api: StubApi, stack: ExitStack) -> None:
    large = os.urandom(64).hex().encode() * 2000
    api.answer = lambda _: ApiResponse(200, {"Content-Type": "x"}, large)
    connection = connect(server, stack)
    connection.request("GET", "/", headers={"Accept-Encoding": "gzip"})
    response = connection.getresponse()
    assert response.getheader("Content-Encoding") == "gzip"
    assert gzip.decompress(response.read()) == large
    connection.request("GET", "/")
    response = connection.getresponse()
    assert response.getheader("Content-Encoding") is None
    assert response.read() == large


def test_small_answers_are_never_compressed(server: EmbeddedServer, stack: ExitStack) -> None:
    connection = connect(server, stack)
    connection.request("GET", "/", headers={"Accept-Encoding": "gzip"})
    with connection.getresponse() as response:
        assert response.getheader("Content-Encoding") is None


def test_a_bug_in_the_api_is_a_500_and_the_connection_lives(
    server: EmbeddedServer, api: StubApi, stack: ExitStack
) -> None:
    def broken(_: ApiRequest) -> ApiResponse:
        raise RuntimeError("bug")

    connection = connect(server, stack)
    api.answer = broken
    assert call(connection, "GET", "/")[0] == 500
    api.answer = echo
    assert call(connection, "GET", "/")[0] == 200


@pytest.mark.parametrize(
    ("authorization", "status", "user"),
    [
        ("Bearer secret", 200, "system:admin"),
        ("bearer alice-token", 200, "alice"),
        ("Bearer wrong", 401, None),
        ("Basic c2VjcmV0", 200, "system:anonymous"),
        ("", 200, "system:anonymous"),
    ],
)
def test_a_token_names_its_user(
    api: StubApi, stack: ExitStack, authorization: str, status: int, user: str | None
) -> None:
    server = stack.enter_context(EmbeddedServer(api, token="secret", users={"alice-token": "alice"}))
    answered, body = call(connect(server, stack), "GET", "/api", Authorization=authorization)
    assert (answered, body.get("user")) == (status, user)
    if status == 401:
        assert body["reason"] == "Unauthorized"


def test_health_and_version_need_no_token(api: StubApi, stack: ExitStack) -> None:
    connection = connect(stack.enter_context(EmbeddedServer(api, token="secret")), stack)
    users = [call(connection, "GET", path)[1]["user"] for path in ("/readyz", "/version", "/api")]
    assert users == ["system:admin", "system:admin", "system:anonymous"]


def test_without_a_token_a_wrong_one_is_still_wrong(api: StubApi, stack: ExitStack) -> None:
    connection = connect(stack.enter_context(EmbeddedServer(api, users={"t": "alice"})), stack)
    assert call(connection, "GET", "/", Authorization="Bearer t")[1]["user"] == "alice"
    assert call(connection, "GET", "/")[1]["user"] == "system:admin"
    assert call(connection, "GET", "/", Authorization="Bearer x")[0] == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:1"}, 200),
        ({"Host": "[::1]:1"}, 200),
        ({"Host": "10.0.0.1"}, 200),
        ({"Host": "rebound.example.org:1"}, 403),
        ({"Origin": "https://example.org"}, 403),
    ],
)
def test_a_web_page_is_refused_by_a_server_that_asks_for_no_token(
    server: EmbeddedServer, stack: ExitStack, headers: dict[str, str], status: int
) -> None:
    assert call(connect(server, stack), "GET", "/", **headers)[0] == status


def test_a_watch_leaves_its_thread_and_lives_on(server: EmbeddedServer, api: StubApi, stack: ExitStack) -> None:
    head, reader = open_watch(server, stack)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Transfer-Encoding: chunked" in head
    assert reader.chunk() == b"one\n"
    eventually(lambda: server.connections() == 0)
    api.watches[0].sink(b"two\n")
    assert reader.chunk() == b"two\n"


def test_a_client_that_leaves_ends_its_watch(server: EmbeddedServer, api: StubApi, stack: ExitStack) -> None:
    sock = raw(server, stack, b"GET /watch HTTP/1.1\r\nHost: localhost\r\n\r\n")
    eventually(lambda: len(server.pump) == 1)
    sock.close()
    eventually(lambda: api.watches[0].stopped and len(server.pump) == 0)


def test_stop_with_200_watches_and_idle_connections_is_at_once(api: StubApi) -> None:
    gc.collect()  # what other tests have left
    before = count(Path("/proc/self/fd"))
    with ExitStack() as stack:
        server = EmbeddedServer(api)
        server.start()
        idle = [connect(server, stack) for _ in range(20)]
        for connection in idle:
            call(connection, "GET", "/")
        readers = [open_watch(server, stack)[1] for _ in range(200)]
        assert all(reader.chunk() == b"one\n" for reader in readers)
        began = SYSTEM_CLOCK.now()
        server.stop()
        assert SYSTEM_CLOCK.now() - began < 8.0
        assert all(reader.chunk() == b"" for reader in readers)
        assert all(watch.stopped for watch in api.watches)
        server.stop()
    assert [each.name for each in threading.enumerate() if each.name.startswith("apiserver")] == []
    assert count(Path("/proc/self/fd")) <= before


def test_a_request_in_flight_is_answered_before_the_server_is_gone(api: StubApi, stack: ExitStack) -> None:
    server = EmbeddedServer(api)
    server.start()
    arrived, go_on = threading.Event(), threading.Event()

    def slow(request: ApiRequest) -> ApiResponse:
        arrived.set()
        go_on.wait(10)
        return echo(request)

    api.answer = slow
    connection = connect(server, stack)
    connection.request("GET", "/")
    assert arrived.wait(10)
    timer = threading.Timer(0.1, go_on.set)
    timer.start()
    server.stop()
    timer.join()
    response = connection.getresponse()
    assert (response.status, response.getheader("Connection")) == (200, "close")
    response.read()


def test_a_client_that_never_finishes_its_request_does_not_hold_up_the_stop(api: StubApi, stack: ExitStack) -> None:
    server = EmbeddedServer(api)
    server.start()
    raw(server, stack, b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc")
    eventually(lambda: server.connections() == 1)
    server.stop()
    assert server.connections() == 0


def test_a_client_that_does_not_read_its_answer_does_not_hold_up_the_stop(api: StubApi, stack: ExitStack) -> None:
    server = EmbeddedServer(api)
    server.start()
    api.answer = lambda _: ApiResponse(200, {}, bytes(64 << 20))
    raw(server, stack, b"GET / HTTP/1.1\r\n\r\n").recv(1)
    server.stop(timeout=5.0)
    assert server.connections() == 0


def test_a_taken_port_is_named(server: EmbeddedServer, api: StubApi) -> None:
    with pytest.raises(ListenError, match=f"127.0.0.1 port {server.port}: Address already in use"):
        EmbeddedServer(api, port=server.port).start()


def test_a_port_is_free_again_after_a_stop(api: StubApi, stack: ExitStack) -> None:
    first = EmbeddedServer(api)
    first.start()
    assert call(connect(first, stack), "GET", "/")[0] == 200
    first.stop()
    second = stack.enter_context(EmbeddedServer(api, port=first.port))
    assert call(connect(second, stack), "GET", "/")[0] == 200


def test_a_server_that_never_started_can_be_stopped(api: StubApi) -> None:
    EmbeddedServer(api).stop()


def test_requests_and_watches_over_tls(
    api: StubApi, stack: ExitStack, tls_server: ssl.SSLContext, tls_client: ssl.SSLContext
) -> None:
    server = stack.enter_context(EmbeddedServer(api, tls=tls_server))
    assert server.url.startswith("https://")
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=10, context=tls_client)
    stack.callback(connection.close)
    assert call(connection, "GET", "/")[0] == 200
    assert call(connection, "GET", "/")[0] == 200
    connection.request("GET", "/watch")
    response = connection.getresponse()
    assert response.readline() == b"one\n"
    api.watches[0].sink(b"two\n")
    assert response.readline() == b"two\n"
    response.close()


def test_a_client_stuck_in_the_handshake_holds_up_neither_others_nor_the_stop(
    api: StubApi, stack: ExitStack, tls_server: ssl.SSLContext, tls_client: ssl.SSLContext
) -> None:
    server = EmbeddedServer(api, tls=tls_server)
    server.start()
    raw(server, stack, b"\x16\x03")
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=10, context=tls_client)
    stack.callback(connection.close)
    assert call(connection, "GET", "/")[0] == 200
    began = SYSTEM_CLOCK.now()
    server.stop()
    assert SYSTEM_CLOCK.now() - began < 8.0


def test_plain_http_on_a_tls_port_is_hung_up_on(api: StubApi, stack: ExitStack, tls_server: ssl.SSLContext) -> None:
    server = stack.enter_context(EmbeddedServer(api, tls=tls_server))
    raw(server, stack, b"GET / HTTP/1.1\r\n\r\n")
    eventually(lambda: server.connections() == 0)
    assert api.watches == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"Content-Length: 2\r\nContent-Length: 3\r\n", b"400"),
        (b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", b"400"),
        (b"Transfer-Encoding: gzip\r\n", b"501"),
        (b"Transfer-Encoding: gzip, chunked\r\n", b"501"),
        (b"Content-Length: " + b"9" * 5000 + b"\r\n", b"413"),
    ],
)
def test_framing_that_is_in_doubt_is_refused_and_ends_the_connection(
    server: EmbeddedServer, stack: ExitStack, headers: bytes, status: bytes
) -> None:
    sock = raw(server, stack, b"POST /a HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n{}GET /b HTTP/1.1\r\n\r\n")
    answer = sock.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_body_is_not_waited_for_before_its_sender_is_known(api: StubApi, stack: ExitStack) -> None:
    server = stack.enter_context(EmbeddedServer(api, token="secret"))
    head = b"POST /a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wrong\r\nContent-Length: 1000000\r\n\r\n"
    assert raw(server, stack, head).makefile("rb").read().startswith(b"HTTP/1.1 401")


@pytest.mark.parametrize(
    "begun", [b"", b"GET /a HTTP/1.1\r\nHost: lo", b"POST /a HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"]
)
def test_a_request_that_does_not_come_in_time_is_not_waited_for(
    api: StubApi, stack: ExitStack, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr("btcctl.apiserver.network.connection.IDLE_SECONDS", 0.2)
    monkeypatch.setattr("btcctl.apiserver.network.connection.REQUEST_SECONDS", 0.2)
    monkeypatch.setattr("btcctl.apiserver.http._LOOK_SECONDS", 0.05)
    server = stack.enter_context(EmbeddedServer(api))
    sock = raw(server, stack, begun)
    sock.makefile("rb").read()  # ends, while our timeout is 10 s
    eventually(lambda: server.connections() == 0)


def test_of_too_many_connections_those_go_that_say_nothing(
    api: StubApi, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("btcctl.apiserver.http.MAX_CONNECTIONS", 5)
    server = stack.enter_context(EmbeddedServer(api))
    for _ in range(50):
        raw(server, stack, b"")
    answer = (
        raw(server, stack, b"GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").makefile("rb").read()
    )
    assert answer.startswith(b"HTTP/1.1 200")
    eventually(lambda: server.connections() <= 5)
