"""The samples of requests that a scrape sees, under the names dashboards know."""

from __future__ import annotations

import pytest

from btcctl.metrics import Metrics
from btcctl.rest.client import ApiClient
from btcctl.rest.metrics import RequestMetrics
from btcctl.rest.transport.counting import CountingTransport
from btcctl.rest.transport.transport import Request
from tests.unit.rest.fakes import JumpingClock, ScriptedTransport, answer, status


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def requests(metrics: Metrics) -> RequestMetrics:
    return metrics.part(RequestMetrics)


def sample(metrics: Metrics, sample_name: str, /, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(sample_name, labels)


def test_requests_are_counted_by_code_method_and_host(metrics, requests):
    requests.count(200, "GET", "h:6443")
    requests.count(200, "GET", "h:6443")
    requests.count("<error>", "PUT", "h:6443")
    assert sample(metrics, "rest_client_requests_total", code="200", method="GET", host="h:6443") == 2
    assert sample(metrics, "rest_client_requests_total", code="<error>", method="PUT", host="h:6443") == 1


def test_requests_that_are_sent_again_are_counted_by_what_they_came_back_with(metrics, requests):
    host = {"host": "h:6443", "verb": "GET"}
    later, unready = status(429, Retry_After="1"), status(503, Retry_After="1")
    transport = ScriptedTransport(later, unready, later, answer())
    counting = CountingTransport(transport, requests.count, "h:6443", retried=requests.count_retry)
    ApiClient(counting, clock=JumpingClock()).call(Request("GET", "/x"))
    assert sample(metrics, "rest_client_request_retries_total", code="429", **host) == 2
    assert sample(metrics, "rest_client_request_retries_total", code="503", **host) == 1
    assert sample(metrics, "rest_client_requests_total", code="200", method="GET", host="h:6443") == 1


def test_the_seconds_of_requests_are_a_histogram_by_verb_and_host(metrics, requests):
    requests.time("GET", "host", 0.05)
    text = metrics.text().decode()
    assert 'rest_client_request_duration_seconds_bucket{host="host",le="0.025",verb="GET"} 0.0' in text
    assert 'rest_client_request_duration_seconds_bucket{host="host",le="0.1",verb="GET"} 1.0' in text
