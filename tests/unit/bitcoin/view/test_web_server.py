import json
import socket
import threading
from collections.abc import Iterator

import pytest
import urllib3

from btcctl.bitcoin.view.hub import MAX_PAGES
from btcctl.bitcoin.view.model import Gone
from btcctl.bitcoin.view.serving.guard import HEADERS, TOKEN_HEADER
from btcctl.bitcoin.view.serving.web_server import WebServer
from btcctl.errors import BtcctlError
from btcctl.secret import Secret
from tests.unit.bitcoin.view.scripted import ScriptedScene

TOKEN = Secret("abcdefghijklmnopqrstuvwx")
SECONDS = 30.0
ORDER = {"network": "default/my-network", "count": 3}


@pytest.fixture
def scene() -> ScriptedScene:
    return ScriptedScene()


@pytest.fixture
def server(scene) -> Iterator[WebServer]:
    server = WebServer(scene, TOKEN)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False, timeout=SECONDS) as pools:
        yield pools


def post(http, server, action: str, body: object = ORDER, **headers: str):
    everything = {"content-type": "application/json", TOKEN_HEADER: TOKEN, **headers}
    return http.request("POST", f"{server.address}actions/{action}", body=json.dumps(body), headers=everything)


def read_until(stream, wanted: bytes) -> bytes:
    found = b""
    while wanted not in found:
        piece = stream.read1(4096)
        assert piece, found
        found += piece
    return found


def test_the_address_says_where_and_holds_the_token(server):
    assert server.address == f"http://127.0.0.1:{server.port}/{TOKEN}/"
    assert TOKEN not in repr(server.address)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has one IP family")
def test_without_a_host_it_listens_to_both_ip_families_as_pods_need_it(scene, http):
    server = WebServer(scene, TOKEN, host="")
    server.start()
    try:
        answers = [http.request("GET", f"http://{each}:{server.port}/healthz") for each in ("[::1]", "127.0.0.1")]
        state = http.request("GET", f"http://[::1]:{server.port}/{TOKEN}/state")
    finally:
        server.stop()
    assert [each.status for each in (*answers, state)] == [200, 200, 200]


def test_a_snapshot_is_served_below_the_token_only(server, http):
    answer = http.request("GET", f"{server.address}state")
    assert answer.status == 200
    assert answer.json()["server"]["cluster"] == "test"
    assert http.request("GET", f"http://127.0.0.1:{server.port}/state").status == 404
    assert http.request("GET", f"http://127.0.0.1:{server.port}/").status == 404


def test_every_answer_has_the_headers_that_keep_others_out(server, http):
    for path in ("state", "nothing", "../state", ""):
        answer = http.request("GET", f"{server.address}{path}")
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert "server" not in answer.headers


def test_another_host_is_refused(server, http):
    answer = http.request("GET", f"{server.address}state", headers={"host": "evil.example"})
    assert answer.status == 421
    assert b"--allow-host" in answer.data


def test_a_probe_is_answered_and_told_nothing(server, http):
    assert http.request("GET", f"http://127.0.0.1:{server.port}/healthz").data == b"ok"


def test_a_stream_begins_with_a_snapshot_and_goes_on_with_what_happens(server, http, scene):
    stream = http.request("GET", f"{server.address}events?network=default/my-network", preload_content=False)
    assert stream.headers["content-type"].startswith("text/event-stream")
    read_until(stream, b"\n\n")
    assert scene.hub.focus() == {"default/my-network"}
    scene.hub.publish("network-gone", Gone("default", "old"))
    assert b'event: network-gone\ndata: {"namespace":"default","name":"old"}' in read_until(stream, b"old")
    stream.close()


def test_a_page_that_is_closed_is_forgotten(server, http, scene, mocker):
    left, leave = threading.Event(), scene.hub.leave
    mocker.patch.object(scene.hub, "leave", side_effect=lambda page: (leave(page), left.set()))
    stream = http.request("GET", f"{server.address}events", preload_content=False)
    read_until(stream, b"\n\n")
    stream.close()
    assert left.wait(SECONDS)
    assert not scene.hub.is_watched


def test_too_many_pages_are_told_so(server, http, scene):
    for _ in range(MAX_PAGES):
        scene.hub.join("", lambda: None)
    answer = http.request("GET", f"{server.address}events")
    assert answer.status == 503
    assert b"close one" in answer.data


def test_an_order_is_carried_out_and_says_what_would_do_the_same(server, http, scene):
    answer = post(http, server, "mine")
    assert answer.status == 200
    assert answer.json() == {"isDone": True, "said": "done", "command": "btcctl heal my-network"}
    ((action, order),) = scene.asked
    assert (action, order.network, order.count) == ("mine", "default/my-network", 3)


