"""Webhooks of the embedded server, over HTTPS: what the conformance cases cannot show."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from btcctl.apiserver.api import Api, ApiRequest, ApiResponse
from btcctl.testing.clock import FakeClock
from tests.integration.hook_server import Answer, Hook, HookServer, hook_server

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
REGISTRATION = "/apis/admissionregistration.k8s.io/v1"
RULE = {"operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}


@pytest.fixture(scope="module", autouse=True)
def hooks() -> HookServer:
    """Started before any test, since it stays."""
    return hook_server()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def api(clock: FakeClock) -> Iterator[Api]:
    api = Api(clock=clock)
    yield api
    api.admission.close()


def send(api: Api, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    response = api.handle(ApiRequest(method, path, {}, {}, b"" if body is None else json.dumps(body).encode()))
    assert isinstance(response, ApiResponse)
    return response.status, json.loads(response.body)


def registered(api: Api, kind: str, respond: Callable[[dict[str, Any]], Answer], **more: Any) -> Hook:
    server, path = hook_server(), f"/{uuid.uuid4()}"
    found = server.hooks[path] = Hook(respond)
    hook = {
        "name": "a.example.org",
        "clientConfig": {"url": f"{server.url}{path}", "caBundle": server.bundle},
        "rules": [RULE],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        **more,
    }
    body = {"metadata": {"name": uuid.uuid4().hex}, "webhooks": [hook]}
    status, answer = send(api, "POST", f"{REGISTRATION}/{kind.lower()}webhookconfigurations", body)
    assert status == 201, answer
    return found


def test_a_webhook_may_ask_and_write_to_the_server_that_waits_for_it(api):
    def respond(request: dict[str, Any]) -> Answer:
        send(api, "POST", "/api/v1/namespaces/default/secrets", {"metadata": {"name": request["name"]}})
        return {"allowed": send(api, "GET", "/api/v1/namespaces/default")[0] == 200}

    registered(api, "Validating", respond)
    assert send(api, "POST", CONFIG_MAPS, {"metadata": {"name": "a"}})[0] == 201
    assert send(api, "GET", "/api/v1/namespaces/default/secrets/a")[0] == 200


def test_what_was_changed_while_a_webhook_was_asked_is_asked_about_again(api):
    send(api, "POST", CONFIG_MAPS, {"metadata": {"name": "a"}})
    others = iter(["first"])

    def respond(request: dict[str, Any]) -> Answer:
        for value in others:
            change(api, value)
        return {"allowed": True}

    hook = registered(api, "Validating", respond, objectSelector={"matchLabels": {"asked": "yes"}})
    body = {"metadata": {"name": "a", "labels": {"asked": "yes"}}, "data": {"k": "mine"}}
    assert send(api, "PUT", f"{CONFIG_MAPS}/a", body)[0] == 200
    seen = [each["request"]["oldObject"].get("data") for each in hook.asked]
    assert seen == [None, {"k": "first"}]


def change(api: Api, value: str) -> None:
    """Write past the webhook, which asks for a label."""
    assert send(api, "PUT", f"{CONFIG_MAPS}/a", {"metadata": {"name": "a"}, "data": {"k": value}})[0] == 200


def test_what_a_webhook_saw_is_what_is_stored_however_long_it_took(api, clock):
    def respond(_: dict[str, Any]) -> Answer:
        clock.advance(2.0)
        return {"allowed": True}

    hook = registered(api, "Validating", respond)
    status, stored = send(api, "POST", CONFIG_MAPS, {"metadata": {"generateName": "a-"}})
    assert status == 201
    seen = hook.asked[0]["request"]["object"]
    assert seen["metadata"] == {key: each for key, each in stored["metadata"].items() if key != "resourceVersion"}


def test_a_service_leads_where_the_server_was_told(api):
    server = hook_server()
    path = f"/{uuid.uuid4().hex}"
    server.hooks[path] = hook = Hook(lambda _: {"allowed": True})
    pair = {"namespace": "default", "name": "hooks", "path": path}
    client = {"service": pair, "caBundle": server.bundle}
    registered(api, "Validating", lambda _: {"allowed": True}, clientConfig=client)
    assert 'service "hooks" not found' in send(api, "POST", CONFIG_MAPS, {"metadata": {"name": "a"}})[1]["message"]
    api.services.known["default/hooks"] = f"127.0.0.1:{server.port}"
    assert send(api, "POST", CONFIG_MAPS, {"metadata": {"name": "a"}})[0] == 201
    assert hook.asked


def test_every_item_of_a_collection_is_asked_about_before_it_is_deleted(api):
    hook = registered(api, "Validating", lambda _: {"allowed": True}, rules=[{**RULE, "operations": ["DELETE"]}])
    for name in ("a", "b"):
        send(api, "POST", CONFIG_MAPS, {"metadata": {"name": name}})
    status, deleted = send(api, "DELETE", CONFIG_MAPS)
    assert (status, len(deleted["items"])) == (200, 2)
    assert [each["request"]["oldObject"]["metadata"]["name"] for each in hook.asked] == ["a", "b"]


def test_another_version_is_asked_about_in_the_one_the_rule_names(api, define):
    define("v1", "v2")
    rule = {**RULE, "apiGroups": ["example.org"], "resources": ["things"]}
    hook = registered(api, "Mutating", labelling, rules=[rule])
    path = "/apis/example.org/v2/namespaces/default/things"
    body = {"apiVersion": "example.org/v2", "kind": "Thing", "metadata": {"name": "a"}}
    status, made = send(api, "POST", path, body)
    assert (status, made["apiVersion"], made["metadata"]["labels"]) == (201, "example.org/v2", {"hooked": "yes"})
    request = hook.asked[0]["request"]
    assert (request["object"]["apiVersion"], request["kind"]["version"]) == ("example.org/v1", "v1")
    assert request["requestKind"]["version"] == "v2"


def labelling(_: dict[str, Any]) -> Answer:
    patch = [{"op": "add", "path": "/metadata/labels", "value": {"hooked": "yes"}}]
    return {"allowed": True, "patchType": "JSONPatch", "patch": base64.b64encode(json.dumps(patch).encode()).decode()}


@pytest.fixture
def define(api):
    def define(*versions: str) -> None:
        free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        listed = [
            {"name": each, "served": True, "storage": each == versions[0], "schema": {"openAPIV3Schema": free}}
            for each in versions
        ]
        names = {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}
        spec = {"group": "example.org", "scope": "Namespaced", "names": names, "versions": listed}
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        assert send(api, "POST", path, {"metadata": {"name": "things.example.org"}, "spec": spec})[0] == 201

    return define
