"""The transport against servers that answer well, badly, late or never."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from btcctl.clock import SYSTEM_CLOCK
from btcctl.errors import ApiError, ConnectionRefused, TransportError, Unauthorized
from btcctl.objects import ObjectKey
from btcctl.resources import PODS
from btcctl.rest.client import ApiClient
from btcctl.rest.config.client_config import ClientConfig
from btcctl.rest.credentials import TokenFile
from btcctl.rest.http import HttpTransport
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import Request
from btcctl.threads import Runner
from tests.integration.rest.servers import Handler, Peer, SocketServer, always, event, head
from tests.integration.support import closed_port, eventually

GET = Request("GET", "/x")
POD = {"metadata": {"name": "a", "namespace": "ns"}}


@contextmanager
def served(*handlers: Handler, **config: object) -> Iterator[tuple[HttpTransport, SocketServer]]:
    with SocketServer(list(handlers)) as server:
        transport = HttpTransport(ClientConfig(server.url, source="the test", **config))
        try:
            yield transport, server
        finally:
            transport.close()


def no_answer(peer: Peer) -> None:
    """Take one request and close the connection."""
    peer.read_request()


def once(body: object) -> Handler:
    """Answer the first request and close the connection upon the second."""

    def handle(peer: Peer) -> None:
        peer.read_request()
        peer.respond(body)
        peer.read_request()

    return handle


def raw(*parts: bytes) -> Handler:
    """Answer with exactly these bytes, and close."""

    def handle(peer: Peer) -> None:
        peer.read_request()
        for part in parts:
            peer.send(part)

    return handle


def test_requests_in_a_row_share_one_connection():
    with served(always({"ok": 1})) as (transport, server):
        for _ in range(3):
            assert transport.request(GET, timeout=5.0).body == b'{"ok": 1}'
        assert server.connection_count == 1


def test_a_request_arrives_as_it_was_meant():
    request = Request("POST", "/a b/ü", {"labelSelector": "x in (a,b)", "e": ""}, {"X-Y": "z"}, b"{}")
    with SocketServer([always()]) as server:
        transport = HttpTransport(ClientConfig(server.url + "/prefix/"))
        transport.request(request, timeout=5.0)
        transport.close()
    (received,) = server.requests
    assert received.target == "/prefix/a%20b/%C3%BC?labelSelector=x+in+%28a%2Cb%29&e="
    assert (received.method, received.headers["x-y"], received.body) == ("POST", "z", b"{}")


def test_headers_are_found_whatever_the_case():
    with served(always(headers={"retry-AFTER": "1"})) as (transport, _):
        assert transport.request(GET, timeout=5.0).headers["Retry-After"] == "1"


def test_a_status_is_an_answer_and_a_redirect_is_not_followed():
    with served(always(status=302, headers={"Location": "/elsewhere"})) as (transport, server):
        assert transport.request(GET, timeout=5.0).status == 302
        assert len(server.requests) == 1


def test_a_compressed_answer_is_unpacked():
    body = gzip.compress(b'{"a": "' + b"x" * 100_000 + b'"}')
    with served(always(body, headers={"Content-Encoding": "gzip"})) as (transport, _):
        assert len(json.loads(transport.request(GET, timeout=5.0).body)["a"]) == 100_000


def test_nobody_listening_is_connection_refused_and_names_host_and_source():
    with closed_port() as port:
        transport = HttpTransport(ClientConfig(f"http://127.0.0.1:{port}", source="kubeconfig F"))
        with pytest.raises(ConnectionRefused, match=rf"http://127.0.0.1:{port}: connection refused.*kubeconfig F"):
            transport.request(GET, timeout=60.0)


def test_a_name_that_does_not_resolve_says_so(monkeypatch: pytest.MonkeyPatch):
    def unresolvable(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unresolvable)
    transport = HttpTransport(ClientConfig("http://nowhere.example", source="kubeconfig F"))
    with pytest.raises(TransportError, match=r"nowhere.example: the host name cannot be resolved.*kubeconfig F"):
        transport.request(GET, timeout=5.0)


def test_a_host_name_with_an_impossible_label_says_so_too():
    transport = HttpTransport(ClientConfig(f"http://{'x' * 64}.example"))
    with pytest.raises(TransportError, match="cannot be resolved"):
        transport.request(GET, timeout=5.0)


def test_a_server_that_does_not_answer_is_given_up_on():
    with served(Peer.wait_until_gone) as (transport, _):
        began = SYSTEM_CLOCK.now()
        with pytest.raises(TransportError, match="silent or too slow"):
            transport.request(GET, timeout=0.3)
        assert 0.25 < SYSTEM_CLOCK.now() - began < 30.0


@pytest.mark.parametrize("pause_seconds", [0.0, 0.02])
def test_a_server_that_never_comes_to_an_end_is_given_up_on(pause_seconds: float):
    def go_on_and_on(peer: Peer) -> None:
        peer.read_request()
        peer.start_stream()
        pause = threading.Event()
        while not pause.wait(pause_seconds):
            peer.send_chunk(b"x")

    with served(go_on_and_on) as (transport, _):
        began = SYSTEM_CLOCK.now()
        with pytest.raises(TransportError, match="silent or too slow"):
            transport.request(GET, timeout=0.3)
        assert SYSTEM_CLOCK.now() - began < 30.0


@pytest.mark.parametrize(
    "answer",
    [
        head(200, {"Content-Length": "100"}) + b'{"a":',
        head(200, {"Transfer-Encoding": "chunked"}) + b"5\r\n{",
        head(200, {"Transfer-Encoding": "chunked"}) + b"1\r\n{\r\n",
        head(200, {"Transfer-Encoding": "chunked"}) + b"zz\r\n",
        head(200, {"Content-Encoding": "gzip", "Content-Length": "3"}) + b"abc",
        b"hello\r\n\r\n",
        b"",
    ],
)
def test_a_broken_answer_is_a_transport_error(answer: bytes):
    with served(raw(answer)) as (transport, server), pytest.raises(TransportError, match=server.url):
        transport.request(GET, timeout=5.0)


def test_a_kept_connection_that_died_is_replaced_once():
    with served(once({"n": 1}), always({"n": 2})) as (transport, server):
        transport.request(GET, timeout=5.0)
        assert transport.request(GET, timeout=5.0).body == b'{"n": 2}'
        assert [received.connection for received in server.requests] == [0, 0, 1]


def test_a_post_on_a_kept_connection_that_died_is_not_sent_again():
    with served(once({}), always({})) as (transport, server):
        transport.request(GET, timeout=5.0)
        with pytest.raises(TransportError, match="closed the connection without an answer"):
            transport.request(Request("POST", "/x"), timeout=5.0)
        assert len(server.requests) == 2


def test_a_new_connection_that_dies_is_no_reason_to_try_again():
    with served(no_answer) as (transport, server):
        with pytest.raises(TransportError):
            transport.request(GET, timeout=5.0)
        assert len(server.requests) == 1


def only_for(token: str) -> Handler:
    def handle(peer: Peer) -> None:
        while received := peer.read_request():
            is_right = received.headers.get("authorization") == f"Bearer {token}"
            peer.respond(POD if is_right else {"kind": "Status", "code": 401}, 200 if is_right else 401)

    return handle


def test_a_token_that_was_rotated_is_read_again_after_a_401(tmp_path: Path):
    file = tmp_path / "token"
    file.write_text("old")
    credentials = TokenFile(file)
    credentials.authorization()
    file.write_text("new")
    with served(only_for("new"), credentials=credentials) as (transport, server):
        assert transport.request(Request("POST", "/x", body=b"{}"), timeout=5.0).status == 200
        assert [received.body for received in server.requests] == [b"{}", b"{}"]
        assert server.connection_count == 1


def test_a_watch_is_opened_with_the_rotated_token_too(tmp_path: Path):
    file = tmp_path / "token"
    file.write_text("old")
    credentials = TokenFile(file)
    credentials.authorization()
    file.write_text("new")
    with served(only_for("new"), credentials=credentials) as (transport, _):
        stream = transport.stream(GET, timeout=5.0, idle_timeout=5.0, breaker=Breaker())
        assert stream.status == 200
        stream.close()


def test_a_token_that_is_wrong_and_stays_wrong_is_sent_once(tmp_path: Path):
    file = tmp_path / "token"
    file.write_text("wrong")
    with served(only_for("right"), credentials=TokenFile(file)) as (transport, server):
        with pytest.raises(Unauthorized):
            ApiClient(transport).resource(PODS).get(ObjectKey("ns", "a"))
        assert len(server.requests) == 1


def test_a_busy_server_is_asked_again_after_a_while():
    def busy_first(peer: Peer) -> None:
        peer.read_request()
        peer.respond(b"Too many requests, please try again later.\n", 429, {"Retry-After": "0"})
        peer.read_request()
        peer.respond(POD)

    with served(busy_first) as (transport, server):
        assert ApiClient(transport).resource(PODS).get(ObjectKey("ns", "a")).name == "a"
        assert len(server.requests) == 2


def test_what_stands_before_the_server_answers_in_html():
    page = b"<html><h1>504 Gateway Time-out</h1></html>"
    with served(always(page, 504, {"Content-Type": "text/html"})) as (transport, _):
        client = ApiClient(transport)
        with pytest.raises(ApiError, match="504: 504 Gateway Time-out"):
            client.server_version()


def test_events_arrive_while_the_stream_is_open():
    go_on = threading.Event()

    def stream_two(peer: Peer) -> None:
        peer.read_request()
        peer.start_stream()
        peer.send_chunk(event("ADDED", "a"))
        go_on.wait(5.0)
        peer.send_chunk(event("ADDED", "b")[:10])
        peer.send_chunk(event("ADDED", "b")[10:])
        peer.send(b"0\r\n\r\n")
        always(POD)(peer)

    with served(stream_two) as (transport, server):
        pods = ApiClient(transport).resource(PODS)
        with pods.watch(resource_version="1") as stream:
            assert next(stream).object.name == "a"
            go_on.set()
            assert [each.object.name for each in stream] == ["b"]
        pods.get(ObjectKey("ns", "a"))
        assert server.connection_count == 1  # a stream that ended cleanly gives its connection back


def test_a_body_without_chunks_arrives_as_it_comes():
    def until_closed(peer: Peer) -> None:
        peer.read_request()
        peer.send(head(200, {"Connection": "close"}) + event("ADDED", "a"))
        peer.wait_until_gone()

    with served(until_closed) as (transport, _):
        pods = ApiClient(transport).resource(PODS)
        with pods.watch(resource_version="1") as stream:
            assert next(stream).object.name == "a"


@pytest.mark.parametrize("headers", [{"Transfer-Encoding": "chunked"}, {"Connection": "close"}])
def test_a_stream_that_falls_silent_is_broken(headers: dict[str, str]):
    def fall_silent(peer: Peer) -> None:
        peer.read_request()
        peer.send(head(200, headers))
        peer.wait_until_gone()

    with served(fall_silent) as (transport, _):
        stream = transport.stream(GET, timeout=60.0, idle_timeout=0.3, breaker=Breaker())
        began = SYSTEM_CLOCK.now()
        with pytest.raises(TransportError, match="silent or too slow"):
            list(stream.chunks())
        assert 0.25 < SYSTEM_CLOCK.now() - began < 30.0
        stream.close()


def test_a_stream_may_be_silent_for_longer_than_its_headers_may_take():
    def pause(peer: Peer) -> None:
        peer.read_request()
        peer.start_stream()
        threading.Event().wait(3.0)
        peer.send_chunk(b"x")
        peer.send(b"0\r\n\r\n")

    with served(pause) as (transport, _):
        stream = transport.stream(GET, timeout=2.5, idle_timeout=60.0, breaker=Breaker())
        assert list(stream.chunks()) == [b"x"]
        stream.close()


def test_a_stream_that_breaks_off_in_a_chunk_is_a_transport_error():
    with served(raw(head(200, {"Transfer-Encoding": "chunked"}), b"ff\r\n{")) as (transport, _):
        stream = transport.stream(GET, timeout=5.0, idle_timeout=5.0, breaker=Breaker())
        with pytest.raises(TransportError):
            list(stream.chunks())
        stream.close()


def test_closing_a_stream_ends_its_connection_for_the_server_too():
    gone = threading.Event()

    def endless(peer: Peer) -> None:
        peer.read_request()
        peer.start_stream()
        peer.send_chunk(event("ADDED", "a"))
        peer.wait_until_gone()
        gone.set()

    with served(endless) as (transport, _):
        with ApiClient(transport).resource(PODS).watch(resource_version="1") as stream:
            next(stream)
        eventually(gone.is_set)


def test_many_threads_share_a_transport():
    results: list[int] = []
    with served(always({})) as (transport, server):

        def send_twenty(_: object) -> None:
            results.extend(transport.request(GET, timeout=10.0).status for _ in range(20))

        runners = [Runner(f"sender-{number}", send_twenty) for number in range(6)]
        for runner in runners:
            runner.start()
        for runner in runners:
            runner.stop(20.0)
        assert results == [200] * 120
        assert server.connection_count <= 6