@pytest.mark.parametrize("body", [{"network": 5}, {"network": "a/b", "shell": "rm"}, [], "x" * 70_000])
def test_an_order_that_is_none_is_refused_in_words(server, http, scene, body):
    answer = post(http, server, "mine", body)
    assert answer.status in {400, 413}
    assert answer.json()["said"]
    assert scene.asked == []


def test_an_order_of_any_size_is_not_read(server, http, scene):
    answer = post(http, server, "partition", {"network": "a/b", "groups": [[0] * 40_000]})
    assert answer.status == 413
    assert scene.asked == []


def test_an_order_without_the_token_or_from_elsewhere_is_not_carried_out(server, http, scene):
    assert post(http, server, "mine", **{TOKEN_HEADER: "another-token-of-that-length"}).status == 403
    assert post(http, server, "mine", origin="https://evil.example").status == 403
    assert post(http, server, "mine", **{"content-type": "text/plain"}).status == 415
    assert scene.asked == []


def test_an_action_that_breaks_is_an_answer_and_not_the_end(server, http):
    answer = post(http, server, "break")
    assert answer.status == 500
    assert "on purpose" not in answer.data.decode()
    assert http.request("GET", f"{server.address}state").status == 200


def test_a_tail_of_a_log_is_served(server, http):
    answer = http.request("GET", f"{server.address}log?network=a/b&node=2&lines=7")
    assert answer.json()["lines"] == ["a/b/2", "7"]
    for query in ("network=a/b", "network=a/b&node=-1", "network=a/b&node=1&lines=0", "network=a/b&node=x"):
        assert http.request("GET", f"{server.address}log?{query}").status == 400


def test_other_methods_and_files_outside_of_the_page_are_not_served(server, http):
    assert http.request("PUT", f"{server.address}state").status == 405
    for name in ("__init__.py", "..%2fmodel.py", "%2e%2e/app.py", "none.js"):
        assert http.request("GET", f"{server.address}{name}").status == 404


def test_a_port_that_is_taken_is_one_line(scene):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BtcctlError, match=f"cannot listen on 127.0.0.1:{port}: .*--bind"):
            WebServer(scene, TOKEN, port=port).start()


def test_the_end_closes_streams_that_are_open(scene, http):
    server = WebServer(scene, TOKEN)
    server.start()
    stream = http.request("GET", f"{server.address}events", preload_content=False)
    read_until(stream, b"\n\n")
    server.stop()
    assert stream.read() == b""
    server.stop()


def test_a_client_that_does_not_read_holds_nobody_up_and_is_caught_up_with_a_snapshot(server, http, scene):
    with socket.create_connection(("127.0.0.1", server.port)) as idle:
        idle.sendall(f"GET /{TOKEN}/events HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
        assert idle.recv(64).startswith(b"HTTP/1.1 200")
        for number in range(1000):  # more than kernel and transport take
            scene.hub.publish("network-gone", Gone("a", f"{number}-" + "x" * 60_000))
        assert http.request("GET", f"{server.address}state").status == 200
        idle.settimeout(SECONDS)
        snapshots, told, rest = 0, 0, b""
        while snapshots < 2:
            piece = idle.recv(1 << 20)
            assert piece
            *lines, rest = (rest + piece).split(b"\n")
            snapshots += lines.count(b"event: snapshot")
            told += lines.count(b"event: network-gone")
        assert told < 1000


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: "])
def test_who_does_not_say_in_time_what_it_wants_is_let_go(scene, said: bytes):
    server = WebServer(scene, TOKEN, head_seconds=0.1)
    server.start()
    try:
        with socket.create_connection(("127.0.0.1", server.port), SECONDS) as caller:
            caller.sendall(said)
            assert caller.recv(1) == b""
    finally:
        server.stop()


def test_who_has_said_what_it_wants_is_given_all_the_time_there_is(scene):
    server = WebServer(scene, TOKEN, head_seconds=0.1)
    server.start()
    try:
        with urllib3.PoolManager(retries=False, timeout=SECONDS) as http:
            stream = http.request("GET", f"{server.address}events", preload_content=False)
            read_until(stream, b"event: snapshot")
            with socket.create_connection(("127.0.0.1", server.port), SECONDS) as later:
                assert later.recv(1) == b""  # so much time has gone by
            scene.hub.publish("network-gone", Gone("default", "last"))
            read_until(stream, b"last")
            stream.close()
    finally:
        server.stop()


def test_who_asks_for_heads_only_looks_at_nothing(server, http, scene):
    for path in ("events", "events?network=a/b"):
        answer = http.request("HEAD", f"{server.address}{path}")
        assert (answer.status, answer.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
    assert not scene.hub.is_watched
    assert http.request("HEAD", f"{server.address}log?network=a/b&node=2").status == 200
