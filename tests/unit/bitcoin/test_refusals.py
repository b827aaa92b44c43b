"""Which rights we lack, as the API server's answers say it."""

from __future__ import annotations

import pytest

from btcctl.bitcoin.refusals import RefusalNotingTransport, Refusals, Right, right_for
from btcctl.rest.transport.breaker import Breaker
from btcctl.rest.transport.transport import Request, Response
from btcctl.testing import capture_logs
from tests.unit.rest.fakes import ScriptedTransport

SERVICES = "/api/v1/namespaces/one/services"
NO_RIGHT = (
    b'{"message":"services is forbidden: User \\"u\\" cannot create resource \\"services\\" in API group \\"\\""}'
)
QUOTA = b'{"message":"services \\"a\\" is forbidden: exceeded quota: few, requested: services=1"}'


def told(*answers: tuple[Request, int, bytes]) -> Refusals:
    """After these requests have been answered so."""
    refusals = Refusals()
    carrier = ScriptedTransport(*[Response(status, {}, body) for _, status, body in answers])
    transport = RefusalNotingTransport(carrier, refusals)
    for request, *_ in answers:
        transport.request(request, timeout=1.0)
    return refusals


def create(path: str = SERVICES) -> Request:
    return Request("POST", path)


@pytest.mark.parametrize(
    ("request_", "right"),
    [
        (Request("GET", "/api/v1/pods", {"watch": "1"}), Right("watch", "", "pods")),
        (Request("GET", "/api/v1/pods"), Right("list", "", "pods")),
        (Request("GET", "/api/v1/namespaces/one/pods/a"), Right("get", "", "pods", "one")),
        (Request("PATCH", "/api/v1/namespaces/one/pods/a/status"), Right("patch", "", "pods/status", "one")),
        (Request("PUT", "/apis/apps/v1/namespaces/one/statefulsets/a"), Right("update", "apps", "statefulsets", "one")),
        (
            Request("DELETE", "/apis/apps/v1/namespaces/one/statefulsets"),
            Right("deletecollection", "apps", "statefulsets", "one"),
        ),
        (Request("GET", "/version"), None),
        (Request("GET", "/apis"), None),
    ],
    ids=str,
)
def test_the_right_that_a_request_needs_is_read_off_its_path(request_: Request, right: Right | None) -> None:
    assert right_for(request_) == right


def test_what_is_refused_concerns_its_namespace_and_no_other() -> None:
    refusals = told((create(), 403, NO_RIGHT))
    assert [str(each) for each in refusals.concerning("one")] == ["create services in namespace one"]
    assert refusals.concerning("two") == []
    assert refusals.problem() == "may not create services: see btcctl doctor"


def test_what_is_refused_everywhere_concerns_every_namespace() -> None:
    refusals = told((create("/apis/apps/v1/statefulsets"), 403, NO_RIGHT))
    assert [str(each) for each in refusals.concerning("two")] == ["create statefulsets.apps"]


def test_a_right_that_comes_is_no_longer_missed() -> None:
    refusals = told((create(), 403, NO_RIGHT), (create(), 201, b"{}"))
    assert refusals.concerning("one") == []
    assert refusals.problem() == ""


def test_another_right_that_is_there_does_not_hide_the_missing_one() -> None:
    assert told((create(), 403, NO_RIGHT), (Request("GET", SERVICES), 200, b"{}")).problem()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (SERVICES, QUOTA),
        ("/api/v1/namespaces/one/secrets/mine", NO_RIGHT),
        ("/api/v1/namespaces/one/events", NO_RIGHT),
    ],
    ids=["a quota", "a Secret that a user has named", "Events"],
)
def test_what_says_nothing_of_the_controllers_role_is_not_counted(path: str, body: bytes) -> None:
    assert told((create(path), 403, body)).problem() == ""


def test_a_watch_that_is_refused_counts() -> None:
    refusals = Refusals()
    transport = RefusalNotingTransport(ScriptedTransport(Response(403, {}, b"")), refusals)
    watch = Request("GET", "/api/v1/pods", {"watch": "true"})
    transport.stream(watch, timeout=1.0, idle_timeout=1.0, breaker=Breaker())
    assert refusals.problem() == "may not watch pods: see btcctl doctor"


def test_the_log_names_each_verb_and_resource_once_until_it_is_granted() -> None:
    other = "/api/v1/namespaces/two/services"
    with capture_logs() as logs:
        told(*[(create(path), 403, NO_RIGHT) for path in (SERVICES, other, SERVICES)])
        told((create(), 403, NO_RIGHT), (create(), 201, b"{}"), (create(), 403, NO_RIGHT))
    said = [(each["verb"], each["resource"]) for each in logs if each["event"] == "a right is missing"]
    assert said == [("create", "services")] * 3  # once for the first, twice for the second
