from __future__ import annotations

import pytest

from btcctl.errors import (
    Conflict,
    InternalError,
    Interrupted,
    NotFound,
    ServiceUnavailable,
    TooManyRequests,
    TransportError,
)
from btcctl.objects import ObjectKey
from btcctl.resources import PODS, STATEFUL_SETS
from btcctl.rest.client import ApiClient
from btcctl.rest.transport.transport import Request
from btcctl.testing import capture_logs
from btcctl.testing.clock import FakeClock
from btcctl.threads import Runner, Stop
from tests.unit.rest.fakes import JumpingClock, ScriptedTransport, answer, status

BUSY = status(429, "TooManyRequests", "later", Retry_After="2")
APPS = answer(
    {
        "kind": "APIResourceList",
        "resources": [
            {"name": "statefulsets", "kind": "StatefulSet", "namespaced": True},
            {"name": "statefulsets/scale", "kind": "Scale", "namespaced": True},
        ],
    }
)
GET = Request("GET", "/x")


def client_of(*answers, clock: FakeClock | None = None) -> tuple[ApiClient, ScriptedTransport]:
    transport = ScriptedTransport(*answers)
    return ApiClient(transport, clock=clock or FakeClock()), transport


def test_every_request_says_who_we_are_and_wants_json():
    client, transport = client_of(answer())
    client.call(GET)
    assert transport.last.headers["User-Agent"].startswith("btcctl/")
    assert transport.last.headers["Accept"] == "application/json"


def test_a_failure_that_is_told_with_a_200_is_a_failure():
    """Of an aggregated API server, or a proxy: a deletion was taken to be done."""
    refused = {"kind": "Status", "metadata": {}, "status": "Failure", "code": 409, "reason": "Conflict"}
    client, _ = client_of(
        answer(refused), answer({**refused, "code": None, "reason": ""}), answer({"status": "Failure"})
    )
    with pytest.raises(Conflict):
        client.resource(PODS, "ns").delete(ObjectKey("ns", "a"))
    with pytest.raises(InternalError):
        client.call(GET)
    assert client.call(GET).status == 200


def test_the_server_is_given_the_time_it_asks_for():
    clock = FakeClock()
    client, transport = client_of(BUSY, answer({"ok": 1}), clock=clock)
    results = []
    with Runner("caller", lambda _: results.append(client.call(GET))):
        clock.wait_until_blocked()
        clock.advance(1.9)
        assert len(transport.requests) == 1
        clock.advance(0.2)
    assert results[0].body == b'{"ok": 1}'
    assert len(transport.requests) == 2


def test_a_server_that_stays_busy_is_given_up_on():
    clock = JumpingClock()
    client, transport = client_of(BUSY, clock=clock)
    with pytest.raises(TooManyRequests) as caught:
        client.call(GET)
    assert caught.value.retry_after == 2
    assert len(transport.requests) == 5
    assert clock.now() == 8.0


def test_a_server_that_asks_for_too_much_time_is_given_up_on():
    clock = JumpingClock()
    client, transport = client_of(status(429, Retry_After="12"), clock=clock)
    with pytest.raises(TooManyRequests):
        client.call(GET)
    assert (len(transport.requests), clock.now()) == (3, 24.0)


def test_a_post_is_not_sent_again_to_a_server_that_may_have_acted():
    client, transport = client_of(status(503, "ServiceUnavailable", Retry_After="1"))
    with pytest.raises(ServiceUnavailable):
        client.call(Request("POST", "/x"))
    assert len(transport.requests) == 1


def test_a_transport_error_is_the_callers_to_retry():
    client, transport = client_of(TransportError("gone"))
    with pytest.raises(TransportError):
        client.call(GET)
    assert len(transport.requests) == 1


def test_closing_the_client_ends_its_waits():
    clock = FakeClock()
    client, transport = client_of(BUSY, clock=clock)

    def call(_: Stop) -> None:
        with pytest.raises(Interrupted):
            client.call(GET)

    with Runner("caller", call):
        clock.wait_until_blocked()
        client.close()
    assert transport.is_closed


def test_a_stop_of_the_callers_ends_its_wait():
    client, _ = client_of(BUSY)
    stop = Stop()
    stop.set()
    with pytest.raises(Interrupted):
        client.call(GET, stop=stop)


def test_each_warning_of_the_server_is_logged_once():
    warned = answer({}, Warning='299 - "unknown field \\"spec.bogus\\""')
    client, _ = client_of(warned)
    with capture_logs() as logs:
        client.call(GET)
        client.call(GET)
    warnings = [entry for entry in logs if entry["log_level"] == "warning"]
    assert [entry["text"] for entry in warnings] == ['unknown field "spec.bogus"']


def test_discovery_leaves_out_subresources():
    client, transport = client_of(APPS)
    assert client.discover("apps", "v1") == (STATEFUL_SETS,)
    assert transport.last.path == "/apis/apps/v1"


def test_the_core_group_is_discovered_at_its_own_path():
    client, transport = client_of(answer({"resources": []}))
    client.discover("", "v1")
    assert transport.last.path == "/api/v1"


def test_discovery_is_remembered_for_five_minutes():
    clock = FakeClock()
    client, transport = client_of(APPS, clock=clock)
    client.discover("apps", "v1")
    clock.advance(299.0)
    client.discover("apps", "v1")
    assert len(transport.requests) == 1
    clock.advance(2.0)
    client.discover("apps", "v1")
    assert len(transport.requests) == 2


def test_a_kind_is_found_by_what_its_manifest_says():
    client, _ = client_of(APPS)
    assert client.type_of("apps/v1", "StatefulSet") == STATEFUL_SETS


def test_a_kind_installed_meanwhile_is_found_at_once():
    client, transport = client_of(answer({"resources": []}), APPS)
    client.discover("apps", "v1")
    assert client.type_of("apps/v1", "StatefulSet") == STATEFUL_SETS
    assert len(transport.requests) == 2


def test_an_unknown_kind_is_not_found_and_named():
    client, _ = client_of(APPS)
    with pytest.raises(NotFound, match="no kind Bogus in apps/v1"):
        client.type_of("apps/v1", "Bogus")


def test_a_kind_of_a_group_that_is_not_served_is_named_in_the_error():
    client, _ = client_of(*[answer(b"404 page not found\n", 404)] * 2)
    with pytest.raises(NotFound, match=r"no kind Thing in x\.org/v1: is its CRD installed"):
        client.type_of("x.org/v1", "Thing")


def test_a_group_the_server_does_not_have_is_not_found():
    client, _ = client_of(answer(b"404 page not found\n", 404))
    with pytest.raises(NotFound):
        client.discover("nope", "v1")


def test_the_servers_version_is_what_it_says():
    client, transport = client_of(answer({"gitVersion": "v1.36.2"}))
    assert client.server_version()["gitVersion"] == "v1.36.2"
    assert transport.last.path == "/version"


def test_retries_share_the_time_of_the_call():
    clock = JumpingClock()
    transport = ScriptedTransport(status(429, Retry_After="4"))
    with pytest.raises(TooManyRequests):
        ApiClient(transport, clock=clock, timeout=10.0).get_json("/x")
    assert transport.timeouts == [10.0, 6.0, 2.0]
    assert clock.now() - JumpingClock().now() <= 10.0


@pytest.mark.parametrize("timeout", [-1.0, float("nan")])
def test_a_timeout_that_is_none_is_refused_before_anything_is_sent(timeout: float):
    transport = ScriptedTransport(answer())
    with pytest.raises(ValueError, match="timeout"):
        ApiClient(transport).call(Request("GET", "/x"), timeout=timeout)
    assert transport.requests == []
