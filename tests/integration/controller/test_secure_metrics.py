"""A status server that is protected: HTTPS, and pages for those alone who may see them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import pytest
import urllib3

from btcctl.certificates.identity import Identity
from btcctl.certificates.issuing import Certificates, renewed
from btcctl.clock import SYSTEM_CLOCK
from btcctl.controller.serving.http_answer import Answer
from btcctl.controller.serving.http_request import Request
from btcctl.controller.serving.protection import Protection
from btcctl.controller.serving.status_server import StatusServer
from btcctl.metrics import Metrics
from btcctl.rest.metrics import RequestMetrics

NOW = datetime.now(UTC)
GOOD = "Bearer good"


class Scene:
    """The server, and its certificates."""

    def __init__(self) -> None:
        self.identity = Identity("metrics", SYSTEM_CLOCK)
        self.certificates: Certificates | None = None
        metrics = Metrics()
        metrics.part(RequestMetrics)
        protection = Protection(lambda: self.identity.context, refusal)
        self.server = StatusServer("127.0.0.1:0", metrics, {}, {}, lambda _: {}, protection)

    def renew(self, now: datetime = NOW) -> None:
        self.certificates = renewed(self.certificates, ["127.0.0.1"], now)
        self.identity.use(self.certificates)

    def get(self, path: str, authorization: str = GOOD) -> tuple[int, str]:
        assert self.certificates is not None
        authorities = self.certificates.authorities.decode()
        with urllib3.PoolManager(retries=False, timeout=5.0, ca_cert_data=authorities) as pools:
            address = f"https://127.0.0.1:{self.server.port}{path}"
            answer = pools.request("GET", address, headers={"Authorization": authorization})
            return answer.status, answer.data.decode()


def refusal(request: Request) -> Answer | None:
    return None if request.authorization == GOOD else Answer(HTTPStatus.UNAUTHORIZED, b"who are you?\n")


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    scene.renew(NOW - timedelta(days=61))
    scene.server.start()
    yield scene
    scene.server.stop()


def test_who_may_see_the_metrics_sees_them(scene: Scene) -> None:
    status, text = scene.get("/metrics")
    assert status == 200
    assert "rest_client_requests_total" in text


@pytest.mark.parametrize("path", ["/metrics", "/debug/queue", "/metrics?a=b", "/%6detrics", "/other"])
def test_who_may_not_sees_nothing_and_learns_nothing(scene: Scene, path: str) -> None:
    assert scene.get(path, "Bearer bad") == (401, "who are you?\n")


def test_health_is_told_to_everybody(scene: Scene) -> None:
    assert scene.get("/healthz", "") == scene.get("/readyz", "") == (200, "ok")


def test_a_stranger_is_told_what_to_send(scene: Scene) -> None:
    assert scene.certificates is not None
    authorities = scene.certificates.authorities.decode()
    with urllib3.HTTPSConnectionPool("127.0.0.1", scene.server.port, ca_cert_data=authorities) as pool:
        answer = pool.request("GET", "/metrics")
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_new_certificate_is_shown_to_whoever_comes_next(scene: Scene) -> None:
    before = scene.certificates
    assert before is not None
    authorities = before.authorities.decode()
    with urllib3.HTTPSConnectionPool("127.0.0.1", scene.server.port, ca_cert_data=authorities) as pool:
        assert pool.request("GET", "/healthz").status == 200
        scene.renew()
        assert scene.certificates is not before
        assert scene.get("/healthz") == (200, "ok")
        assert pool.request("GET", "/healthz").status == 200  # on the connection that there is
        assert pool.num_connections == 1


def test_without_a_certificate_nobody_is_let_in() -> None:
    scene = Scene()
    scene.server.start()
    with pytest.raises(urllib3.exceptions.HTTPError), urllib3.PoolManager(retries=False, timeout=5.0) as pools:
        pools.request("GET", f"http://127.0.0.1:{scene.server.port}/healthz")
    scene.renew()
    assert scene.get("/healthz") == (200, "ok")
    scene.server.stop()
