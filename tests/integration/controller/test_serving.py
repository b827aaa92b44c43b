from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator
from functools import partial

import pytest
import urllib3

from btcctl.controller.serving.status_server import StatusServer, parse_address
from btcctl.errors import BtcctlError, ConfigError
from btcctl.metrics import Metrics
from btcctl.rest.metrics import RequestMetrics


class Scene:
    """A status server whose checks a test can turn."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.dead, self.unsynced = "", ""
        live, ready = {"threads": lambda: self.dead}, {"caches": lambda: self.unsynced}
        self.server = StatusServer("127.0.0.1:0", self.metrics, live, ready)

    def get(self, path: str) -> tuple[int, str]:
        return get(self.server, path)


def get(server: StatusServer, path: str, host: str = "127.0.0.1") -> tuple[int, str]:
    with urllib3.PoolManager(retries=False, timeout=60.0) as pools:
        answer = pools.request("GET", f"http://{host}:{server.port}{path}")
        return answer.status, answer.data.decode()


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    scene.server.start()
    yield scene
    scene.server.stop()


def test_health_turns_red_and_green_again(scene: Scene) -> None:
    assert scene.get("/healthz") == (200, "ok")
    scene.dead = "informer pods died"
    assert scene.get("/healthz") == (500, "[-]threads failed: informer pods died\nhealthz check failed\n")
    scene.dead = ""
    assert scene.get("/healthz") == (200, "ok")


def test_readiness_asks_for_more_than_liveness(scene: Scene) -> None:
    scene.unsynced = "pods: list: 403"
    assert scene.get("/healthz")[0] == 200
    assert scene.get("/readyz?verbose")[1].splitlines() == [
        "[+]threads ok",
        "[-]caches failed: pods: list: 403",
        "readyz check failed",
    ]


async def coroutine() -> str:
    return ""


def call(check: Callable[[], object]) -> object:
    return check()


@pytest.mark.parametrize(
    ("check", "failed"),
    [
        (lambda: None, ""),
        (lambda: False, "TypeError: a check returned bool, must return a text"),
        (lambda: True, "TypeError: a check returned bool, must return a text"),
        (partial(call, coroutine), "TypeError: a check returned coroutine, must return a text"),
    ],
)
def test_a_check_returns_a_text_or_is_told_so(check, failed) -> None:
    server = StatusServer("127.0.0.1:0", None, {}, {"vault": check, "disk": lambda: ""})
    server.start()
    try:
        vault, disk, _ = get(server, "/readyz?verbose")[1].splitlines()
    finally:
        server.stop()
    assert vault.startswith(f"[-]vault failed: {failed}" if failed else "[+]vault ok")
    assert disk == "[+]disk ok"


def test_a_check_may_be_left_out_by_who_asks(scene: Scene) -> None:
    scene.unsynced = "pods: list: 403"
    assert scene.get("/readyz?exclude=caches") == (200, "ok")
    assert scene.get("/readyz?exclude=threads&exclude=nothing")[0] == 500


def test_metrics_are_shown_as_prometheus_reads_them(scene: Scene) -> None:
    scene.metrics.part(RequestMetrics).count(200, "GET", "example:443")
    status, text = scene.get("/metrics")
    assert status == 200
    assert 'rest_client_requests_total{code="200",host="example:443",method="GET"} 1.0' in text


def test_other_paths_say_which_there_are(scene: Scene) -> None:
    assert scene.get("/") == (404, "try /metrics, /healthz or /readyz\n")


def test_a_port_that_is_taken_is_named(scene: Scene) -> None:
    second = StatusServer(f"127.0.0.1:{scene.server.port}", Metrics(), {}, {})
    with pytest.raises(BtcctlError, match=f"cannot listen on 127.0.0.1:{scene.server.port}: Address already in use"):
        second.start()
    second.stop()


@pytest.mark.parametrize(
    ("text", "parsed"), [(":8080", ("", 8080)), ("127.0.0.1:0", ("127.0.0.1", 0)), ("[::1]:1", ("::1", 1))]
)
def test_addresses_are_host_and_port(text: str, parsed: tuple[str, int]) -> None:
    assert parse_address(text) == parsed


@pytest.mark.parametrize("text", ["", "8080", ":", ":http", ":70000", "host", ":" + "9" * 5000, "a b:1", "a\0:1", ":٣"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="no address to listen on"):
        parse_address(text)


def test_there_are_no_debug_pages_unless_somebody_wants_them(scene: Scene) -> None:
    assert scene.get("/debug/queue")[0] == 404


def test_a_check_that_raises_has_failed_whatever_it_raises() -> None:
    class Unspeakable(BaseException):
        def __str__(self) -> str:
            raise KeyboardInterrupt

    def fail() -> str:
        raise Unspeakable

    server = StatusServer("127.0.0.1:0", Metrics(), {"odd": fail}, {})
    server.start()
    try:
        for _ in range(2):
            status, text = get(server, "/healthz")
            assert (status, text.splitlines()[0].partition(":")[0]) == (500, "[-]odd failed")
    finally:
        server.stop()


def test_probes_may_have_an_address_of_their_own() -> None:
    server = StatusServer("127.0.0.1:0", None, {}, {})
    server.start()
    try:
        assert get(server, "/readyz") == (200, "ok")
        assert get(server, "/metrics") == (404, "try /healthz or /readyz\n")
    finally:
        server.stop()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_a_port_alone_means_both_ip_families(host: str) -> None:
    if host == "[::1]" and not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 here")
    server = StatusServer(":0", None, {}, {})
    server.start()
    try:
        assert get(server, "/healthz", host) == (200, "ok")
    finally:
        server.stop()


def test_a_machine_without_ipv6_is_served_by_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.create_server

    def create(address: tuple[str, int], *, family: int = socket.AF_INET, **options: object) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EADDRNOTAVAIL, "none here")
        return real(address, family=family, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "create_server", create)
    server = StatusServer(":0", None, {}, {})
    server.start()
    try:
        assert get(server, "/healthz") == (200, "ok")
    finally:
        server.stop()
