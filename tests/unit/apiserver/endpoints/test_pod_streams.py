"""What is refused before a connection is taken over."""

from __future__ import annotations

import json
from typing import Any

import pytest

from btcctl.apiserver.api import Api
from btcctl.apiserver.requests.messages import ApiRequest, ApiResponse, TakeOver

POD = "/api/v1/namespaces/default/pods/pod"
WEBSOCKET = {"upgrade": "websocket", "sec-websocket-protocol": "v5.channel.k8s.io, v4.channel.k8s.io"}
TUNNEL = {"upgrade": "websocket", "sec-websocket-protocol": "SPDY/3.1+portforward.k8s.io"}
EXEC = {"command": ["ls", "-l"], "stdout": ["true"]}


class Follower:
    def read(self) -> bytes | None:
        return None


@pytest.fixture
def api() -> Api:
    api = Api(pod_logs=lambda *_: Follower(), pod_exec=lambda *_: None, pod_connect=lambda *_: None)
    pod = {"metadata": {"name": "pod"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    post(api, "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}})
    assert post(api, POD.removesuffix("/pod"), pod).status == 201
    status = {"status": {"containerStatuses": [{"name": "c", "state": {"running": {}}}]}}
    headers = {"content-type": "application/merge-patch+json"}
    api.handle(ApiRequest("PATCH", f"{POD}/status", {}, headers, json.dumps(status).encode()))
    return api


def post(api: Api, path: str, body: dict[str, Any]) -> ApiResponse:
    answer = api.handle(ApiRequest("POST", path, {}, {"content-type": "application/json"}, json.dumps(body).encode()))
    assert isinstance(answer, ApiResponse)
    return answer


def get(api: Api, path: str, query: dict[str, list[str]], headers: dict[str, str]) -> ApiResponse | TakeOver:
    answer = api.handle(ApiRequest("GET", f"{POD}/{path}", query, headers))
    assert isinstance(answer, (ApiResponse, TakeOver))
    return answer


def refused(answer: ApiResponse | TakeOver) -> tuple[int, str]:
    assert isinstance(answer, ApiResponse)
    return answer.status, json.loads(answer.body)["message"]


def test_a_websocket_takes_the_connection_over(api):
    assert isinstance(get(api, "exec", EXEC, WEBSOCKET), TakeOver)
    assert isinstance(get(api, "portforward", {}, TUNNEL), TakeOver)
    assert isinstance(get(api, "portforward", {"ports": ["80"]}, WEBSOCKET), TakeOver)
    assert isinstance(get(api, "log", {"follow": ["true"]}, {}), TakeOver)


@pytest.mark.parametrize(
    ("path", "query", "headers", "status", "message"),
    [
        ("exec", EXEC, {}, 400, "Upgrade request required"),
        ("exec", EXEC, {"upgrade": "SPDY/3.1"}, 400, "WebSocket only"),
        ("exec", EXEC, TUNNEL, 400, "none of ['SPDY/3.1+portforward.k8s.io'] is spoken here"),
        ("portforward", {}, {**TUNNEL, "sec-websocket-protocol": "v1"}, 400, "unable to upgrade"),
        ("portforward", {}, WEBSOCKET, 400, 'query parameter "port" is required'),
        ("portforward", {"ports": ["80,0"]}, WEBSOCKET, 400, 'unable to parse "80,0" as ports'),
        ("exec", {"stdout": ["true"]}, WEBSOCKET, 422, "command: Required value"),
        ("exec", {"command": ["ls"]}, WEBSOCKET, 400, "at least one of stdin, stdout, stderr"),
        ("exec", {**EXEC, "container": ["d"]}, WEBSOCKET, 400, "container d is not valid for pod pod"),
        ("attach", {}, WEBSOCKET, 501, "attaching"),
        ("log", {"sinceSeconds": ["0"]}, {}, 422, "must be greater than or equal to 1"),
        ("log", {"sinceTime": ["noon"]}, {}, 400, "sinceTime is no time: noon"),
        ("log", {"sinceTime": ["2026-01-01T00:00:00Z"], "sinceSeconds": ["1"]}, {}, 422, "at most one of"),
        ("log", {"tailLines": ["-1"]}, {}, 422, "must be greater than or equal to 0"),
        ("log", {"limitBytes": ["x"]}, {}, 400, "invalid syntax"),
    ],
)
def test_the_rest_is_refused_with_a_reason(api, path, query, headers, status, message):
    found, said = refused(get(api, path, query, headers))
    assert (found, message in said) == (status, True), said


@pytest.mark.parametrize(("path", "query"), [("exec", EXEC), ("portforward", {}), ("log", {})])
def test_without_anybody_who_runs_pods_it_is_501(api, path, query):
    api.pods.logs = api.pods.exec = api.pods.connect = None
    assert refused(get(api, path, query, WEBSOCKET))[0] == 501


def test_a_container_that_does_not_run_is_400(api):
    headers = {"content-type": "application/merge-patch+json"}
    api.handle(ApiRequest("PATCH", f"{POD}/status", {}, headers, b'{"status":{"containerStatuses":null}}'))
    assert refused(get(api, "exec", EXEC, WEBSOCKET)) == (400, "container c of pod pod does not run")
